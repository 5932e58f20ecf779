// SHA-256 as a value and as a running sum. The only user of OpenSSL's digests; it refuses to know
// what is hashed.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "config/types/result.hpp"

namespace bramble {

class Digest {
public:
    static constexpr std::size_t size = 32;

    constexpr Digest() = default;

    explicit constexpr Digest(std::array<std::uint8_t, size> octets) : octets_(octets) {}

    // 64 hex digits. Errors: anything else.
    [[nodiscard]] static Result<Digest> parse(std::string_view text);

    static Digest of(std::span<const std::byte> bytes);
    static Digest of(std::string_view text);

    constexpr const std::array<std::uint8_t, size>& octets() const { return octets_; }

    std::string to_string() const;  // 64 lower-case hex digits

    friend constexpr auto operator<=>(const Digest&, const Digest&) = default;

private:
    std::array<std::uint8_t, size> octets_{};
};

class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(std::span<const std::byte> bytes);
    void update(std::string_view text);
    Digest finish();  // once; the sum is spent afterwards

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

}  // namespace bramble

template <>
struct std::hash<bramble::Digest> {
    std::size_t operator()(const bramble::Digest& digest) const noexcept {
        std::size_t word = 0;
        for (std::size_t i = 0; i < sizeof word; ++i) word = word << 8U | digest.octets()[i];
        return word;
    }
};
