// A board's report: its own, by name or serial, and nothing else on this listener.
#include "services/web/up_report.hpp"

#include <gtest/gtest.h>

#include "tests/unit/web/web_case.hpp"

namespace bramble::web {
namespace {

struct UpReportTest : testing::Test, WebCase {
    UpReport put(const std::string& target, const std::string& source, const char* method = "PUT") {
        return answer_up_report({method, target, "", ""}, fleet, source);
    }
};

TEST_F(UpReportTest, ABoardReportsItself) {
    for (const char* target :
         {"/v1/boards/pi-01/up", "/v1/boards/5b154510/up", "/v1/boards/100000005b154510/up"}) {
        const UpReport report = put(target, "pi-01");
        EXPECT_EQ(report.response.status, 204U) << target;
        EXPECT_EQ(report.response.body, "");
        EXPECT_EQ(report.board, "pi-01");
    }
}

TEST_F(UpReportTest, NobodyReportsForAnother) {
    for (const char* source : {"", "pi-02", "pi-0", "PI-01"}) {
        const UpReport report = put("/v1/boards/pi-01/up", source);
        EXPECT_EQ(report.response.status, 403U) << source;
        EXPECT_EQ(report.board, "");
    }
    EXPECT_EQ(put("/v1/boards/nobody/up", "pi-01").response.status, 403U);
    EXPECT_EQ(
        put("/v1/boards/nobody/up", "").response.body, put("/v1/boards/pi-01/up", "").response.body
    );
}

TEST_F(UpReportTest, NothingElseIsAnsweredHere) {
    EXPECT_EQ(put("/v1/boards/pi-01/up", "pi-01", "GET").response.status, 405U);
    EXPECT_EQ(put("/v1/boards/pi-01/up", "pi-01", "GET").board, "");
    for (const char* target :
         {"/",
          "/api/v1/status",
          "/v1/boards/pi-01",
          "/v1/boards/pi-01/down",
          "/v1/boards//up",
          "/v1/boards/a/b/up"}) {
        EXPECT_EQ(put(target, "pi-01").response.status, 404U) << target;
    }
}

}  // namespace
}  // namespace bramble::web
