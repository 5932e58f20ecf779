#include "services/bramble/event_text.hpp"

#include <gtest/gtest.h>

namespace bramble::program {
namespace {

ServerEvent story(const std::string& weight, const std::string& text) {
    return {
        "story",
        R"({"at":"2027-01-15T08:00:01Z","board":"pi-03","phase":"firmware","weight":")" + weight +
            R"(","text":")" + text + R"("})"};
}

TEST(EventText, AStoryIsAClockABoardAPhaseAndWhatHappened) {
    EXPECT_EQ(
        event_line(story("major", "start4.elf 2.3 MB in 0.9 s"), {}),
        "08:00:01  pi-03       firmware   start4.elf 2.3 MB in 0.9 s"
    );
    EXPECT_EQ(
        event_line(story("alarm", "silent for 90 s"), {}),
        "08:00:01  pi-03       firmware   ! silent for 90 s"
    );
}

TEST(EventText, SmallFilesAreForThoseWhoAsk) {
    const ServerEvent small = story("minor", "fixup4.dat 5 kB");
    EXPECT_EQ(event_line(small, {}), std::nullopt);
    EXPECT_EQ(event_json_line(small, {}), std::nullopt);
    EXPECT_NE(event_line(small, {"", true}), std::nullopt);
}

TEST(EventText, OneBoardIsThatBoardAlone) {
    const ServerEvent reload{
        "reload", R"({"at":"2027-01-15T08:00:01Z","generation":7,"boards":2,"error":null})"};
    EXPECT_EQ(event_line(story("major", "x"), {"pi-04", true}), std::nullopt);
    EXPECT_NE(event_line(story("major", "x"), {"pi-03", false}), std::nullopt);
    EXPECT_EQ(event_line(reload, {"pi-03", true}), std::nullopt);
    EXPECT_EQ(
        event_line(reload, {}), "08:00:01  *           reload     serving generation 7, 2 boards"
    );
}

TEST(EventText, FailedReloadsAndNoticesAreSaid) {
    EXPECT_EQ(
        event_line({"reload", R"({"at":"2027-01-15T08:00:01Z","error":"f.yaml:3:1: no"})"}, {}),
        "08:00:01  *           reload     THE RELOAD FAILED, everything is served as before: "
        "f.yaml:3:1: no"
    );
    EXPECT_EQ(
        event_line({"notice", R"({"at":"2027-01-15T08:00:01Z","text":"another server"})"}, {}),
        "08:00:01  *           notice     another server"
    );
}

TEST(EventText, WhatIsUnknownOrBrokenIsLeftOut) {
    EXPECT_EQ(event_line({"story", "no JSON"}, {}), std::nullopt);
    EXPECT_EQ(event_line({"later", "{}"}, {}), std::nullopt);
}

TEST(EventText, JsonNamesTheEvent) {
    EXPECT_EQ(
        event_json_line({"notice", R"({"at":"x","text":"y"})"}, {}),
        R"({"event":"notice","at":"x","text":"y"})"
    );
}

}  // namespace
}  // namespace bramble::program
