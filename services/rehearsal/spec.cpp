#include "services/rehearsal/spec.hpp"

#include <array>

namespace bramble::rehearsal {
bool is_firmware_of(const virtual_board::Profile& firmware, BoardModel model) {
    return model != BoardModel::generic &&
           firmware.family == virtual_board::usual_profile(model).family;
}

virtual_board::BoardSpec spec_of(
    const layout::BoardEntry& board, const std::optional<virtual_board::Profile>& firmware
) {
    virtual_board::BoardSpec spec;
    spec.revision = virtual_board::usual_revision(board.model);
    spec.profile = firmware ? *firmware : virtual_board::usual_profile(board.model);
    if (board.serial) spec.serial = *board.serial;
    if (board.mac) {
        spec.mac = *board.mac;
    } else if (board.serial) {  // some board's, in the block of Raspberry Pi 4s
        const std::uint32_t low = board.serial->value();
        spec.mac = MacAddress(std::array<std::uint8_t, 6>{
            0xdc,
            0xa6,
            0x32,
            static_cast<std::uint8_t>(low >> 16U),
            static_cast<std::uint8_t>(low >> 8U),
            static_cast<std::uint8_t>(low)});
    }
    if (!board.serial && board.mac) {
        const auto octets = board.mac->octets();
        std::uint32_t made = 0;
        for (std::size_t i = 2; i < octets.size(); ++i) made = made << 8U | octets[i];
        spec.serial = Serial(made);
    }
    return spec;
}

}  // namespace bramble::rehearsal
