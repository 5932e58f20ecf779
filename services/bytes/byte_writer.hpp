// The one cursor that writes bytes for the network, into a buffer that its caller owns; what does
// not fit is refused. It refuses to know any protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace bramble {

class ByteWriter {
public:
    explicit ByteWriter(std::span<std::byte> buffer) : buffer_(buffer) {}

    std::size_t size() const { return size_; }

    std::size_t room() const { return buffer_.size() - size_; }

    bool overflowed() const {
        return overflowed_;
    }  // something did not fit; written() then ends before it

    std::span<const std::byte> written() const { return buffer_.first(size_); }

    void u8(std::uint8_t value) {
        if (std::byte* at = claim(1)) *at = std::byte{value};
    }

    void u16(std::uint16_t value) {
        if (std::byte* at = claim(2)) {
            at[0] = static_cast<std::byte>(value >> 8U);
            at[1] = static_cast<std::byte>(value);
        }
    }

    void u32(std::uint32_t value) {
        if (std::byte* at = claim(4)) {
            for (unsigned i = 0; i < 4; ++i)
                at[i] = static_cast<std::byte>(value >> (24U - 8U * i));
        }
    }

    void bytes(std::span<const std::byte> data) {
        if (data.empty()) return;
        if (std::byte* at = claim(data.size())) std::memcpy(at, data.data(), data.size());
    }

    void octets(std::span<const std::uint8_t> data) { bytes(std::as_bytes(data)); }

    void text(std::string_view data) { bytes(std::as_bytes(std::span(data))); }

    void zeros(std::size_t count) {
        if (count == 0) return;
        if (std::byte* at = claim(count)) std::memset(at, 0, count);
    }

private:
    std::byte* claim(std::size_t count) {
        if (overflowed_ || room() < count) {
            overflowed_ = true;
            return nullptr;
        }
        std::byte* at = buffer_.data() + size_;
        size_ += count;
        return at;
    }

    std::span<std::byte> buffer_;
    std::size_t size_ = 0;
    bool overflowed_ = false;
};

}  // namespace bramble
