// The word that an apply leaves of itself: what is written is read back, and nothing else is taken
// for it.
#include "config/layout/apply_record.hpp"

#include <gtest/gtest.h>

namespace bramble::layout {
namespace {

using namespace std::chrono_literals;

const ApplyRecord record{true, TimePoint(1'700'000'000'250ms), 1500ms, 7, 6, 2};

TEST(ApplyRecordTest, WhatIsWrittenIsReadBack) {
    const auto read = parse_apply_record(write_apply_record(record));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, record);
}

TEST(ApplyRecordTest, TruncatedAtEveryLengthItIsRefused) {
    const std::string text = write_apply_record(record);
    for (std::size_t size = 0; size + 1 < text.size(); ++size) {  // the last octet is the newline
        EXPECT_FALSE(parse_apply_record(std::string_view(text).substr(0, size))) << size;
    }
}

TEST(ApplyRecordTest, ErrorsNameTheField) {
    const auto error_of = [](std::string_view text) {
        const auto read = parse_apply_record(text);
        return read ? std::string() : read.error().message;
    };
    EXPECT_EQ(error_of("[]"), "apply record: not a JSON object: run `bramble apply`");
    EXPECT_EQ(
        error_of(R"({"succeeded":1})"),
        "apply record: succeeded is missing or wrong: run `bramble apply`"
    );
    std::string text = write_apply_record(record);
    text.replace(text.find("1500"), 4, "-1");
    EXPECT_EQ(error_of(text), "apply record: took_ms is missing or wrong: run `bramble apply`");
    EXPECT_EQ(
        error_of(std::string(5000, ' ')), "apply record: longer than any: run `bramble apply`"
    );
    EXPECT_NE(error_of(std::string(2000, '[')), "");
}

}  // namespace
}  // namespace bramble::layout
