// What is granted for what is asked, one option and one value at a time.
#include "services/tftp/options.hpp"

#include <gtest/gtest.h>

#include <array>

namespace bramble::tftp {
namespace {

using namespace std::chrono_literals;

Terms asked(std::string_view name, std::string_view value, const OptionLimits& limits = {}) {
    const std::array<OptionText, 1> options{{{name, value}}};
    return negotiate(options, limits);
}

TEST(OptionsTest, NothingAskedIsRfc1350) {
    const Terms terms = negotiate({}, {});
    EXPECT_EQ(terms, Terms{});
    EXPECT_EQ(terms.blksize, 512);
    EXPECT_EQ(terms.windowsize, 1);
    EXPECT_FALSE(terms.has_oack());
}

TEST(OptionsTest, BlksizeIsCutToWhatThePathCarries) {
    EXPECT_EQ(asked("blksize", "1468").blksize, 1468);
    EXPECT_EQ(asked("blksize", "1469").blksize, 1468);
    EXPECT_EQ(asked("blksize", "65464").blksize, 1468);
    EXPECT_EQ(asked("blksize", "65464", {.blksize_max = 8192}).blksize, 8192);
    EXPECT_EQ(asked("blksize", "9", {.blksize_max = 1}).blksize, 8);
}

TEST(OptionsTest, MalformedValuesAreLeftOut) {
    for (const char* value :
         {"",
          " 512",
          "512 ",
          "+512",
          "-1",
          "0x200",
          "5e2",
          "512,",
          "99999999999",
          "18446744073709551616",
          "99999999999999999999999999"}) {
        for (const char* name : {"blksize", "tsize", "timeout", "windowsize"}) {
            if (std::string_view(name) == "tsize" && std::string_view(value) == "99999999999")
                continue;
            EXPECT_EQ(asked(name, value), Terms{}) << name << '=' << value;
        }
    }
}

TEST(OptionsTest, LeadingZerosAreStillANumber) {
    EXPECT_EQ(asked("blksize", "01024").blksize, 1024);
}

TEST(OptionsTest, TimeoutIsGrantedAsAskedOrNotAtAll) {
    EXPECT_EQ(asked("timeout", "5").timeout, 5s);
    EXPECT_EQ(asked("timeout", "255", {.timeout_max_s = 255}).timeout, 255s);
    EXPECT_FALSE(asked("timeout", "31").timeout);
}

TEST(OptionsTest, ANameThatIsNearlyKnownIsUnknown) {
    for (const char* name : {"blksiz", "blksizes", "blksize2", "b", "utimeout"}) {
        EXPECT_EQ(asked(name, "8"), Terms{}) << name;
    }
}

}  // namespace
}  // namespace bramble::tftp
