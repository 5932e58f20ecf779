#include "config/layout/up_report.hpp"

#include <gtest/gtest.h>

namespace bramble::layout {
namespace {

TEST(UpReport, SaysWhereABoardReports) {
    EXPECT_EQ(
        up_report_url(*Ipv4Address::parse("172.16.1.1"), "pi-01"),
        "http://172.16.1.1:8081/v1/boards/pi-01/up"
    );
}

TEST(UpReport, ReadsTheNameBackAndNothingElse) {
    EXPECT_EQ(board_of_up_report(up_report_path("pi-01")), "pi-01");
    for (const char* path :
         {"",
          "/",
          "/v1/boards/up",
          "/v1/boards//up",
          "/v1/boards/a/b/up",
          "/v1/boards/pi-01/down",
          "/v2/boards/pi-01/up",
          "/v1/boards/pi-01/up?x",
          "/v1/boards/pi-01/up/"}) {
        EXPECT_EQ(board_of_up_report(path), std::nullopt) << path;
    }
}

}  // namespace
}  // namespace bramble::layout
