#include "config/types/digest.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <cassert>

#include "config/types/text.hpp"

namespace bramble {

Result<Digest> Digest::parse(std::string_view text) {
    std::array<std::uint8_t, size> octets{};
    bool valid = text.size() == 2 * size;
    for (std::size_t i = 0; valid && i < size; ++i) {
        const int high = hex_value(text[2 * i]);
        const int low = hex_value(text[2 * i + 1]);
        valid = high >= 0 && low >= 0;
        octets[i] = static_cast<std::uint8_t>((high & 0xf) << 4 | (low & 0xf));
    }
    if (!valid) return fail(fmt::format("'{}' is not a SHA-256 digest (64 hex digits)", text));
    return Digest(octets);
}

Digest Digest::of(std::span<const std::byte> bytes) {
    Sha256 sum;
    sum.update(bytes);
    return sum.finish();
}

Digest Digest::of(std::string_view text) {
    return of(std::as_bytes(std::span(text)));
}

std::string Digest::to_string() const {
    return fmt::format("{:02x}", fmt::join(octets_, ""));
}

struct Sha256::Context {
    EVP_MD_CTX* evp = EVP_MD_CTX_new();

    Context() = default;
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
    const int ok = EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr);
    assert(ok == 1);
    static_cast<void>(ok);
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
    EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size());
}

void Sha256::update(std::string_view text) {
    update(std::as_bytes(std::span(text)));
}

Digest Sha256::finish() {
    std::array<std::uint8_t, Digest::size> octets{};
    EVP_DigestFinal_ex(context_->evp, octets.data(), nullptr);
    context_.reset();
    return Digest(octets);
}

}  // namespace bramble
