#include "services/doctor/firewall.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace bramble::doctor {
namespace {

std::string rule(const std::string& expressions, const std::string& chain = "in") {
    return fmt::format(
        R"({{"rule":{{"family":"inet","table":"t","chain":"{}","handle":1,"expr":[{}]}}}})",
        chain,
        expressions
    );
}

const std::string udp_67_69 =
    R"({"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":{"set":[67,{"range":[69,70]}]}}})";
const std::string on_eth1 =
    R"({"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"eth1"}})";
const std::string established =
    R"({"match":{"op":"in","left":{"ct":{"key":"state"}},"right":["established","related"]}})";
const std::string from_ten =
    R"({"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"saddr"}},"right":{"prefix":{"addr":"10.0.0.0","len":8}}}})";
const std::string accept = R"({"accept":null})";
const std::string drop = R"({"drop":null})";
const std::string counter = R"({"counter":{"packets":0,"bytes":0}})";

// An input chain with that policy, then `rules`.
Ruleset ruleset(const std::string& policy, const std::vector<std::string>& rules) {
    std::string text =
        R"({"nftables":[{"metainfo":{"version":"1.0.6"}},{"table":{"family":"inet","name":"t"}},)";
    text += fmt::format(
        R"({{"chain":{{"family":"inet","table":"t","name":"in","type":"filter","hook":"input","prio":0,"policy":"{}"}}}},)",
        policy
    );
    text += R"({"chain":{"family":"inet","table":"t","name":"lab"}})";
    for (const std::string& each : rules) text += "," + each;
    const auto parsed = parse_ruleset(text + "]}");
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed.value_or(Ruleset{});
}

Passage udp(const Ruleset& rules, std::uint16_t port, const std::string& interface = "eth1") {
    return passage(rules, interface, Transport::udp, port);
}

TEST(Firewall, NoRulesAreOpen) {
    EXPECT_EQ(udp({}, 67), Passage::open);
    EXPECT_EQ(udp(ruleset("accept", {}), 67), Passage::open);
    EXPECT_EQ(udp(ruleset("drop", {}), 67), Passage::blocked);
}

TEST(Firewall, SetsRangesAndInterfaces) {
    const Ruleset rules =
        ruleset("drop", {rule(on_eth1 + "," + udp_67_69 + "," + counter + "," + accept)});
    EXPECT_EQ(udp(rules, 67), Passage::open);
    EXPECT_EQ(udp(rules, 70), Passage::open);
    EXPECT_EQ(udp(rules, 68), Passage::blocked);
    EXPECT_EQ(udp(rules, 67, "eth0"), Passage::blocked);
    EXPECT_EQ(passage(rules, "eth1", Transport::tcp, 67), Passage::blocked);
}

TEST(Firewall, TheFirstVerdictCounts) {
    EXPECT_EQ(
        udp(ruleset("accept", {rule(udp_67_69 + "," + accept), rule(drop)}), 67), Passage::open
    );
    EXPECT_EQ(
        udp(ruleset("accept", {rule(udp_67_69 + "," + drop), rule(accept)}), 67), Passage::blocked
    );
}

TEST(Firewall, ABoardsFirstDatagramIsOfNoKnownConnection) {
    EXPECT_EQ(udp(ruleset("drop", {rule(established + "," + accept)}), 67), Passage::blocked);
}

TEST(Firewall, WhatIsNotReadMayOrMayNotMatch) {
    EXPECT_EQ(udp(ruleset("accept", {rule(from_ten + "," + drop)}), 67), Passage::unsure);
    EXPECT_EQ(udp(ruleset("drop", {rule(from_ten + "," + accept)}), 67), Passage::unsure);
    const std::string limited = R"({"limit":{"rate":1,"per":"second"}})";
    EXPECT_EQ(udp(ruleset("drop", {rule(limited + "," + accept)}), 67), Passage::unsure);
}

TEST(Firewall, ChainsThatAreJumpedTo) {
    const std::string jump = R"({"jump":{"target":"lab"}})";
    const std::string go = R"({"goto":{"target":"lab"}})";
    const std::string back = R"({"return":null})";
    EXPECT_EQ(
        udp(ruleset("drop", {rule(jump), rule(udp_67_69 + "," + accept, "lab")}), 67), Passage::open
    );
    EXPECT_EQ(
        udp(ruleset("accept", {rule(on_eth1 + "," + jump), rule(drop, "lab")}), 67),
        Passage::blocked
    );
    EXPECT_EQ(
        udp(ruleset("drop", {rule(jump), rule(accept), rule(back, "lab"), rule(drop, "lab")}), 67),
        Passage::open
    );
    EXPECT_EQ(udp(ruleset("drop", {rule(go), rule(accept)}), 67), Passage::blocked);
}

TEST(Firewall, ARingOfJumpsEnds) {
    const std::string to_lab = R"({"jump":{"target":"lab"}})";
    EXPECT_EQ(udp(ruleset("drop", {rule(to_lab), rule(to_lab, "lab")}), 67), Passage::blocked);
    std::vector<std::string> many(64, rule(to_lab, "lab"));
    many.push_back(rule(to_lab));
    EXPECT_EQ(udp(ruleset("drop", many), 67), Passage::blocked);
}

TEST(Firewall, OtherTextIsRefused) {
    for (const char* text : {"", "{", "[]", R"({"nftables":3})", "nft: Operation not permitted"}) {
        EXPECT_FALSE(parse_ruleset(text)) << text;
    }
    EXPECT_TRUE(parse_ruleset(
        R"({"nftables":[1,{"rule":7},{"chain":{}},{"rule":{"family":"inet","expr":[{"match":3}]}}]})"
    ));
}

}  // namespace
}  // namespace bramble::doctor
