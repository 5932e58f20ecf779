// Where a board reports that its userspace is up, and then that it still is: what provisioning
// writes into its root and what the services listen for. It refuses to know HTTP.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/types/ipv4.hpp"

namespace bramble::layout {

// On the appliance's address on the boards' side, plain HTTP. This listener can do nothing else.
inline constexpr std::uint16_t up_report_port = 8081;

// "/v1/boards/pi-01/up": PUT, with any body. The board is known by its source address.
inline std::string up_report_path(std::string_view board) {
    return "/v1/boards/" + std::string(board) + "/up";
}

inline std::string up_report_url(Ipv4Address appliance, std::string_view board) {
    return "http://" + appliance.to_string() + ":" + std::to_string(up_report_port) +
           up_report_path(board);
}

// The name in "/v1/boards/NAME" and `after`; nothing for any other path.
inline std::optional<std::string_view> board_before(std::string_view path, std::string_view after) {
    constexpr std::string_view before = "/v1/boards/";
    if (!path.starts_with(before) || !path.ends_with(after)) return std::nullopt;
    if (path.size() <= before.size() + after.size()) return std::nullopt;
    const std::string_view name =
        path.substr(before.size(), path.size() - before.size() - after.size());
    if (name.find('/') != std::string_view::npos) return std::nullopt;
    return name;
}

// The board's name in such a path; nothing for any other path.
inline std::optional<std::string_view> board_of_up_report(std::string_view path) {
    return board_before(path, "/up");
}

// "/v1/boards/pi-01/heartbeat": PUT with the same body, as often as its line heartbeat= says.
inline std::optional<std::string_view> board_of_heartbeat(std::string_view path) {
    return board_before(path, "/heartbeat");
}

}  // namespace bramble::layout
