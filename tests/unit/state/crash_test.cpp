// A lease that write() confirmed is there after kill -9; a full disk is an error and costs nothing
// that was there.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "tests/unit/state/state_file.hpp"

namespace bramble::state {
namespace {

using CrashTest = StateFile;

std::vector<dhcp::LeaseChange> put(std::uint32_t number) {
    return {dhcp::PutLease{lease_of(number)}, dhcp::PutLease{lease_of(number + 100)}};
}

TEST_F(CrashTest, WhatWasConfirmedSurvivesAKill) {
    open();
    int confirmed[2] = {};
    ASSERT_EQ(::pipe(confirmed), 0);
    const pid_t writer = ::fork();
    if (writer == 0) {
        Store store = open();
        for (std::uint32_t number = 0;; number = (number + 1) % 100) {
            if (!store.write(put(number))) ::_exit(1);
            const auto byte = static_cast<char>(number);
            if (::write(confirmed[1], &byte, 1) != 1) ::_exit(1);
        }
    }
    constexpr std::uint32_t wanted = 40;
    for (std::uint32_t number = 0; number < wanted; ++number) {
        char byte = 0;
        ASSERT_EQ(::read(confirmed[0], &byte, 1), 1);
        ASSERT_EQ(static_cast<std::uint32_t>(byte), number);
    }
    ASSERT_EQ(::kill(writer, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(writer, &status, 0), writer);
    ASSERT_TRUE(WIFSIGNALED(status));
    ::close(confirmed[0]);
    ::close(confirmed[1]);

    const auto rows = open().leases().value();
    EXPECT_TRUE(rows.skipped.empty());
    const auto has = [&rows](std::uint32_t number) {
        return std::ranges::find(rows.values, lease_of(number)) != rows.values.end();
    };
    for (std::uint32_t number = 0; number < wanted; ++number)
        EXPECT_TRUE(has(number) && has(number + 100)) << number;
    // Batches are there whole or not at all, also the one that was being written.
    for (std::uint32_t number = 0; number < 100; ++number)
        EXPECT_EQ(has(number), has(number + 100));
}

// The limit on a file's size stands for a full disk; it ends with the child that has it.
TEST_F(CrashTest, AFullDiskIsAnErrorAndLosesNothing) {
    ASSERT_TRUE(open().write(put(1)));
    const pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        Store store = open();
        const rlimit limit{64U << 10U, 64U << 10U};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
        std::vector<dhcp::LeaseChange> many;
        for (std::uint32_t number = 0; number < 10'000; ++number) {
            dhcp::PutLease change{lease_of(3)};
            change.lease.address = Ipv4Address(0x0a000000U + number);
            many.emplace_back(change);
        }
        const auto written = store.write(many);
        if (written || written.error().message.find("state database: ") != 0) ::_exit(3);
        // The store goes on: what was there is there, and the next small write may succeed.
        const auto left = store.leases();
        if (!left || left->values.size() != 2) ::_exit(4);
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    Store store = open();
    EXPECT_EQ(store.leases()->values.size(), 2U);
    EXPECT_TRUE(store.write(put(5)));
}

TEST_F(CrashTest, SomebodyElsesLockIsAnErrorNotAHang) {
    Store store = open();
    Database other = Database::open(file).value();
    ASSERT_TRUE(other.execute("BEGIN IMMEDIATE"));
    const auto written = store.write(put(1));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().message, "state database: database is locked");
    ASSERT_TRUE(other.execute("COMMIT"));
    EXPECT_TRUE(store.write(put(1)));
}

TEST_F(CrashTest, AReadOnlyDatabaseIsAnError) {
    open();
    Database database = Database::open(file).value();
    ASSERT_TRUE(database.execute("PRAGMA query_only = ON"));
    const auto done = database.transaction([&] { return database.execute("DELETE FROM lease"); });
    ASSERT_FALSE(done);
    EXPECT_EQ(
        done.error().message,
        "state database: attempt to write a readonly database (the user that runs Bramble must own "
        "it)"
    );
}

}  // namespace
}  // namespace bramble::state
