#include "services/web/event_json.hpp"

#include <gtest/gtest.h>

namespace bramble::web {
namespace {

const TimePoint at{std::chrono::seconds(1'800'000'000)};

TEST(EventJson, AStoryIsOneLineOfPlainText) {
    boards::StoryLine line{at, "pi-01", "firmware", "st\"art\n4.elf\xff", boards::Weight::major};
    EXPECT_EQ(
        story_event_json(line),
        R"({"at":"2027-01-15T08:00:00Z","board":"pi-01","phase":"firmware","weight":"major",)"
        R"("text":"st\"art?4.elf?"})"
    );
    line.weight = boards::Weight::alarm;
    EXPECT_NE(story_event_json(line).find(R"("weight":"alarm")"), std::string::npos);
    line.weight = boards::Weight::minor;
    EXPECT_NE(story_event_json(line).find(R"("weight":"minor")"), std::string::npos);
}

TEST(EventJson, AReloadSaysWhatIsServedAndWhetherItFailed) {
    EXPECT_EQ(
        reload_event_json(at, 7, 2, ""),
        R"({"at":"2027-01-15T08:00:00Z","generation":7,"boards":2,"error":null})"
    );
    EXPECT_EQ(
        reload_event_json(at, 7, 2, "fleet.yaml:3:1: no"),
        R"({"at":"2027-01-15T08:00:00Z","generation":7,"boards":2,"error":"fleet.yaml:3:1: no"})"
    );
}

TEST(EventJson, ANoticeIsAText) {
    EXPECT_EQ(
        notice_event_json(at, "another DHCP server"),
        R"({"at":"2027-01-15T08:00:00Z","text":"another DHCP server"})"
    );
}

}  // namespace
}  // namespace bramble::web
