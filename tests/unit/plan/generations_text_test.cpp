// The list of generations as people and scripts read it.
#include "provisioning/plan/generations_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace bramble::plan {
namespace {

using testing::HasSubstr;

TEST(Ranges, AreForASentence) {
    EXPECT_EQ(ranges({}), "none");
    EXPECT_EQ(ranges({3}), "3");
    EXPECT_EQ(ranges({3, 4}), "3, 4");
    EXPECT_EQ(ranges({3, 5, 6, 7, 9}), "3, 5 to 7, 9");
}

GenerationList two() {
    GenerationList list;
    GenerationLine first;
    first.number = 6;
    first.created = "2026-11-27T00:12:01Z";
    first.boards = 2;
    first.use.running = {"pi-02"};
    GenerationLine second = first;
    second.number = 8;
    second.current = true;
    second.before = 6;
    second.changes = {"pi-01: config.txt changed"};
    second.use = {{"pi-01"}, {}, true};
    list.lines = {first, second};
    return list;
}

TEST(GenerationList, IsATable) {
    EXPECT_EQ(
        render(two()),
        "  number  published, UTC    boards  in use                        changed\n"
        "       6  2026-11-27 00:12       2  1 board up                    the first one that is "
        "kept\n"
        "*      8  2026-11-27 00:12       2  served, 1 boot                pi-01: config.txt "
        "changed\n"
        "* is current: boards that begin to boot now get it\n"
    );
    EXPECT_EQ(render({}), "no generation yet: `bramble apply` publishes the first one\n");
}

TEST(GenerationList, SaysWhatCannotBeReadOrKnown) {
    GenerationList list = two();
    list.lines[0].problem = "not JSON";
    list.use_unknown = "state.db: permission denied";
    EXPECT_THAT(render(list), HasSubstr("     6  cannot be read: not JSON\n"));
    EXPECT_THAT(
        render(list), HasSubstr("who uses them is not known: state.db: permission denied\n")
    );
    const auto json = boost::json::parse(render_json(list)).as_object();
    const auto& lines = json.at("generations").as_array();
    EXPECT_EQ(lines[0].at("problem").as_string(), "not JSON");
    EXPECT_FALSE(lines[1].as_object().contains("running"));
}

TEST(GenerationList, ScriptsGetNames) {
    const auto json = boost::json::parse(render_json(two())).as_object();
    const auto& lines = json.at("generations").as_array();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_TRUE(lines[0].at("before").is_null());
    EXPECT_EQ(lines[0].at("running").as_array()[0].as_string(), "pi-02");
    EXPECT_EQ(lines[1].at("generation").to_number<int>(), 8);
    EXPECT_EQ(lines[1].at("current").as_bool(), true);
    EXPECT_EQ(lines[1].at("booting").as_array()[0].as_string(), "pi-01");
    EXPECT_EQ(lines[1].at("changes").as_array().size(), 1U);
}

}  // namespace
}  // namespace bramble::plan
