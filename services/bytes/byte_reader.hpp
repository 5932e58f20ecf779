// The one cursor that reads bytes from the network; every bound is checked here and nowhere else.
// It refuses to know any protocol.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace bramble {

class ByteReader {
public:
    explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

    std::size_t offset() const { return offset_; }

    std::size_t remaining() const { return bytes_.size() - offset_; }

    bool at_end() const { return remaining() == 0; }

    // Each read gives nothing, and moves nothing, when too few bytes are left.
    std::optional<std::uint8_t> u8() {
        if (remaining() < 1) return std::nullopt;
        return static_cast<std::uint8_t>(bytes_[offset_++]);
    }

    std::optional<std::uint16_t> u16() { return big_endian<std::uint16_t>(); }

    std::optional<std::uint32_t> u32() { return big_endian<std::uint32_t>(); }

    std::optional<std::span<const std::byte>> take(std::size_t count) {
        if (remaining() < count) return std::nullopt;
        const auto taken = bytes_.subspan(offset_, count);
        offset_ += count;
        return taken;
    }

    template <std::size_t N>
    std::optional<std::array<std::uint8_t, N>> octets() {
        const auto taken = take(N);
        if (!taken) return std::nullopt;
        std::array<std::uint8_t, N> out{};
        for (std::size_t i = 0; i < N; ++i) out[i] = static_cast<std::uint8_t>((*taken)[i]);
        return out;
    }

    // All that is left, as text.
    std::string_view rest_as_text() {
        const auto rest = bytes_.subspan(offset_);
        offset_ = bytes_.size();
        return {reinterpret_cast<const char*>(rest.data()), rest.size()};
    }

    // The text up to the next NUL, which is consumed; nothing when there is no NUL left.
    std::optional<std::string_view> nul_terminated() {
        const auto rest = bytes_.subspan(offset_);
        for (std::size_t i = 0; i < rest.size(); ++i) {
            if (rest[i] != std::byte{0}) continue;
            offset_ += i + 1;
            return std::string_view(reinterpret_cast<const char*>(rest.data()), i);
        }
        return std::nullopt;
    }

private:
    template <typename T>
    std::optional<T> big_endian() {
        const auto taken = take(sizeof(T));
        if (!taken) return std::nullopt;
        T value = 0;
        for (const std::byte b : *taken) value = static_cast<T>(value << 8U | static_cast<T>(b));
        return value;
    }

    std::span<const std::byte> bytes_;
    std::size_t offset_ = 0;
};

}  // namespace bramble
