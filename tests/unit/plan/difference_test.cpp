#include "provisioning/plan/difference.hpp"

#include "lab.hpp"

namespace bramble::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Differences : public Lab {
protected:
    Differences() { apply(); }

    std::vector<std::string> of(const std::function<void(layout::Manifest&)>& change) {
        layout::Manifest after = *seen.current;
        change(after);
        return differences(*seen.current, after);
    }
};

TEST_F(Differences, NumberTimeAndFleetTextDoNotCount) {
    EXPECT_THAT(
        of([](layout::Manifest& after) {
            after.generation = 9;
            after.created = "later";
            after.fleet = Digest::of("x");
        }),
        IsEmpty()
    );
}

TEST_F(Differences, EveryFieldOfABoardCounts) {
    EXPECT_THAT(
        of([](auto& m) { m.boards[0].serial.reset(); }), ElementsAre("pi-01: serial changed")
    );
    EXPECT_THAT(of([](auto& m) { m.boards[0].mac.reset(); }), ElementsAre("pi-01: mac changed"));
    EXPECT_THAT(
        of([](auto& m) { m.boards[0].address.reset(); }), ElementsAre("pi-01: address changed")
    );
    EXPECT_THAT(
        of([](auto& m) { m.boards[0].model = BoardModel::pi5; }),
        ElementsAre("pi-01: model changed")
    );
    EXPECT_THAT(
        of([](auto& m) { m.boards[0].tftp_prefixes.clear(); }),
        ElementsAre("pi-01: tftp prefix changed")
    );
    EXPECT_THAT(
        of([](auto& m) { m.boards[0].bootfile = "x"; }), ElementsAre("pi-01: bootfile changed")
    );
    EXPECT_THAT(of([](auto& m) { m.boards[0].root.reset(); }), ElementsAre("pi-01: root changed"));
    EXPECT_THAT(
        of([](auto& m) { m.boards[0].kernel_release = "x"; }),
        ElementsAre("pi-01: kernel release changed")
    );
    EXPECT_THAT(of([](auto& m) { m.boards[0].tree = "x"; }), ElementsAre("pi-01: entry changed"));
}

TEST_F(Differences, TreesAndBoardsComeAndGo) {
    EXPECT_THAT(of([](auto& m) { m.boards.pop_back(); }), ElementsAre("pi-02 is gone"));
    EXPECT_THAT(
        of([](auto& m) { m.boards[0].name = "pi-00"; }),
        ElementsAre("pi-00 is new", "pi-01 is gone")
    );
    EXPECT_THAT(of([](auto& m) { m.trees["new"] = {}; }), ElementsAre("profile new is new"));
    EXPECT_THAT(of([](auto& m) { m.trees.clear(); }), ElementsAre("profile lab is gone"));
    EXPECT_THAT(
        of([](auto& m) { m.trees["lab"].erase("start4.elf"); }),
        ElementsAre("profile lab: start4.elf removed")
    );
}

TEST(Summary, IsShort) {
    EXPECT_EQ(summary({"a", "b"}), "a, b");
    EXPECT_EQ(summary({"a", "b", "c", "d"}), "a, b, c, d");
    EXPECT_EQ(summary({"a", "b", "c", "d", "e", "f"}), "a, b, c, d and 2 more");
}

}  // namespace
}  // namespace bramble::plan
