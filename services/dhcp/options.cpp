#include "services/dhcp/options.hpp"

#include <algorithm>
#include <array>

#include "services/bytes/byte_reader.hpp"

namespace bramble::dhcp {
namespace {

template <typename Items>
auto position(Items& items, OptionCode code) {
    return std::find_if(items.begin(), items.end(), [code](const Option& option) {
        return option.code == code;
    });
}

std::array<std::byte, 4> wire_bytes(Ipv4Address address) {
    std::array<std::byte, 4> out{};
    const auto octets = address.octets();
    std::transform(octets.begin(), octets.end(), out.begin(), [](std::uint8_t octet) {
        return std::byte{octet};
    });
    return out;
}

}  // namespace

std::optional<std::span<const std::byte>> Options::find(OptionCode code) const {
    const auto found = position(items_, code);
    if (found == items_.end()) return std::nullopt;
    return std::span<const std::byte>(found->value);
}

std::optional<std::uint8_t> Options::u8(OptionCode code) const {
    const auto value = find(code);
    if (!value || value->size() != 1) return std::nullopt;
    return ByteReader(*value).u8();
}

std::optional<std::uint16_t> Options::u16(OptionCode code) const {
    const auto value = find(code);
    if (!value || value->size() != 2) return std::nullopt;
    return ByteReader(*value).u16();
}

std::optional<std::uint32_t> Options::u32(OptionCode code) const {
    const auto value = find(code);
    if (!value || value->size() != 4) return std::nullopt;
    return ByteReader(*value).u32();
}

std::optional<Ipv4Address> Options::address(OptionCode code) const {
    const auto value = u32(code);
    if (!value) return std::nullopt;
    return Ipv4Address(*value);
}

std::string_view Options::text(OptionCode code) const {
    const auto value = find(code);
    if (!value) return {};
    std::string_view text(reinterpret_cast<const char*>(value->data()), value->size());
    while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
    return text;
}

void Options::set(OptionCode code, std::span<const std::byte> value) {
    const auto found = position(items_, code);
    if (found == items_.end()) {
        items_.push_back({code, {value.begin(), value.end()}});
    } else {
        found->value.assign(value.begin(), value.end());
    }
}

void Options::set_u8(OptionCode code, std::uint8_t value) {
    const std::array bytes = {std::byte{value}};
    set(code, bytes);
}

void Options::set_u16(OptionCode code, std::uint16_t value) {
    const std::array bytes = {static_cast<std::byte>(value >> 8U), static_cast<std::byte>(value)};
    set(code, bytes);
}

void Options::set_u32(OptionCode code, std::uint32_t value) {
    set(code, wire_bytes(Ipv4Address(value)));
}

void Options::set_address(OptionCode code, Ipv4Address value) {
    set(code, wire_bytes(value));
}

void Options::set_addresses(OptionCode code, std::span<const Ipv4Address> values) {
    std::vector<std::byte> bytes;
    bytes.reserve(values.size() * 4);
    for (const Ipv4Address value : values) {
        const auto octets = wire_bytes(value);
        bytes.insert(bytes.end(), octets.begin(), octets.end());
    }
    set(code, bytes);
}

void Options::set_text(OptionCode code, std::string_view value) {
    set(code, std::as_bytes(std::span(value)));
}

void Options::append(OptionCode code, std::span<const std::byte> part) {
    const auto found = position(items_, code);
    if (found == items_.end()) {
        items_.push_back({code, {part.begin(), part.end()}});
    } else {
        found->value.insert(found->value.end(), part.begin(), part.end());
    }
}

void Options::remove(OptionCode code) {
    const auto found = position(items_, code);
    if (found != items_.end()) items_.erase(found);
}

std::size_t Options::wire_size() const {
    std::size_t size = 0;
    for (const Option& option : items_) size += option_wire_size(option.value.size());
    return size;
}

}  // namespace bramble::dhcp
