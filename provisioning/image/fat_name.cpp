#include "provisioning/image/fat_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bramble::image {
namespace {

constexpr std::size_t units_a_part = 13;
constexpr std::size_t parts_max = 20;  // 255 characters
constexpr char16_t replacement = 0xFFFD;

// Where the characters of a part stand.
constexpr std::array<std::size_t, units_a_part> unit_at = {
    1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};

unsigned byte_at(std::string_view bytes, std::size_t offset) {
    return static_cast<unsigned char>(bytes.at(offset));
}

// Specification, "ChkSum": of the eleven bytes of a short name.
unsigned char sum_of(std::string_view entry) {
    unsigned sum = 0;
    for (std::size_t i = 0; i < 11; ++i) {
        sum = ((sum & 1U) << 7U) + (sum >> 1U) + byte_at(entry, i);
        sum &= 0xFFU;
    }
    return static_cast<unsigned char>(sum);
}

void append_utf8(std::string& text, char32_t character) {
    const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
    if (character < 0x80) return put(character);
    if (character < 0x800) {
        put(0xC0U | character >> 6U);
    } else {
        if (character < 0x10000) {
            put(0xE0U | character >> 12U);
        } else {
            put(0xF0U | character >> 18U);
            put(0x80U | (character >> 12U & 0x3FU));
        }
        put(0x80U | (character >> 6U & 0x3FU));
    }
    put(0x80U | (character & 0x3FU));
}

std::string utf8_of(std::u16string_view units) {
    const auto is_high = [](char16_t unit) { return unit >= 0xD800 && unit < 0xDC00; };
    const auto is_low = [](char16_t unit) { return unit >= 0xDC00 && unit < 0xE000; };
    std::string text;
    for (std::size_t i = 0; i < units.size(); ++i) {
        const char16_t unit = units[i];
        if (is_high(unit) && i + 1 < units.size() && is_low(units[i + 1])) {
            const auto high = static_cast<char32_t>(unit - 0xD800U);
            append_utf8(text, 0x10000U + (high << 10U) + (units[++i] - 0xDC00U));
        } else {
            append_utf8(text, is_high(unit) || is_low(unit) ? replacement : unit);
        }
    }
    return text;
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

bool is_fat_long_name(std::string_view entry) {
    constexpr unsigned attribute_long_name = 0x0F;
    return byte_at(entry, 11) == attribute_long_name;
}

std::string fat_short_name(std::string_view entry) {
    const unsigned lower = byte_at(entry, 12);  // as Windows NT and Linux note it
    const auto part = [&](std::size_t begin, std::size_t count, bool is_lower) {
        std::string text(entry.substr(begin, count));
        text.erase(text.find_last_not_of(' ') + 1);
        for (char& c : text) {
            if (static_cast<unsigned char>(c) > 0x7f) c = '?';
            if (is_lower && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        }
        return text;
    };
    std::string name = part(0, 8, (lower & 0x08U) != 0);
    constexpr char stands_for_e5 = '\x05';
    if (!name.empty() && name.front() == stands_for_e5) name.front() = '?';
    const std::string extension = part(8, 3, (lower & 0x10U) != 0);
    return extension.empty() ? name : name + "." + extension;
}

bool is_fat_name(std::string_view name) {
    if (name.empty() || name == "." || name == "..") return false;
    if (name.find("\xef\xbf\xbd") != std::string_view::npos) return false;  // U+FFFD
    return std::none_of(name.begin(), name.end(), [](char c) {
        return c == '/' || c == '\\' || is_control(c);
    });
}

std::string shown_fat_name(std::string_view name) {
    std::string shown;
    for (const char c : name) {
        shown += is_control(c) ? fmt::format("\\x{:02x}", static_cast<unsigned char>(c))
                               : std::string(1, c);
    }
    return shown;
}

void FatLongName::clear() {
    units_.clear();
    missing_ = 0;
}

void FatLongName::add(std::string_view entry) {
    constexpr unsigned last_part = 0x40;
    const std::size_t part = byte_at(entry, 0) & 0x1FU;
    const auto sum = static_cast<unsigned char>(byte_at(entry, 13));
    if ((byte_at(entry, 0) & last_part) != 0) {
        clear();
        if (part == 0 || part > parts_max) return;
        units_.assign(part * units_a_part, u'\0');
        missing_ = part;
        sum_ = sum;
    }
    if (missing_ == 0 || part != missing_ || sum != sum_) return clear();
    --missing_;
    for (std::size_t i = 0; i < units_a_part; ++i) {
        units_[missing_ * units_a_part + i] = static_cast<char16_t>(
            byte_at(entry, unit_at.at(i)) | byte_at(entry, unit_at.at(i) + 1) << 8U
        );
    }
}

std::optional<std::string> FatLongName::of(std::string_view short_entry) const {
    if (units_.empty() || missing_ != 0 || sum_ != sum_of(short_entry)) return std::nullopt;
    return utf8_of(std::u16string_view(units_).substr(0, units_.find(u'\0')));
}

}  // namespace bramble::image
