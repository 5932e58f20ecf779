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

TEST_F(UpReportTest, AHeartbeatIsToldFromTheReport) {
    const UpReport report = put("/v1/boards/pi-01/heartbeat", "pi-01");
    EXPECT_EQ(report.response.status, 204U);
    EXPECT_EQ(report.board, "pi-01");
    EXPECT_TRUE(report.heartbeat);
    EXPECT_FALSE(put("/v1/boards/pi-01/up", "pi-01").heartbeat);
    EXPECT_EQ(put("/v1/boards/pi-01/heartbeat", "pi-02").response.status, 403U);
    EXPECT_EQ(put("/v1/boards/pi-01/heartbeat", "pi-01", "POST").response.status, 405U);
}

TEST_F(UpReportTest, TheBodySaysWhichKernelAndHowOftenItWillBeHeard) {
    using std::chrono::seconds;
    EXPECT_EQ(
        read_report_body("hostname=pi-01\nkernel=6.1.0-56-arm64\ncmdline=a kernel=b\nheartbeat=60\n"
        ),
        (ReportBody{"6.1.0-56-arm64", seconds(60)})
    );
    EXPECT_EQ(read_report_body(""), ReportBody{});
    EXPECT_EQ(read_report_body("heartbeat=9"), ReportBody{});
    EXPECT_EQ(read_report_body("heartbeat=3600"), (ReportBody{"", seconds(3600)}));
    for (const char* odd :
         {"heartbeat=3601",
          "heartbeat=99999999999",
          "heartbeat=-60",
          "heartbeat=60s",
          "heartbeat="}) {
        EXPECT_EQ(read_report_body(odd), ReportBody{}) << odd;
    }
    EXPECT_EQ(read_report_body("kernel=a b\nkernel=\x1b[31m\n"), ReportBody{});
    EXPECT_EQ(read_report_body("kernel=" + std::string(65, 'x')), ReportBody{});
}

}  // namespace
}  // namespace bramble::web
