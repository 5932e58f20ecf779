// What an operator may change through the page, as values and as one line of JSON between serve and
// whoever has the rights. It refuses to change anything, and to know whether it would be sound.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "config/types/result.hpp"

namespace bramble::web {

// As they were typed: whoever carries it out says what is wrong with them.
struct Adopt {
    std::string serial;
    std::string name;
    std::string profile;
    std::string mac;      // empty: none
    std::string address;  // empty: one of the pool

    friend bool operator==(const Adopt&, const Adopt&) = default;
};

struct Forget {
    std::string name;

    friend bool operator==(const Forget&, const Forget&) = default;
};

struct RollBack {
    std::uint64_t generation = 0;

    friend bool operator==(const RollBack&, const RollBack&) = default;
};

using Operation = std::variant<Adopt, Forget, RollBack>;

inline constexpr std::size_t operation_bytes_max = 4096;  // of a body, and of a line

// "adopt 5b154510 as pi-07 with profile lab", for a log: without the token, in printable ASCII.
std::string describe(const Operation& operation);

// The bodies of the API. Errors: not JSON, a key that is missing, unknown or no text.
[[nodiscard]] Result<Adopt> parse_adopt(std::string_view body);
[[nodiscard]] Result<RollBack> parse_roll_back(std::string_view body);

// Between serve and the operator's helper.
struct Asked {
    std::string token;
    std::string peer;  // who asked, for the log
    Operation operation;

    friend bool operator==(const Asked&, const Asked&) = default;
};

std::string to_line(const Asked& asked);
[[nodiscard]] Result<Asked> parse_asked(std::string_view line);

// What came of it: 200, 401 (token), 409 (the answer is no), 400 (an argument is none), 500.
struct Outcome {
    unsigned status = 500;
    std::string message;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::string to_line(const Outcome& outcome);
[[nodiscard]] Result<Outcome> parse_outcome(std::string_view line);

// Takes as long for a wrong token as for the right one; an empty `expected` is nobody's.
bool is_token(std::string_view given, std::string_view expected);

}  // namespace bramble::web
