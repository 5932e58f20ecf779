// What changes something: who may, and that nobody else's page can.
#include <gtest/gtest.h>

#include "services/web/live_feed.hpp"
#include "services/web/public_json.hpp"
#include "services/web/same_site.hpp"
#include "tests/unit/web/web_case.hpp"

namespace bramble::web {
namespace {

constexpr const char* adopt_body = R"({"serial":"5b154510","name":"pi-07","profile":"lab"})";

struct ChangeTest : testing::Test, WebCase {
    template <typename T>
    static const T* asked_for(const Response& response) {
        const auto* change = std::get_if<Change>(&response.later);
        return change == nullptr ? nullptr : std::get_if<T>(&change->operation);
    }

    static bool changes(const Response& response) {
        return std::holds_alternative<Change>(response.later);
    }
};

TEST_F(ChangeTest, TheThreeOperations) {
    const Response adopted = ask(change("POST", "/api/v1/boards", adopt_body));
    ASSERT_NE(asked_for<Adopt>(adopted), nullptr);
    EXPECT_EQ(*asked_for<Adopt>(adopted), (Adopt{"5b154510", "pi-07", "lab", "", ""}));
    EXPECT_EQ(std::get<Change>(adopted.later).token, "correct horse");
    const Response forgotten = ask(change("DELETE", "/api/v1/boards/pi-07"));
    ASSERT_NE(asked_for<Forget>(forgotten), nullptr);
    EXPECT_EQ(asked_for<Forget>(forgotten)->name, "pi-07");
    const Response rolled = ask(change("POST", "/api/v1/rollback", R"({"generation":6})"));
    ASSERT_NE(asked_for<RollBack>(rolled), nullptr);
    EXPECT_EQ(asked_for<RollBack>(rolled)->generation, 6U);
}

TEST_F(ChangeTest, NothingIsChangedWithoutAToken) {
    Request asked = change("POST", "/api/v1/boards", adopt_body);
    for (const char* authorization : {"", "Bearer", "Bearer ", "Basic correct horse"}) {
        asked.authorization = authorization;
        EXPECT_EQ(ask(asked).status, 401U) << authorization;
        EXPECT_FALSE(changes(ask(asked)));
    }
    access.token = "correct horse";
    asked.authorization = "Bearer wrong horses!";
    EXPECT_EQ(ask(asked).status, 401U);
    asked.authorization = "Bearer correct horse";
    EXPECT_TRUE(changes(ask(asked)));
}

TEST_F(ChangeTest, AnotherSitesPageChangesNothing) {
    const Request ours = change("POST", "/api/v1/boards", adopt_body);

    struct Case {
        std::string Request::*header;
        const char* value;
        unsigned status;
    };

    const Case cases[] = {
        {&Request::origin, "http://evil.example", 403},
        {&Request::origin, "null", 403},
        {&Request::origin, "http://127.0.0.1:8081", 403},
        {&Request::origin, "http://127.0.0.1:8080.evil.example", 403},
        {&Request::origin, "http://127.0.0.1:8080", 200},
        {&Request::fetch_site, "cross-site", 403},
        {&Request::fetch_site, "same-site", 403},
        {&Request::fetch_site, "none", 403},
        {&Request::fetch_site, "same-origin", 200},
        {&Request::marker, "", 403},
        {&Request::host, "", 421},
        {&Request::host, "evil.example:8080", 421},
        {&Request::host, "127.0.0.1.evil.example", 421},
        {&Request::content_type, "text/plain", 415},
        {&Request::content_type, "", 415},
    };
    for (const Case& one : cases) {
        Request asked = ours;
        asked.*one.header = one.value;
        EXPECT_EQ(ask(asked).status, one.status) << one.value;
        EXPECT_EQ(changes(ask(asked)), one.status == 200) << one.value;
    }
}

TEST_F(ChangeTest, BodiesThatSayNothingAreRefused) {
    for (const char* body :
         {"",
          "[]",
          "{}",
          "null",
          R"({"serial":"5b154510","name":"pi-07"})",
          R"({"serial":1,"name":"pi-07","profile":"lab"})",
          R"({"serial":"5b154510","name":"pi-07","profile":"lab","run":"sh"})",
          R"([[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]])"}) {
        EXPECT_EQ(ask(change("POST", "/api/v1/boards", body)).status, 400U) << body;
    }
    const std::string long_name(300, 'a');
    EXPECT_EQ(
        ask(change(
                "POST",
                "/api/v1/boards",
                R"({"serial":"5b154510","profile":"lab","name":")" + long_name + "\"}"
            ))
            .status,
        400U
    );
    for (const char* body :
         {"",
          "{}",
          R"({"generation":0})",
          R"({"generation":-1})",
          R"({"generation":"6"})",
          R"({"generation":6.5})"}) {
        EXPECT_EQ(ask(change("POST", "/api/v1/rollback", body)).status, 400U) << body;
    }
}

TEST_F(ChangeTest, ReadingOnLoopbackIsForNobodyElsesName) {
    Request asked = request("GET", "/api/v1/boards");
    for (const char* host :
         {"127.0.0.1",
          "127.0.0.1:8080",
          "localhost:8080",
          "LOCALHOST",
          "[::1]:8080",
          "172.16.1.1"}) {
        asked.host = host;
        EXPECT_EQ(ask(asked).status, 200U) << host;
    }
    for (const char* host :
         {"", "evil.example", "lab.example:8080", "localhost.evil.example", "[evil]"}) {
        asked.host = host;
        EXPECT_EQ(ask(asked).status, 421U) << host;
    }
    access.names = {"lab.example"};
    asked.host = "Lab.Example:8080";
    EXPECT_EQ(ask(asked).status, 200U);
    access = {"correct horse", {}};  // who has the token may call us what they like
    asked.authorization = "Bearer correct horse";
    asked.host = "anything.example";
    EXPECT_EQ(ask(asked).status, 200U);
}

TEST_F(ChangeTest, OperationsSurviveTheirWayToTheHelper) {
    for (const Operation& operation :
         {Operation(Adopt{"5b154510", "pi-07", "lab", "dc:a6:32:2e:f8:ed", "172.16.1.7"}),
          Operation(Adopt{"5b154510", "pi\"\n07", "lab", "", ""}),
          Operation(Forget{"pi-07"}),
          Operation(RollBack{6})}) {
        const Asked asked{"a token", "127.0.0.1", operation};
        const std::string line = to_line(asked);
        EXPECT_EQ(line.find('\n'), std::string::npos);
        const auto back = parse_asked(line);
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(*back, asked);
        for (std::size_t length = 0; length < line.size(); ++length) {
            EXPECT_FALSE(parse_asked(line.substr(0, length)));
        }
    }
    EXPECT_FALSE(parse_asked(R"({"token":"a","peer":"b","do":"apply"})"));
    EXPECT_FALSE(parse_asked(R"({"token":"a","peer":"b","do":"forget","name":"x","more":"y"})"));
    const Outcome outcome{409, "no such\ngeneration"};
    EXPECT_EQ(*parse_outcome(to_line(outcome)), outcome);
    EXPECT_FALSE(parse_outcome("{}"));
    EXPECT_FALSE(parse_outcome(R"({"status":1,"message":""})"));
}

TEST_F(ChangeTest, ALogSaysWhatWasAskedAndNeverTheToken) {
    EXPECT_EQ(
        describe(Adopt{"5b154510", "pi\n07", "lab", "", ""}),
        "adopt 5b154510 as pi?07 with profile lab"
    );
    EXPECT_EQ(describe(RollBack{6}), "roll back to generation 6");
}

TEST_F(ChangeTest, TheWallShowsStatesAndNothingThatSomebodyCouldUse) {
    happen(
        0,
        boards::AskedForAddress{},
        {"pi-01", *MacAddress::parse("dc:a6:32:2e:f8:ed"), Serial(0x5b154510), {}}
    );
    happen(1, boards::AskedForAddress{}, {"", *MacAddress::parse("dc:a6:32:99:99:99"), {}, {}});
    const auto shown = [this](const std::string& target) {
        return answer_public(request("GET", target), view());
    };
    for (const char* target : {"/api/v1/status", "/api/v1/boards"}) {
        const Response response = shown(target);
        EXPECT_EQ(response.status, 200U);
        for (const char* secret : {"5b154510", "5B154510", "dc:a6:32", "172.16.1", "eth1", "lab"}) {
            EXPECT_EQ(response.body.find(secret), std::string::npos) << secret << response.body;
        }
    }
    EXPECT_NE(shown("/api/v1/boards").body.find("pi-01"), std::string::npos);
    EXPECT_NE(shown("/api/v1/status").body.find("\"public\":true"), std::string::npos);
    EXPECT_EQ(shown("/").status, 200U);
    for (const char* target :
         {"/api/v1/boards/pi-01",
          "/api/v1/boards/pi-01/explanation",
          "/api/v1/generations",
          "/api/v1/events",
          "/metrics"}) {
        EXPECT_EQ(shown(target).status, 404U) << target;
    }
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
        for (const char* target : {"/api/v1/boards", "/api/v1/rollback", "/"}) {
            const Response response = answer_public(change(method, target, adopt_body), view());
            EXPECT_EQ(response.status, 405U) << method << target;
            EXPECT_FALSE(changes(response));
        }
    }
}

TEST(LiveFeedTest, AThousandChangesAreAFewMessages) {
    LiveFeed feed;
    const TimePoint start{std::chrono::seconds(1'800'000'000)};
    EXPECT_TRUE(feed.take(start).status);
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 1000; ++i) feed.on_board("pi-" + std::to_string(i));
    }
    feed.on_stranger();
    std::size_t told = 0;
    for (int i = 0; i < 5; ++i) {
        const LiveFeed::Due due = feed.take(start + std::chrono::milliseconds(100));
        EXPECT_FALSE(due.status);
        EXPECT_FALSE(due.strangers) << "strangers ask often: with the status, once a second";
        told += due.boards.size();
        EXPECT_LE(due.boards.size(), LiveFeed::rows_max);
    }
    EXPECT_EQ(told, 1000U);
    const LiveFeed::Due later = feed.take(start + LiveFeed::status_every);
    EXPECT_TRUE(later.status);
    EXPECT_TRUE(later.strangers);
    EXPECT_TRUE(later.boards.empty());
    feed.on_board("pi-1");
    feed.forget();
    EXPECT_TRUE(feed.take(start).boards.empty());
}

}  // namespace
}  // namespace bramble::web
