#include "services/dhcp/host_name.hpp"

#include <gtest/gtest.h>

namespace bramble::dhcp {
namespace {

TEST(HostName, KeepsTheFirstLabelsLettersDigitsAndInnerHyphens) {
    EXPECT_EQ(sanitize_host_name("pi-01"), "pi-01");
    EXPECT_EQ(sanitize_host_name("PI.lab"), "pi");
    EXPECT_EQ(sanitize_host_name("-a-"), "a");
    EXPECT_EQ(sanitize_host_name(".lab"), "");
    EXPECT_EQ(sanitize_host_name(""), "");
    EXPECT_EQ(sanitize_host_name("a_b c\n"), "abc");
    EXPECT_EQ(sanitize_host_name(std::string(62, 'a') + "-b"), std::string(62, 'a'));
    EXPECT_EQ(sanitize_host_name(std::string(200, 'a')).size(), host_name_max);
}

TEST(HostName, NothingElseComesThroughForAnyOctet) {
    for (int c = 0; c < 256; ++c) {
        const std::string out = sanitize_host_name(std::string("a") + static_cast<char>(c) + "z");
        for (const char kept : out) {
            EXPECT_TRUE((kept >= 'a' && kept <= 'z') || (kept >= '0' && kept <= '9') || kept == '-')
                << c;
        }
    }
}

}  // namespace
}  // namespace bramble::dhcp
