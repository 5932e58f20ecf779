// The API's documents, read back and looked into.
#include "services/web/json.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "services/boards/diagnosis.hpp"
#include "tests/unit/web/web_case.hpp"

namespace bramble::web {
namespace {

namespace json = boost::json;
using boards::FileOutcome;

struct JsonTest : testing::Test, WebCase {
    json::object read(const std::string& target) {
        return json::parse(get(target).body).as_object();
    }

    void boot() {
        happen(0, boards::AskedForAddress{});
        happen(0.5, boards::GotAddress{boards::Speaker::firmware, Ipv4Address({172, 16, 1, 3})});
        file(2, "start4.elf", FileOutcome::loaded);
        file(4, "kernel8.img", FileOutcome::loaded);
        happen(40, boards::ReportedUp{});
    }
};

TEST_F(JsonTest, InstantsAreRfc3339) {
    EXPECT_EQ(rfc3339(start), "2027-01-15T08:00:00Z");
    EXPECT_EQ(rfc3339(TimePoint{}), "1970-01-01T00:00:00Z");
    EXPECT_EQ(
        rfc3339(start + std::chrono::hours(24 * 45) + std::chrono::milliseconds(1999)),
        "2027-03-01T08:00:01Z"
    );
}

TEST_F(JsonTest, StatusCountsBoardsByCondition) {
    boot();
    happen(50, boards::AskedForAddress{}, {"pi-02", {}, {}, {}});
    server.reload_error = "fleet.yaml:12:12: unknown key";
    const json::object status = read("/api/v1/status");
    EXPECT_EQ(status.at("generation"), 7);
    EXPECT_EQ(status.at("reload_error"), "fleet.yaml:12:12: unknown key");
    EXPECT_EQ(status.at("uptime_seconds"), 90.0);
    EXPECT_EQ(status.at("dhcp_mode"), "authoritative");
    const json::object& counts = status.at("boards").as_object();
    EXPECT_EQ(counts.at("total"), 2);
    EXPECT_EQ(counts.at("up"), 1);
    EXPECT_EQ(counts.at("booting"), 1);
    EXPECT_EQ(counts.at("never-seen"), 0);
}

TEST_F(JsonTest, OtherDhcpServersAreInTheStatus) {
    EXPECT_TRUE(read("/api/v1/status").at("foreign_servers").as_array().empty());
    const MacAddress mac({2, 0, 0, 0, 0, 0xfe});
    happen(50, boards::ForeignServerHeard{Ipv4Address({172, 16, 1, 254}), mac});
    const json::object status = read("/api/v1/status");
    const json::array& servers = status.at("foreign_servers").as_array();
    ASSERT_EQ(servers.size(), 1U);
    EXPECT_EQ(servers[0].at("address"), "172.16.1.254");
    EXPECT_EQ(servers[0].at("mac"), "02:00:00:00:00:fe");
}

TEST_F(JsonTest, TheQueueIsInTheStatusAndAtItsBoards) {
    EXPECT_FALSE(read("/api/v1/status")["admission"].at("enabled").as_bool());
    EXPECT_FALSE(read("/api/v1/boards/pi-02").contains("queue"));
    admission.emplace();
    admission->inside = 3;
    admission->capacity = 4;
    admission->link_bytes_per_second = 11'900'000;
    admission->waiting = {
        {"pi-02",
         "rack-1",
         1,
         std::chrono::seconds(8),
         server.now + std::chrono::seconds(5),
         true}};
    const json::object said = read("/api/v1/status")["admission"].as_object();
    EXPECT_TRUE(said.at("enabled").as_bool());
    EXPECT_EQ(said.at("inside").as_int64(), 3);
    EXPECT_EQ(said.at("capacity").as_int64(), 4);
    EXPECT_EQ(said.at("waiting").as_int64(), 1);
    EXPECT_EQ(said.at("link_bytes_per_second").as_int64(), 11'900'000);
    const json::object row = said.at("queue").as_array().at(0).as_object();
    EXPECT_EQ(row.at("board").as_string(), "pi-02");
    EXPECT_EQ(row.at("group").as_string(), "rack-1");
    EXPECT_TRUE(row.at("retry").as_bool());
    const json::object place = read("/api/v1/boards/pi-02")["queue"].as_object();
    EXPECT_EQ(place.at("position").as_int64(), 1);
    EXPECT_EQ(place.at("waited_seconds").as_double(), 8);
    EXPECT_EQ(place.at("expected_in_seconds").as_double(), 5);
    EXPECT_EQ(
        place.at("expected_start").as_string(), rfc3339(server.now + std::chrono::seconds(5))
    );
    EXPECT_FALSE(read("/api/v1/boards/pi-01").contains("queue"));
}

TEST_F(JsonTest, BoardsStandInTheFleetsOrder) {
    boot();
    const json::array boards = read("/api/v1/boards").at("boards").as_array();
    ASSERT_EQ(boards.size(), 2U);
    const json::object& one = boards[0].as_object();
    EXPECT_EQ(one.at("name"), "pi-01");
    EXPECT_EQ(one.at("serial"), "5b154510");
    EXPECT_EQ(one.at("mac"), "dc:a6:32:2e:f8:ed");
    EXPECT_EQ(one.at("model"), "pi4");
    EXPECT_EQ(one.at("condition"), "up");
    EXPECT_EQ(one.at("silent_seconds"), 50.0);
    EXPECT_EQ(one.at("boot").at("seconds"), 40.0);
    EXPECT_EQ(one.at("boot").at("generation"), 7);
    const json::object& two = boards[1].as_object();
    EXPECT_EQ(two.at("condition"), "never-seen");
    EXPECT_TRUE(two.at("serial").is_null());
    EXPECT_FALSE(two.contains("boot"));
}

TEST_F(JsonTest, OneBoardHasPhasesFilesAndHistory) {
    boot();
    happen(60, boards::AskedForAddress{});
    json::object board = read("/api/v1/boards/pi-01");
    EXPECT_EQ(board.at("condition"), "booting");
    const json::object& earlier = board.at("history").as_array().at(0).as_object();
    EXPECT_EQ(earlier.at("state"), "up");
    EXPECT_EQ(earlier.at("started"), "2027-01-15T08:00:00Z");
    EXPECT_EQ(earlier.at("ended"), "2027-01-15T08:00:40Z");

    happen(61, boards::GotAddress{boards::Speaker::firmware, Ipv4Address({172, 16, 1, 3})});
    file(63, "start4.elf", FileOutcome::missing);
    board = read("/api/v1/boards/pi-01");
    const json::object& now = board.at("boot").as_object();
    EXPECT_EQ(now.at("phases").as_array().size(), 2U);
    EXPECT_EQ(now.at("phases").as_array()[1].at("phase"), "firmware");
    EXPECT_EQ(now.at("phases").as_array()[1].at("at"), 1.0);
    const json::object& file = now.at("files").as_array().at(0).as_object();
    EXPECT_EQ(file.at("path"), "start4.elf");
    EXPECT_EQ(file.at("class"), "start");
    EXPECT_EQ(file.at("outcome"), "missing");
    EXPECT_EQ(file.at("at"), 2.0);
    EXPECT_EQ(file.at("until"), 3.0);
    EXPECT_EQ(file.at("retransmissions"), 2);
}

TEST_F(JsonTest, EveryBootCanBeReadWhole) {
    boot();
    happen(100, boards::AskedForAddress{});
    const json::object latest = read("/api/v1/boards/pi-01/boots/0");
    EXPECT_EQ(latest.at("name"), "pi-01");
    EXPECT_EQ(latest.at("boot").at("state"), "booting");
    const json::object before = read("/api/v1/boards/pi-01/boots/1");
    EXPECT_EQ(before.at("number"), 1);
    EXPECT_EQ(before.at("boot").at("state"), "up");
    EXPECT_EQ(before.at("boot").at("files").as_array().size(), 2U);
    for (const char* none : {"2", "x", "-1", "", "1/", "99999999999999999999"}) {
        EXPECT_EQ(get(std::string("/api/v1/boards/pi-01/boots/") + none).status, 404U) << none;
    }
    EXPECT_EQ(get("/api/v1/boards/pi-02/boots/0").status, 404U) << "it never booted";
    EXPECT_EQ(get("/api/v1/boards/pi-99/boots/0").status, 404U);
}

// The tracker remembers a few; the state keeps fifty, the latest of them too.
TEST_F(JsonTest, KeptBootsStandInForThoseRemembered) {
    boot();
    std::vector<boards::Boot> kept = {*tracker.find("pi-01")->boot};
    for (int hours = 1; hours <= 3; ++hours) {
        boards::Boot older;
        older.started = start - std::chrono::hours(hours);
        older.ended = older.started;
        older.generation = static_cast<std::uint64_t>(hours);
        kept.push_back(older);
    }
    View shown = view();
    shown.kept = &kept;
    const auto board = json::parse(*board_json(shown, "pi-01")).as_object();
    ASSERT_EQ(board.at("history").as_array().size(), 3U) << "the latest is no history yet";
    EXPECT_EQ(json::parse(*boot_json(shown, "pi-01", 3)).at("boot").at("generation"), 3);
    EXPECT_FALSE(boot_json(shown, "pi-01", 4));
    EXPECT_EQ(history_wanted({"GET", "/api/v1/boards/pi-01?x", "", ""}), "pi-01");
    EXPECT_EQ(history_wanted({"GET", "/api/v1/boards/pi-01/boots/3", "", ""}), "pi-01");
    EXPECT_FALSE(history_wanted({"GET", "/api/v1/boards", "", ""}));
    EXPECT_FALSE(history_wanted({"GET", "/", "", ""}));
}

TEST_F(JsonTest, AStuckBoardHasItsDiagnosis) {
    happen(0, boards::AskedForAddress{});
    tracker.on_deadline(start + std::chrono::seconds(61));
    const json::object board = read("/api/v1/boards/pi-01");
    EXPECT_EQ(board.at("condition"), "stuck");
    EXPECT_NE(board.at("boot").at("diagnosis").as_string().find("fell silent"), json::string::npos);
}

TEST_F(JsonTest, StrangersAreListed) {
    boards::Identity who;
    who.mac = *MacAddress::parse("dc:a6:32:00:00:09");
    who.kind = "pi4";
    happen(1, boards::AskedForAddress{}, who);
    happen(1, boards::Held{"the fleet file does not know it"}, who);
    const json::array strangers = read("/api/v1/boards").at("strangers").as_array();
    ASSERT_EQ(strangers.size(), 1U);
    EXPECT_EQ(strangers[0].at("mac"), "dc:a6:32:00:00:09");
    EXPECT_EQ(strangers[0].at("reason"), "the fleet file does not know it");
    EXPECT_EQ(strangers[0].at("requests"), 1);
}

// What boards send can hold any octet; the document stays JSON in UTF-8, whatever it is.
TEST_F(JsonTest, HostileTextStaysText) {
    happen(0, boards::AskedForAddress{});
    happen(0.5, boards::GotAddress{boards::Speaker::firmware, Ipv4Address({172, 16, 1, 3})});
    file(2, "</script>\"\\\n\x01\xff\xc3;", FileOutcome::missing);
    const json::object board = read("/api/v1/boards/pi-01");
    EXPECT_EQ(board.at("boot").at("files").as_array().at(0).at("path"), "</script>\"\\????;");
}

TEST_F(JsonTest, AThousandBoardsFitIntoOneDocument) {
    fleet.boards.clear();
    std::vector<boards::Identity> known;
    for (int i = 0; i < 1000; ++i) {
        fleet::Board board;
        board.name = "pi-" + std::to_string(i);
        board.profile = "lab";
        known.push_back({board.name, {}, {}, {}});
        fleet.boards.push_back(std::move(board));
    }
    tracker.set_boards(known);
    for (const auto& who : known) happen(1, boards::AskedForAddress{}, who);
    const Response response = get("/api/v1/boards");
    EXPECT_LT(response.body.size(), 600'000U);
    EXPECT_EQ(json::parse(response.body).at("boards").as_array().size(), 1000U);
}

TEST_F(JsonTest, ABootSaysItsKernelAndHowItEnded) {
    tracker.set_expectations([](std::string_view, std::uint64_t) {
        return boards::Expected{"6.1.0-56-arm64", "", "", "", false};
    });
    boot();
    json::object said = read("/api/v1/boards/pi-01")["boot"].as_object();
    EXPECT_EQ(said.at("kernel"), "6.1.0-56-arm64");
    EXPECT_EQ(said.at("ending"), "up after 40.0 s");
    EXPECT_EQ(
        read("/api/v1/boards/pi-02").at("diagnosis").as_string(), boards::diagnose_never_seen()
    );
    EXPECT_FALSE(read("/api/v1/boards/pi-01").contains("diagnosis"));
}

TEST_F(JsonTest, ASilentBoardIsCountedAndSaysWhy) {
    happen(0, boards::AskedForAddress{});
    happen(40, boards::ReportedUp{"6.1", std::chrono::seconds(10)});
    tracker.on_deadline(start + std::chrono::seconds(80));
    const json::object board = read("/api/v1/boards/pi-01");
    EXPECT_EQ(board.at("condition"), "silent");
    EXPECT_EQ(board.at("heartbeat").as_string(), rfc3339(start + std::chrono::seconds(40)));
    EXPECT_TRUE(board.at("diagnosis").as_string().starts_with("it was up and has not been heard"));
    EXPECT_EQ(read("/api/v1/status")["boards"].at("silent"), 1);
}

TEST_F(JsonTest, TheConsoleIsTextOfItsBoot) {
    boot();
    const Ipv4Address source({172, 16, 1, 3});
    happen(10.5, boards::ConsoleSaid{"Linux \xff\n", source});
    const Response text = get("/api/v1/boards/pi-01/boots/0/console");
    EXPECT_EQ(text.status, 200U);
    EXPECT_EQ(text.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(text.body, "   10.500  Linux \\xff\n");
    EXPECT_EQ(read("/api/v1/boards/pi-01/boots/0").at("console"), text.body.c_str());
    const json::object board = read("/api/v1/boards/pi-01");
    EXPECT_EQ(board.at("console_lines"), 1);
    EXPECT_EQ(board.at("console_tail").as_array().at(0), "Linux \\xff");
    EXPECT_EQ(get("/api/v1/boards/pi-01/boots/1/console").status, 404U);
    EXPECT_EQ(get("/api/v1/boards/pi-02/boots/0/console").status, 404U);
    EXPECT_EQ(get("/api/v1/boards/pi-09/boots/0/console").status, 404U);
    EXPECT_EQ(get("/api/v1/boards/pi-01/boots//console").status, 404U);
}

TEST_F(JsonTest, AnEarlierConsoleIsTheOneThatWasKept) {
    boot();
    happen(60, boards::AskedForAddress{});
    const std::function<std::string(TimePoint)> kept = [this](TimePoint started) {
        return started == start ? std::string("    1.000  kept\n") : std::string();
    };
    View with_kept = view();
    with_kept.kept_console = &kept;
    EXPECT_EQ(console_text(with_kept, "pi-01", 1), "    1.000  kept\n");
    EXPECT_EQ(console_text(with_kept, "pi-01", 0), "");
}

}  // namespace
}  // namespace bramble::web
