#include "services/dhcp/event.hpp"

#include <array>

namespace bramble::dhcp {

std::string_view to_string(RequestState state) {
    static constexpr std::array<std::string_view, 4> names = {
        "selecting", "init-reboot", "renewing", "rebinding"};
    return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(HoldReason reason) {
    switch (reason) {
        case HoldReason::unknown_board:
            return "not in the fleet";
        case HoldReason::not_yet:
            return "told to wait";
        case HoldReason::reservation_busy:
            return "its address is leased to another client";
        case HoldReason::pool_exhausted:
            return "no address is free";
        case HoldReason::no_pool:
            return "no reserved address and no pool";
        case HoldReason::no_bootfile:
            return "its profile names nothing that it can load";
    }
    return "";
}

std::string_view name_of(const EventBody& body) {
    static constexpr std::array<std::string_view, std::variant_size_v<EventBody>> names = {
        "discovered",
        "offered",
        "acknowledged",
        "boot-server-answered",
        "refused",
        "declined",
        "released",
        "held",
        "enroll-wanted",
        "address-learned",
        "foreign-server",
        "address-conflict",
        "chose-another-server",
        "offered-by-another"};
    return names[body.index()];
}

}  // namespace bramble::dhcp
