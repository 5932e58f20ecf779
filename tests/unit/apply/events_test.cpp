#include <gtest/gtest.h>

#include "provisioning/apply/apply.hpp"

namespace bramble::apply {
namespace {

using namespace std::chrono_literals;

TEST(RenderEvent, LinesForATerminal) {
    EXPECT_EQ(
        render({EventKind::started, 2, 7, "copy root pi-03", "its base changed", {}}),
        "[2/7] copy root pi-03: its base changed"
    );
    EXPECT_EQ(
        render({EventKind::progress, 1, 7, "ingest image lite", "unpacked 512 MB", {}}),
        "[1/7]   unpacked 512 MB"
    );
    EXPECT_EQ(
        render({EventKind::finished, 2, 7, "copy root pi-03", "", 3600ms}),
        "[2/7] copy root pi-03 done in 3.6 s"
    );
    EXPECT_EQ(render({EventKind::warning, 0, 7, "", "no firmware", {}}), "warning: no firmware");
}

TEST(RenderEvent, JsonForAScript) {
    EXPECT_EQ(
        render_json({EventKind::started, 2, 7, "copy root pi-03", "its base changed", {}}),
        R"({"event":"started","step":2,"steps":7,"name":"copy root pi-03","text":"its base changed"})"
    );
    EXPECT_EQ(
        render_json({EventKind::warning, 0, 7, "", "a \"quoted\" word", {}}),
        R"({"event":"warning","text":"a \"quoted\" word"})"
    );
}

}  // namespace
}  // namespace bramble::apply
