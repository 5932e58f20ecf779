// A value or the reason why there is none. This is the one place that knows it is tl::expected, so
// that std::expected can replace it; it refuses to know what any error means.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace bramble {

// A failure in words for a person: what is wrong and, wherever there is one, what to do about it.
struct Error {
    std::string message;

    friend bool operator==(const Error&, const Error&) = default;
};

template <typename T, typename E = Error>
using Result = tl::expected<T, E>;

[[nodiscard]] inline tl::unexpected<Error> fail(std::string message) {
    return tl::unexpected<Error>(Error{std::move(message)});
}

}  // namespace bramble
