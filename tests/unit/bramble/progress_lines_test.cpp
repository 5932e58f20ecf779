// What a terminal shows while an apply runs.
#include "services/bramble/progress_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bramble::program {
namespace {

using apply::Event;
using apply::EventKind;
using testing::ElementsAre;
using namespace std::chrono_literals;

const TimePoint start{};

TEST(ProgressLines, ALineForEachStepUnderWay) {
    ProgressLines shown;
    EXPECT_THAT(shown.lines(start, 80), ElementsAre());
    EXPECT_EQ(
        shown.on_event({EventKind::started, 1, 3, "ingest image lite", "new", {}}, start), ""
    );
    (void)shown.on_event({EventKind::started, 2, 3, "build kernel k", "new", {}}, start + 5s);
    (void)shown.on_event({EventKind::progress, 2, 3, "", "120 of 900 files", {}}, start + 6s);
    (void)shown.on_event({EventKind::progress, 2, 3, "", "4 s so far", {}}, start + 9s);
    EXPECT_THAT(
        shown.lines(start + 12s, 80),
        ElementsAre(
            "[1/3] ingest image lite  12.0 s  new",
            "[2/3] build kernel k  7.0 s  120 of 900 files",
            "0 of 3 steps done, 2 under way"
        )
    );
    EXPECT_EQ(
        shown.on_event({EventKind::finished, 1, 3, "ingest image lite", "", 13s}, start + 13s),
        "[1/3] ingest image lite done in 13.0 s\n"
    );
    EXPECT_EQ(
        shown.on_event({EventKind::failed, 2, 3, "build kernel k", "no gcc", 1ms}, start + 13s),
        "[2/3] build kernel k failed: no gcc\n"
    );
    EXPECT_THAT(shown.lines(start + 13s, 80), ElementsAre("2 of 3 steps done, 0 under way"));
}

TEST(ProgressLines, WhatTakesABlinkIsCountedOnly) {
    ProgressLines shown;
    (void)shown.on_event({EventKind::started, 1, 1, "copy root pi-01", "it has none", {}}, start);
    EXPECT_EQ(shown.on_event({EventKind::finished, 1, 1, "copy root pi-01", "", 12ms}, start), "");
    EXPECT_EQ(
        shown.on_event({EventKind::warning, 0, 1, "", "no firmware", {}}, start),
        "warning: no firmware\n"
    );
}

TEST(ProgressLines, ATerminalIsNeverWrittenOver) {
    ProgressLines shown;
    (void)shown.on_event({EventKind::started, 1, 1, "größe", "\x1b[2J evil", {}}, start);
    EXPECT_EQ(shown.lines(start, 11)[0], "[1/1] größe");
    EXPECT_EQ(shown.lines(start, 80)[0], "[1/1] größe  0 ms  ?[2J evil");
}

}  // namespace
}  // namespace bramble::program
