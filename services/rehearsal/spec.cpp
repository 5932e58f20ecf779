#include "services/rehearsal/spec.hpp"

#include <array>

namespace bramble::rehearsal {
namespace {

virtual_board::Family family_of(BoardModel model) {
    switch (model) {
        case BoardModel::pi3:
            return virtual_board::Family::pi3;
        case BoardModel::pi5:
            return virtual_board::Family::pi5;
        default:
            return virtual_board::Family::pi4;
    }
}

RevisionCode revision_of(BoardModel model) {
    switch (model) {  // it names the device tree
        case BoardModel::pi3:
            return RevisionCode(0xa020d3);
        case BoardModel::pi400:
            return RevisionCode(0xc03130);
        case BoardModel::cm4:
            return RevisionCode(0xa03141);
        case BoardModel::pi5:
            return RevisionCode(0xc04170);
        default:
            return virtual_board::BoardSpec().revision;
    }
}

}  // namespace

bool is_firmware_of(const virtual_board::Profile& firmware, BoardModel model) {
    return model != BoardModel::generic && firmware.family == family_of(model);
}

const virtual_board::Profile& usual_firmware(BoardModel model) {
    const std::string_view name = model == BoardModel::pi3   ? "pi3b+"
                                  : model == BoardModel::pi5 ? "pi5-2026"
                                                             : "pi4-2023";
    for (const virtual_board::Profile& profile : virtual_board::all_profiles()) {
        if (profile.name == name) return profile;
    }
    return virtual_board::default_profile();
}

virtual_board::BoardSpec spec_of(
    const layout::BoardEntry& board, const std::optional<virtual_board::Profile>& firmware
) {
    virtual_board::BoardSpec spec;
    spec.revision = revision_of(board.model);
    spec.profile = firmware ? *firmware : usual_firmware(board.model);
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
