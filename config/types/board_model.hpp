// The kinds of board that a fleet may hold, and what the firmware's revision code says of one. It
// refuses to know what files a model needs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bramble {

// `generic` is a board or virtual machine without Raspberry Pi firmware: U-Boot, UEFI, iPXE.
enum class BoardModel { pi3, pi4, pi400, cm4, pi5, generic };

inline constexpr std::array<std::string_view, 6> board_model_names = {
    "pi3", "pi4", "pi400", "cm4", "pi5", "generic"};

constexpr std::string_view to_string(BoardModel model) {
    return board_model_names[static_cast<std::size_t>(model)];
}

constexpr std::optional<BoardModel> parse_board_model(std::string_view text) {
    for (std::size_t i = 0; i < board_model_names.size(); ++i) {
        if (board_model_names[i] == text) return static_cast<BoardModel>(i);
    }
    return std::nullopt;
}

// New-style revision codes (bit 23 set): option 97 carries them (fact sheet 1.2), bits 4 to 11 are
// the type.
class RevisionCode {
public:
    explicit constexpr RevisionCode(std::uint32_t value) : value_(value) {}

    constexpr std::uint32_t value() const { return value_; }

    constexpr std::optional<BoardModel> model() const {
        if ((value_ & 1U << 23U) == 0) return std::nullopt;
        switch (value_ >> 4U & 0xffU) {
            case 0x08:
            case 0x0d:
            case 0x0e:
                return BoardModel::pi3;
            case 0x11:
                return BoardModel::pi4;
            case 0x13:
                return BoardModel::pi400;
            case 0x14:
            case 0x15:
                return BoardModel::cm4;
            case 0x17:
            case 0x18:
            case 0x19:
            case 0x1a:
                return BoardModel::pi5;
            default:
                return std::nullopt;
        }
    }

    friend constexpr bool operator==(RevisionCode, RevisionCode) = default;

private:
    std::uint32_t value_;
};

}  // namespace bramble
