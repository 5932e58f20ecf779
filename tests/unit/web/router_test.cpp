// Requests and what answers them: pages, the API, refusals, the token.
#include "services/web/router.hpp"

#include <gtest/gtest.h>

#include "services/web/assets.hpp"
#include "tests/unit/web/web_case.hpp"

namespace bramble::web {
namespace {

struct RouterTest : testing::Test, WebCase {};

TEST_F(RouterTest, ThePageAndItsFilesArePartOfTheProgram) {
    const std::vector<std::pair<std::string, std::string>> files = {
        {"/", "text/html; charset=utf-8"},
        {"/index.html", "text/html; charset=utf-8"},
        {"/style.css", "text/css; charset=utf-8"},
        {"/app.js", "text/javascript; charset=utf-8"},
        {"/icon.svg", "image/svg+xml"}};
    for (const auto& [target, type] : files) {
        const Response response = get(target);
        EXPECT_EQ(response.status, 200U) << target;
        EXPECT_EQ(response.content_type, type);
        EXPECT_GT(response.body.size(), 200U);
        EXPECT_FALSE(response.header("ETag").empty());
    }
}

TEST_F(RouterTest, ThePageLoadsNothingFromElsewhere) {
    for (const EmbeddedFile& file : embedded_files()) {
        if (file.name == "openapi.json") continue;  // no part of the page
        EXPECT_EQ(file.bytes.find("https://"), std::string_view::npos) << file.name;
        EXPECT_EQ(file.bytes.find("innerHTML"), std::string_view::npos) << file.name;
        EXPECT_EQ(file.bytes.find("style=\""), std::string_view::npos) << file.name;
    }
    EXPECT_EQ(get("/").body.find("<script>"), std::string::npos);
}

TEST_F(RouterTest, AFileThatTheBrowserHasIsNotSentAgain) {
    const std::string etag(get("/app.js").header("ETag"));
    Request asked = request("GET", "/app.js");
    asked.if_none_match = etag;
    const Response again = ask(asked);
    EXPECT_EQ(again.status, 304U);
    EXPECT_EQ(again.body, "");
}

TEST_F(RouterTest, EveryAnswerForbidsFramesSniffingAndForeignScripts) {
    for (const char* target : {"/", "/api/v1/status", "/api/v1/boards/nobody", "/nothing"}) {
        const Response response = get(target);
        EXPECT_NE(
            response.header("Content-Security-Policy").find("default-src 'none'"),
            std::string_view::npos
        );
        EXPECT_NE(
            response.header("Content-Security-Policy").find("frame-ancestors 'none'"),
            std::string_view::npos
        );
        EXPECT_EQ(response.header("X-Content-Type-Options"), "nosniff");
    }
    EXPECT_EQ(get("/api/v1/status").header("Cache-Control"), "no-store");
}

TEST_F(RouterTest, OtherMethodsAreToldWhatThereIs) {
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "", "get"}) {
        const Response response = ask(change(method, "/api/v1/status"));
        EXPECT_EQ(response.status, 405U) << method;
        EXPECT_EQ(response.header("Allow"), "GET, HEAD");
        EXPECT_EQ(ask(change(method, "/")).status, 405U);
    }
    EXPECT_EQ(ask(change("PUT", "/api/v1/boards")).header("Allow"), "GET, HEAD, POST");
    EXPECT_EQ(ask(change("PUT", "/api/v1/rollback")).header("Allow"), "POST");
    EXPECT_EQ(ask(request("HEAD", "/")).status, 200U);
    EXPECT_EQ(ask(request("HEAD", "/api/v1/status")).status, 200U);
}

TEST_F(RouterTest, WhatIsNotThereIsSaidSo) {
    for (const char* target :
         {"/nothing",
          "",
          "//",
          "/../etc/passwd",
          "/api/v1/",
          "/api/v2/status",
          "/api/v1/boards/",
          "/api/v1/boards/nobody",
          "/api/v1/boards/pi-01/up",
          "/api/v1/boards/..%2f",
          "*",
          "x",
          "?"}) {
        EXPECT_EQ(get(target).status, 404U) << target;
    }
}

TEST_F(RouterTest, AQueryIsNoPartOfThePath) {
    EXPECT_EQ(get("/api/v1/status?pretty=1").status, 200U);
    EXPECT_EQ(get("/?x").status, 200U);
}

TEST_F(RouterTest, TheApiAsksForTheTokenWhereOneIsSet) {
    access.token = "correct horse";
    EXPECT_EQ(get("/").status, 200U);  // tells nothing
    for (const char* given :
         {"",
          "Bearer",
          "Bearer ",
          "Bearer wrong",
          "Bearer correct hors",
          "Bearer correct horse ",
          "Basic correct horse",
          "bearer correct horse"}) {
        for (const char* target : {"/api/v1/status", "/api/v1/boards", "/api/v1/boards/nobody"}) {
            const Response response = get(target, given);
            EXPECT_EQ(response.status, 401U) << given;
            EXPECT_EQ(response.header("WWW-Authenticate"), "Bearer");
        }
    }
    EXPECT_EQ(get("/api/v1/status", "Bearer correct horse").status, 200U);
}

TEST_F(RouterTest, AnEmptyTokenLetsNobodyIn) {
    access.token = "";
    EXPECT_EQ(get("/api/v1/status", "Bearer ").status, 401U);
    EXPECT_EQ(get("/api/v1/status").status, 401U);
}

TEST(Router, EventsAreStreamedToWhomeverMayRead) {
    WebCase fleet;
    EXPECT_EQ(fleet.get("/api/v1/events").stream, Stream::events);
    EXPECT_EQ(fleet.get("/api/v1/live").stream, Stream::live);
    EXPECT_EQ(fleet.get("/api/v1/status").stream, Stream::none);
    fleet.access.token = "secret";
    const Response refused = fleet.get("/api/v1/events");
    EXPECT_EQ(refused.status, 401U);
    EXPECT_EQ(refused.stream, Stream::none);
    EXPECT_EQ(fleet.get("/api/v1/events", "Bearer secret").stream, Stream::events);
}

}  // namespace
}  // namespace bramble::web
