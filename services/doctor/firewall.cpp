#include "services/doctor/firewall.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <optional>

namespace bramble::doctor {
namespace {

namespace json = boost::json;

constexpr int jumps_max = 16;  // as many as nft itself allows
constexpr std::size_t steps_max = 100'000;

const json::value* find(const json::value& in, std::string_view key) {
    return in.is_object() ? in.as_object().if_contains(key) : nullptr;
}

std::string text_of(const json::value* value) {
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::optional<std::uint16_t> port_of(const json::value& value) {
    if (!value.is_int64()) return std::nullopt;
    const std::int64_t number = value.as_int64();
    if (number < 0 || number > UINT16_MAX) return std::nullopt;
    return static_cast<std::uint16_t>(number);
}

std::optional<Transport> transport_of(std::string_view name) {
    if (name == "udp") return Transport::udp;
    if (name == "tcp") return Transport::tcp;
    return std::nullopt;
}

// A port, a range or a set of them; nothing for named sets and maps.
bool take_ports(const json::value& value, PortIn& into) {
    if (const auto port = port_of(value)) {
        into.ranges.emplace_back(*port, *port);
        return true;
    }
    if (const json::value* range = find(value, "range"); range != nullptr && range->is_array()) {
        const json::array& ends = range->as_array();
        if (ends.size() != 2) return false;
        const auto from = port_of(ends[0]);
        const auto to = port_of(ends[1]);
        if (!from || !to) return false;
        into.ranges.emplace_back(*from, *to);
        return true;
    }
    const json::value* set = find(value, "set");
    if (set == nullptr || !set->is_array()) return false;
    return std::all_of(
        set->as_array().begin(),
        set->as_array().end(),
        [&](const json::value& item) {
            return (item.is_int64() || find(item, "range") != nullptr) && take_ports(item, into);
        }
    );
}

Match read_match(const json::value& match) {
    const json::value* left = find(match, "left");
    const json::value* right = find(match, "right");
    if (left == nullptr || right == nullptr) return UnknownMatch{};
    const bool negated = text_of(find(match, "op")) == "!=";
    if (const json::value* payload = find(*left, "payload")) {
        if (text_of(find(*payload, "field")) != "dport") return UnknownMatch{};
        const std::string protocol = text_of(find(*payload, "protocol"));
        PortIn ports;
        ports.negated = negated;
        if (!take_ports(*right, ports)) return UnknownMatch{};
        const auto transport = transport_of(protocol);
        if (!transport) return UnknownMatch{};  // "th": whatever carries ports
        ports.transport = *transport;
        return ports;
    }
    if (const json::value* meta = find(*left, "meta"); meta != nullptr && right->is_string()) {
        const std::string key = text_of(find(*meta, "key"));
        const std::string wanted = text_of(right);
        if (key == "iifname" || key == "iif") return InterfaceIs{wanted, negated};
        if (key == "l4proto") {
            const auto transport = transport_of(wanted);
            return TransportIs{transport.value_or(Transport::udp), !transport, negated};
        }
    }
    if (const json::value* ct = find(*left, "ct"); ct != nullptr && !negated) {
        const auto is_new = [](const json::value& state) { return text_of(&state) == "new"; };
        const bool takes_new =
            right->is_array()
                ? std::any_of(right->as_array().begin(), right->as_array().end(), is_new)
                : is_new(*right);
        if (text_of(find(*ct, "key")) == "state" && !takes_new) return StateIsKnown{};
    }
    return UnknownMatch{};
}

Rule read_rule(const std::string& prefix, const json::array& expressions) {
    Rule rule;
    for (const json::value& expression : expressions) {
        if (const json::value* match = find(expression, "match")) {
            rule.matches.push_back(read_match(*match));
        } else if (find(expression, "accept") != nullptr) {
            rule.verdict = Accept{};
        } else if (find(expression, "drop") != nullptr || find(expression, "reject") != nullptr) {
            rule.verdict = Drop{};
        } else if (find(expression, "return") != nullptr) {
            rule.verdict = Return{};
        } else if (const json::value* jump = find(expression, "jump")) {
            rule.verdict = JumpTo{prefix + text_of(find(*jump, "target")), true};
        } else if (const json::value* to = find(expression, "goto")) {
            rule.verdict = JumpTo{prefix + text_of(find(*to, "target")), false};
        } else if (find(expression, "counter") == nullptr && find(expression, "log") == nullptr) {
            rule.matches.emplace_back(UnknownMatch{});  // limits, lookups in maps, xt matches
        }
    }
    return rule;
}

// One packet on its way through the chains.
class Walk {
public:
    Walk(
        const Ruleset& ruleset,
        const std::string& interface,
        Transport transport,
        std::uint16_t port
    )
        : ruleset_(ruleset), interface_(interface), transport_(transport), port_(port) {}

    Passage through(const Chain& chain) {
        maybe_dropped_ = false;
        const End end = run(chain, 0);
        if (end == End::accepted) return maybe_dropped_ ? Passage::unsure : Passage::open;
        if (end == End::dropped) return maybe_accepted_ ? Passage::unsure : Passage::blocked;
        if (chain.drops_by_default) return maybe_accepted_ ? Passage::unsure : Passage::blocked;
        return maybe_dropped_ ? Passage::unsure : Passage::open;
    }

private:
    enum class End { accepted, dropped, fell_through };
    enum class Truth { no, maybe, yes };

    static Truth truth(bool value, bool negated) {
        return value != negated ? Truth::yes : Truth::no;
    }

    Truth answer(const Match& match) const {
        if (const auto* ports = std::get_if<PortIn>(&match)) {
            if (ports->transport != transport_) return Truth::no;
            const bool in =
                std::any_of(ports->ranges.begin(), ports->ranges.end(), [&](const auto& r) {
                    return r.first <= port_ && port_ <= r.second;
                });
            return truth(in, ports->negated);
        }
        if (const auto* interface = std::get_if<InterfaceIs>(&match)) {
            std::string_view name = interface->name;
            const bool open_end = name.ends_with('*');
            if (open_end) name.remove_suffix(1);
            const bool same = open_end ? interface_.starts_with(name) : interface_ == name;
            return truth(same, interface->negated);
        }
        if (const auto* protocol = std::get_if<TransportIs>(&match)) {
            return truth(
                !protocol->neither && protocol->transport == transport_, protocol->negated
            );
        }
        return std::holds_alternative<StateIsKnown>(match) ? Truth::no : Truth::maybe;
    }

    Truth answer(const Rule& rule) const {
        Truth all = Truth::yes;
        for (const Match& match : rule.matches) all = std::min(all, answer(match));
        return all;
    }

    End run(const Chain& chain, int depth) {
        for (const Rule& rule : chain.rules) {
            if (++steps_ > steps_max) break;
            const Truth matches = answer(rule);
            if (matches == Truth::no) continue;
            const bool sure = matches == Truth::yes;
            if (std::holds_alternative<Accept>(rule.verdict)) {
                if (sure) return End::accepted;
                maybe_accepted_ = true;
            } else if (std::holds_alternative<Drop>(rule.verdict)) {
                if (sure) return End::dropped;
                maybe_dropped_ = true;
            } else if (std::holds_alternative<Return>(rule.verdict)) {
                if (sure) return End::fell_through;
            } else if (const auto* jump = std::get_if<JumpTo>(&rule.verdict)) {
                const End end = follow(*jump, depth);
                if (sure && (end != End::fell_through || !jump->comes_back)) return end;
                if (!sure && end == End::accepted) maybe_accepted_ = true;
                if (!sure && end == End::dropped) maybe_dropped_ = true;
            }
        }
        return End::fell_through;
    }

    End follow(const JumpTo& jump, int depth) {
        const auto found = ruleset_.chains.find(jump.chain);
        if (found == ruleset_.chains.end() || depth >= jumps_max) return End::fell_through;
        return run(found->second, depth + 1);
    }

    const Ruleset& ruleset_;
    const std::string& interface_;
    Transport transport_;
    std::uint16_t port_;
    std::size_t steps_ = 0;
    bool maybe_accepted_ = false;
    bool maybe_dropped_ = false;
};

}  // namespace

Result<Ruleset> parse_ruleset(std::string_view text) {
    if (text.size() > ruleset_bytes_max) return fail("the firewall's rules are too long to read");
    boost::system::error_code error;
    const json::value document = json::parse(text, error);
    const json::value* items = error ? nullptr : find(document, "nftables");
    if (items == nullptr || !items->is_array()) {
        return fail("`nft -j list ruleset` printed something that is not its JSON");
    }
    Ruleset ruleset;
    for (const json::value& item : items->as_array()) {
        const json::value* chain = find(item, "chain");
        const json::value* rule = find(item, "rule");
        const json::value* of = chain != nullptr ? chain : rule;
        if (of == nullptr) continue;
        const std::string family = text_of(find(*of, "family"));
        if (family != "inet" && family != "ip") continue;
        const std::string prefix = family + " " + text_of(find(*of, "table")) + " ";
        if (chain != nullptr) {
            Chain& into = ruleset.chains[prefix + text_of(find(*chain, "name"))];
            into.is_input = text_of(find(*chain, "hook")) == "input";
            into.drops_by_default = text_of(find(*chain, "policy")) == "drop";
        } else if (const json::value* expressions = find(*rule, "expr");
                   expressions != nullptr && expressions->is_array()) {
            ruleset.chains[prefix + text_of(find(*rule, "chain"))].rules.push_back(
                read_rule(prefix, expressions->as_array())
            );
        }
    }
    return ruleset;
}

// Every base chain of the hook sees the packet; the strictest of them decides.
Passage passage(
    const Ruleset& ruleset, const std::string& interface, Transport transport, std::uint16_t port
) {
    Passage worst = Passage::open;
    for (const auto& [name, chain] : ruleset.chains) {
        if (!chain.is_input) continue;
        worst = std::max(worst, Walk(ruleset, interface, transport, port).through(chain));
    }
    return worst;
}

}  // namespace bramble::doctor
