#include "services/bramble/event_reader.hpp"

#include <gtest/gtest.h>

namespace bramble::program {
namespace {

constexpr std::string_view text =
    ": listening\n\nevent: story\ndata: {\"a\":1}\n\ndata:x\r\ndata: y\r\n\r\nevent: empty\n\n";
const std::vector<ServerEvent> events = {{"story", "{\"a\":1}"}, {"message", "x\ny"}};

TEST(EventReader, ReadsEventsAndLeavesCommentsOut) {
    EXPECT_EQ(EventReader().feed(text), events);
}

TEST(EventReader, WhereThePiecesEndDoesNotMatter) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        EventReader reader;
        std::vector<ServerEvent> read = reader.feed(text.substr(0, cut));
        for (ServerEvent& event : reader.feed(text.substr(cut))) read.push_back(std::move(event));
        EXPECT_EQ(read, events) << cut;
    }
}

TEST(EventReader, HoldsNoMoreThanItsBound) {
    EventReader reader;
    const std::string line = "data: " + std::string(EventReader::bytes_max, 'x') + "\n";
    EXPECT_TRUE(reader.feed(line + line + line).empty());
    const auto read = reader.feed("\n");
    ASSERT_EQ(read.size(), 1U);
    EXPECT_LE(read[0].data.size(), EventReader::bytes_max + 2);
}

TEST(EventReader, AnEventThatHasNotEndedIsNone) {
    EXPECT_TRUE(EventReader().feed("event: story\ndata: {}\n").empty());
}

}  // namespace
}  // namespace bramble::program
