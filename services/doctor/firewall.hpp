// The machine's packet filter (`nft -j list ruleset`) read as far as it takes to say whether a
// datagram from a board would get in. It refuses to change a rule and to know which ports matter.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/types/result.hpp"
#include "services/doctor/socket_table.hpp"

namespace bramble::doctor {

// What one expression of a rule asks of a packet. `unknown` is anything that is not read here: it
// may or may not match.
struct PortIn {
    Transport transport = Transport::udp;
    std::vector<std::pair<std::uint16_t, std::uint16_t>> ranges;  // both ends belong to it
    bool negated = false;
};

struct InterfaceIs {
    std::string name;  // a "*" at its end stands for anything
    bool negated = false;
};

struct TransportIs {
    Transport transport = Transport::udp;
    bool neither = false;  // another protocol, such as icmp
    bool negated = false;
};

struct StateIsKnown {};  // ct state established: never true of the first datagram of a board

struct UnknownMatch {};

using Match = std::variant<PortIn, InterfaceIs, TransportIs, StateIsKnown, UnknownMatch>;

struct Accept {};

struct Drop {};  // reject too

struct JumpTo {
    std::string chain;
    bool comes_back = true;  // goto does not
};

struct Return {};

struct NoVerdict {};  // counts, logs, marks

using Verdict = std::variant<NoVerdict, Accept, Drop, JumpTo, Return>;

struct Rule {
    std::vector<Match> matches;
    Verdict verdict;
};

struct Chain {
    bool is_input = false;  // a base chain that sees what comes in for this machine
    bool drops_by_default = false;
    std::vector<Rule> rules;
};

// By "family table chain".
struct Ruleset {
    std::map<std::string, Chain> chains;
};

inline constexpr std::size_t ruleset_bytes_max = 16U << 20U;

// Families ip and inet and the hook "input" count. Errors: not the JSON that nft prints.
[[nodiscard]] Result<Ruleset> parse_ruleset(std::string_view json);

enum class Passage { open, unsure, blocked };

// What becomes of the first datagram to `port` that comes in by `interface`. `unsure`: a rule that
// may match drops it, or only one that may match lets it in.
Passage passage(
    const Ruleset& ruleset, const std::string& interface, Transport transport, std::uint16_t port
);

}  // namespace bramble::doctor
