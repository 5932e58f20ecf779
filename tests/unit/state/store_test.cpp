// The rest of the state: boots, bindings, adopted boards; and databases that are none.
#include "services/state/store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "tests/unit/state/state_file.hpp"

namespace bramble::state {
namespace {

using namespace std::chrono_literals;
using StoreTest = StateFile;

const TimePoint start(1'700'000'000s);

boards::EndedBoot boot_of(const std::string& board, int number) {
    boards::EndedBoot out;
    out.board = board;
    boards::Boot& boot = out.boot;
    boot.generation = 7;
    boot.started = start + number * 60s;
    boot.last_event = boot.started + 41s;
    boot.ended = boot.last_event;
    boot.state = boards::BootState::up;
    boot.phase = boards::Phase::userspace;
    boot.entered[0] = boot.started;
    boot.entered[1] = boot.started + 2s;
    boot.address = Ipv4Address::parse("172.16.1.3").value();
    boot.discovers = 2;
    boot.offers = 1;
    boards::FileRecord file;
    file.path = "start4.elf";
    file.file_class = boards::FileClass::start;
    file.outcome = boards::FileOutcome::loaded;
    file.bytes = 2'303'680;
    file.took = 900ms;
    file.loads = 1;
    file.probes = 1;
    file.retransmissions = 2;
    file.first_asked = boot.started + 3s;
    file.last_ended = boot.started + 4s;
    boot.files = {file};
    boot.diagnosis = "nothing";
    file.asked = 2;
    boot.files = {file};
    boot.kernel = "6.1.0-56-arm64";
    boot.heartbeat = 60s;
    boot.restarts = 1;
    boot.failed_before = 2;
    boot.widest_gap = 16s;
    boot.mac = MacAddress::parse("dc:a6:32:2e:f8:ed").value();
    boot.mac_of_twin = MacAddress::parse("dc:a6:32:00:00:99").value();
    boot.other_offer = boards::OtherOffer{
        Ipv4Address::parse("172.16.1.254").value(), Ipv4Address::parse("172.16.1.207").value()};
    boot.rival_offer = boot.other_offer;
    boot.knocked = {false, true, true};
    boot.knocks_unanswered = 3;
    return out;
}

TEST_F(StoreTest, BootsComeBackWhole) {
    const boards::EndedBoot boot = boot_of("pi-01", 1);
    boards::EndedBoot odd = boot_of("pi-02", 2);
    odd.boot.ended.reset();
    odd.boot.state = boards::BootState::abandoned;
    odd.boot.files[0].path = "\xff\x80 '\"\\";  // boards ask for any bytes
    ASSERT_TRUE(open().add(std::vector{boot, odd}));
    const auto rows = open().boots().value();
    ASSERT_EQ(rows.values.size(), 2U);
    EXPECT_EQ(rows.skipped, std::vector<std::string>{});
    EXPECT_EQ(rows.values[0].boot, boot.boot);
    EXPECT_EQ(rows.values[1].board, "pi-02");
    EXPECT_EQ(rows.values[1].boot, odd.boot);
}

// As the program of November 2026 wrote it, before boots had a kernel.
TEST_F(StoreTest, ABootOfAnEarlierProgramComesBack) {
    open();
    run_sql(
        "INSERT INTO boot (board, started_ns, generation, state, details) VALUES "
        "('pi-01', 1700000000000000000, 7, 'up', CAST('{\"last_event\":1700000041000000000,"
        "\"ended\":1700000041000000000,\"partial\":false,\"phase\":5,\"entered\":["
        "1700000000000000000,"
        "1700000002000000000,null,null,null,null],\"address\":\"172.16.1.3\",\"discovers\":2,"
        "\"offers\":1,\"hold_reason\":\"\",\"files\":[[\"start4.elf\",0,0,2303680,900000000,1,1,2,"
        "1700000003000000000,1700000004000000000]],\"files_dropped\":0,\"diagnosis\":\"nothing\"}' "
        "AS BLOB))"
    );
    boards::EndedBoot expected = boot_of("pi-01", 0);
    boards::Boot& boot = expected.boot;
    boot.kernel.clear();
    boot.heartbeat = {};
    boot.restarts = boot.failed_before = boot.knocks_unanswered = 0;
    boot.widest_gap = {};
    boot.mac.reset();
    boot.mac_of_twin.reset();
    boot.other_offer.reset();
    boot.rival_offer.reset();
    boot.knocked = {};
    const auto rows = open().boots().value();
    EXPECT_EQ(rows.skipped, std::vector<std::string>{});
    ASSERT_EQ(rows.values.size(), 1U);
    EXPECT_EQ(rows.values[0].boot, boot);
}

TEST_F(StoreTest, AConsoleIsKeptAsLongAsItsBoot) {
    Store store = open();
    EXPECT_EQ(store.console_of("pi-01", start).value(), std::nullopt);
    ASSERT_TRUE(store.put(std::vector<KeptConsole>{{"pi-01", start, "one"}, {"pi-02", start, "x"}})
    );
    ASSERT_TRUE(store.put(std::vector<KeptConsole>{{"pi-01", start, "one\ntwo"}}));
    EXPECT_EQ(open().console_of("pi-01", start).value(), "one\ntwo");
    std::vector<boards::EndedBoot> boots;
    for (int i = 0; i < 60; ++i) boots.push_back(boot_of("pi-01", i));
    ASSERT_TRUE(store.add(boots));
    const TimePoint running = start + 60 * 60s;
    ASSERT_TRUE(store.put(std::vector<KeptConsole>{{"pi-01", running, "three"}}));
    EXPECT_EQ(store.console_of("pi-01", start).value(), std::nullopt);
    EXPECT_EQ(store.console_of("pi-01", running).value(), "three");
    EXPECT_EQ(store.console_of("pi-02", start).value(), "x");
}

TEST_F(StoreTest, EveryStateComesBack) {
    Store store = open();
    std::vector<boards::EndedBoot> boots;
    for (const auto state :
         {boards::BootState::running,
          boards::BootState::waiting,
          boards::BootState::stuck,
          boards::BootState::up,
          boards::BootState::superseded,
          boards::BootState::abandoned}) {
        boots.push_back(boot_of("pi-01", 1));
        boots.back().boot.state = state;
    }
    ASSERT_TRUE(store.add(boots));
    const auto rows = store.boots().value();
    ASSERT_EQ(rows.values.size(), boots.size());
    for (std::size_t i = 0; i < boots.size(); ++i) EXPECT_EQ(rows.values[i].boot, boots[i].boot);
}

TEST_F(StoreTest, HistoryIsBoundedForEachBoard) {
    Store store = open();
    std::vector<boards::EndedBoot> boots;
    for (int i = 0; i < 60; ++i) boots.push_back(boot_of("pi-01", i));
    boots.push_back(boot_of("pi-02", 0));
    ASSERT_TRUE(store.add(boots));
    const auto one = store.boots_of("pi-01", 1000).value().values;
    ASSERT_EQ(one.size(), Store::boots_per_board_max);
    EXPECT_EQ(one.front().boot.started, start + 59 * 60s);
    EXPECT_EQ(one.back().boot.started, start + 10 * 60s);
    EXPECT_EQ(store.boots_of("pi-02").value().values.size(), 1U);
    const auto latest = store.boots(2).value().values;
    ASSERT_EQ(latest.size(), 3U);
    EXPECT_EQ(latest[0].boot.started, start + 58 * 60s);
    EXPECT_EQ(store.boots_of("pi-03").value().values.size(), 0U);
}

TEST_F(StoreTest, BootsThatDoNotReadAreLeftOut) {
    ASSERT_TRUE(open().add(std::vector{boot_of("pi-01", 1)}));
    run_sql(
        "INSERT INTO boot (board, started_ns, generation, state, details) VALUES "
        "('a', 1, 1, 'dancing', x''), ('b', 1, 1, 'up', CAST('{' AS BLOB)), "
        "('c', 1, 1, 'up', CAST('{}' AS BLOB)), "
        "('d', 1, 1, 'up', CAST('[[[[[[[[[[]]]]]]]]]]' AS BLOB));"
        "INSERT INTO boot (board, started_ns, generation, state, details) SELECT 'e', 1, 1, 'up', "
        "CAST(replace(CAST(details AS TEXT), '\"phase\":5', '\"phase\":6') AS BLOB) FROM boot "
        "WHERE board = 'pi-01';"
    );
    const auto rows = open().boots().value();
    EXPECT_EQ(rows.values.size(), 1U);
    ASSERT_EQ(rows.skipped.size(), 5U);
    EXPECT_EQ(rows.skipped[0], "boot of 'a' left out: its state is not known");
    for (const std::string& one : rows.skipped) EXPECT_NE(one.find("left out"), std::string::npos);
}

TEST_F(StoreTest, BindingsAreWrittenAsTheyChange) {
    Store store = open();
    ASSERT_TRUE(store.bind(std::vector<BindingChange>{{"pi-01", 3}, {"pi-02", 4}}));
    ASSERT_TRUE(store.bind(std::vector<BindingChange>{{"pi-02", 5}, {"pi-01", {}}}));
    EXPECT_EQ(open().bindings().value(), (std::map<std::string, std::uint64_t>{{"pi-02", 5}}));
}

TEST_F(StoreTest, WhatIsServedIsOneNumber) {
    Store store = open();
    EXPECT_EQ(store.served().value(), std::nullopt);
    ASSERT_TRUE(store.set_served(7));
    ASSERT_TRUE(store.set_served(3));
    EXPECT_EQ(open().served().value(), 3U);
}

// A reload opens the database once more beside the serve's own connection, then another program
// looks: what serve writes afterwards must be found after a restart.
TEST_F(StoreTest, WhatIsWrittenAfterOthersHaveLookedIsNotLost) {
    // The other programs begin first: SQLite's knowledge of locks must not come with the fork.
    std::array<int, 2> go{};
    std::array<int, 2> looked{};
    ASSERT_EQ(::pipe(go.data()), 0);
    ASSERT_EQ(::pipe(looked.data()), 0);
    const pid_t child = ::fork();
    char byte = 0;
    if (child == 0) {
        (void)!::read(go[0], &byte, 1);
        { const auto other = Store::open(file); }  // the last one to close takes the journal away
        (void)!::write(looked[1], &byte, 1);
        (void)!::read(go[0], &byte, 1);
        auto reader = Store::open(file);
        ::_exit(reader && reader->served().value() == 2U ? 0 : 1);
    }
    Store serve = open();
    ASSERT_TRUE(serve.set_served(1));
    { const Store reload = open(); }
    ASSERT_EQ(::write(go[1], &byte, 1), 1);
    ASSERT_EQ(::read(looked[0], &byte, 1), 1);
    ASSERT_TRUE(serve.set_served(2));
    ASSERT_EQ(::write(go[1], &byte, 1), 1);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    for (const int fd : {go[0], go[1], looked[0], looked[1]}) ::close(fd);
}

TEST_F(StoreTest, AdoptedBoards) {
    AdoptedBoard board{
        "pi-09", Serial(9), MacAddress::parse("dc:a6:32:00:00:09").value(), "lab", start};
    AdoptedBoard guest{"guest", std::nullopt, board.mac, "lab", start};
    Store store = open();
    ASSERT_TRUE(store.adopt(guest));
    ASSERT_TRUE(store.adopt(board));
    board.profile = "attic";
    ASSERT_TRUE(store.adopt(board));
    EXPECT_EQ(store.adopted().value().values, (std::vector<AdoptedBoard>{guest, board}));
    ASSERT_TRUE(store.forget("guest"));
    EXPECT_EQ(open().adopted().value().values, std::vector<AdoptedBoard>{board});
    run_sql("UPDATE adopted SET serial = 'x'");
    EXPECT_EQ(
        open().adopted().value().skipped,
        std::vector<std::string>{
            "adopted board left out: 'x' is not a serial number (eight hex digits, like 5b154510)"}
    );
}

// Attack class A1: world-readable leases.
TEST_F(StoreTest, NobodyElseReadsIt) {
    const auto mode = [](const std::filesystem::path& path) {
        struct stat status {};
        EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
        return status.st_mode & 07777U;
    };
    const auto old_mask = ::umask(0);
    Store store = open();
    ASSERT_TRUE(store.bind(std::vector<BindingChange>{{"pi-01", 1}}));
    ::umask(old_mask);
    EXPECT_EQ(mode(file), 0640U);
    EXPECT_EQ(mode(file.string() + "-wal"), 0640U);
    ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
    open();
    EXPECT_EQ(mode(file), 0640U);
}

TEST_F(StoreTest, WhatIsNoDatabaseOfOursSaysWhatToDo) {
    EXPECT_EQ(
        Store::open(directory / "none" / "state.db").error().message,
        "state database " + (directory / "none" / "state.db").string() +
            ": No such file or directory (its directory must exist and belong to the user that "
            "runs "
            "Bramble)"
    );
    EXPECT_FALSE(Store::open(directory));
    std::ofstream(file) << std::string(4096, 'x');
    EXPECT_EQ(
        Store::open(file).error().message,
        "state database: file is not a database (move it away: boards keep the addresses of the "
        "fleet "
        "file, leases of the pool are granted anew)"
    );
}

TEST_F(StoreTest, ADatabaseOfANewerProgramIsLeftAlone) {
    open();
    run_sql("PRAGMA user_version = 2");
    EXPECT_EQ(
        Store::open(file).error().message,
        "state database: its form is 2, this program knows 1 (install the newer Bramble again, or "
        "move "
        "the database away)"
    );
}

}  // namespace
}  // namespace bramble::state
