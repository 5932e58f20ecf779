#include "services/massboot/report.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace bramble::massboot {
namespace {

using namespace std::chrono_literals;

BoardRecord booted(Duration asked, Duration offered, Duration fetched, Duration up) {
    BoardRecord record;
    record.powered = 0s;
    record.asked = asked;
    record.offered = offered;
    record.fetched = fetched;
    record.up = up;
    record.bytes = 1'000'000;
    return record;
}

TEST(MassbootReportTest, PercentilesAreOfTheNearestRank) {
    std::vector<Duration> values;
    for (int n = 100; n >= 1; --n) values.emplace_back(std::chrono::seconds(n));
    const Percentiles found = percentiles(values);
    EXPECT_EQ(found.p50, 50s);
    EXPECT_EQ(found.p90, 90s);
    EXPECT_EQ(found.p99, 99s);
    EXPECT_EQ(found.max, 100s);
}

TEST(MassbootReportTest, PercentilesOfNothingAreZero) {
    EXPECT_EQ(percentiles({}).max, 0s);
}

TEST(MassbootReportTest, TheLastBoardCountsOnlyWhereAllAreUp) {
    Result result;
    result.boards = {booted(1s, 2s, 5s, 15s), booted(1s, 4s, 9s, 20s)};
    EXPECT_EQ(summarise(result).last_up, 20s);
    EXPECT_EQ(summarise(result).waiting.max, 3s);
    EXPECT_EQ(summarise(result).fetching.max, 5s);

    result.boards[1].up.reset();
    EXPECT_EQ(summarise(result).last_up, std::nullopt);
    EXPECT_EQ(summarise(result).up, 1U);
    EXPECT_EQ(summarise(result).bytes, 1'000'000U);
}

TEST(MassbootReportTest, ABoardThatGaveUpTwiceIsOneBoard) {
    Result result;
    result.boards = {booted(1s, 2s, 5s, 15s), booted(1s, 4s, 9s, 20s)};
    result.boards[0].file_timeouts = 2;
    EXPECT_EQ(summarise(result).gave_up, 1U);
    EXPECT_EQ(summarise(result).file_timeouts, 2U);
}

TEST(MassbootReportTest, TheBoundIsTheLinksTimeForTheBytesAndOneBoot) {
    Comparison comparison;
    comparison.link_bits_per_second = 1'000'000'000;
    comparison.one_boot = 20s;
    EXPECT_EQ(comparison.bound(), std::nullopt);  // nothing was run
    comparison.with_admission.emplace();
    comparison.with_admission->bytes = 125'000'000;
    EXPECT_EQ(comparison.bound(), 21s);
}

}  // namespace
}  // namespace bramble::massboot
