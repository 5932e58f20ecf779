// How the real host runs commands: streams, exit codes, limits, stopping.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "provisioning/host/real_host.hpp"

namespace bramble::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

Command shell(std::string script) {
    Command command;
    command.argv = {"sh", "-c", std::move(script)};
    return command;
}

TEST(RunCommand, KeepsStreamsApartAndTellsTheExitCode) {
    RealHost host;
    const auto outcome = host.run(shell("echo out; echo err >&2; exit 3"));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->exit_code, 3);
    EXPECT_EQ(outcome->output, "out\n");
    EXPECT_EQ(outcome->errors, "err\n");
}

TEST(RunCommand, ASignalIs128AndItsNumber) {
    RealHost host;
    EXPECT_EQ(host.run(shell("kill -9 $$"))->exit_code, 137);
}

TEST(RunCommand, GivesInputDirectoryAndOnlyItsOwnEnvironment) {
    RealHost host;
    ::setenv("BRAMBLE_TEST_LEAK", "leaked", 1);
    Command command = shell("cat; pwd; echo $ADDED-$BRAMBLE_TEST_LEAK-$HOME");
    command.input = "given\n";
    command.directory = "/usr";
    command.environment = {{"ADDED", "yes"}};
    EXPECT_EQ(host.run(command)->output, "given\n/usr\nyes--/root\n");
}

TEST(RunCommand, TellsLinesAsTheyComeAlsoThoseOfProgressBars) {
    RealHost host;
    std::vector<std::string> lines;
    Command command = shell("printf 'one\\n10%%\\r20%%\\rlast'");
    command.on_line = [&](std::string_view line) { lines.emplace_back(line); };
    ASSERT_TRUE(host.run(command));
    EXPECT_THAT(lines, ElementsAre("one", "10%", "20%", "last"));
}

TEST(RunCommand, MuchOutputIsKeptByItsTail) {
    RealHost host;
    const auto outcome = host.run(shell("head -c 5000000 /dev/zero | tr '\\0' x; echo end"));
    ASSERT_TRUE(outcome);
    EXPECT_LE(outcome->output.size(), 2 * CommandOutcome::output_bytes_max);
    EXPECT_EQ(outcome->output.substr(outcome->output.size() - 4), "end\n");
}

TEST(RunCommand, IsEndedAtItsLimitWithItsChildren) {
    RealHost host;
    Command command = shell("sleep 60 & sleep 60");
    command.limit = 100ms;
    const auto begun = std::chrono::steady_clock::now();
    const auto outcome = host.run(command);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().message, "'sh' took longer than its limit");
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
}

TEST(RunCommand, StopsWhenAsked) {
    RealHost host;
    std::stop_source source;
    Command command = shell("sleep 60");
    command.stop = source.get_token();
    std::jthread asker([&] {
        std::this_thread::sleep_for(50ms);
        source.request_stop();
    });
    const auto outcome = host.run(command);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().message, "'sh' was stopped");
}

TEST(RunCommand, ABackgroundChildThatKeepsThePipeOpenIsNotWaitedFor) {
    RealHost host;
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(host.run(shell("sleep 60 & echo done"))->output, "done\n");
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
}

TEST(RunCommand, AMissingProgramNamesTheRemedy) {
    RealHost host;
    Command command;
    command.argv = {"no-such-program"};
    const auto outcome = host.run(command);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(
        outcome.error().message,
        "'no-such-program' is not installed; deploy/setup installs what is needed"
    );
    EXPECT_FALSE(host.has_program("no-such-program"));
    EXPECT_TRUE(host.has_program("sh"));
}

TEST(RunCommand, AMissingDirectoryIsAFailedStart) {
    RealHost host;
    Command command = shell("true");
    command.directory = "/no/such/directory";
    const auto outcome = host.run(command);
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message, HasSubstr("No such file or directory"));
}

// Those with this word in their command line, by looking at /proc.
std::size_t processes_with(const std::string& word) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::ifstream file(entry.path() / "cmdline");
        std::string text{std::istreambuf_iterator<char>(file), {}};
        if (text.rfind("sleep", 0) == 0 && text.find(word) != text.npos) ++count;
    }
    return count;
}

bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 500 && !holds(); ++i) std::this_thread::sleep_for(10ms);
    return holds();
}

// Two that left the command's group behind, as build tools and their servers do.
class OwnProcesses : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "PID namespaces need root";
        command_ = shell(
            "setsid sleep " + word_ + " & setsid sleep " + word_ + " & " +
            "trap 'exit 7' TERM; wait"
        );
        command_.own_processes = true;
    }

    RealHost host_;
    const std::string word_ = "4000." + std::to_string(::getpid());
    Command command_;
};

TEST_F(OwnProcesses, TheirEndAndOutputAreTheCommands) {
    Command command = shell("echo out; echo $$; exit 3");
    command.own_processes = true;
    const auto outcome = host_.run(command);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->exit_code, 3);
    EXPECT_EQ(outcome->output, "out\n1\n");
    command.argv = {"/no/such/program"};
    EXPECT_FALSE(host_.run(command));
}

// As in a container that may make no namespaces: what is built there is built without.
TEST_F(OwnProcesses, WhereTheyAreForbiddenItRunsAllTheSame) {
    Command command = shell("echo $$");
    command.own_processes = true;
    const pid_t us = ::fork();
    ASSERT_GE(us, 0);
    if (us == 0) {
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        std::array<__user_cap_data_struct, 2> nothing{};
        if (::syscall(SYS_capset, &header, nothing.data()) != 0) ::_exit(2);
        const auto outcome = host_.run(command);
        ::_exit(outcome && outcome->exit_code == 0 && outcome->output != "1\n" ? 0 : 1);
    }
    int status = 0;
    ::waitpid(us, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST_F(OwnProcesses, WhatLeftTheGroupEndsWithTheCommandThatIsStopped) {
    std::stop_source source;
    command_.stop = source.get_token();
    std::jthread stopper([&] {
        EXPECT_TRUE(eventually([&] { return processes_with(word_) == 2; }));
        source.request_stop();
    });
    EXPECT_FALSE(host_.run(command_));
    EXPECT_TRUE(eventually([&] { return processes_with(word_) == 0; }));
}

TEST_F(OwnProcesses, NothingOutlivesUsHoweverWeEnd) {
    const pid_t us = ::fork();
    ASSERT_GE(us, 0);
    if (us == 0) {
        const auto outcome = host_.run(command_);
        ::_exit(outcome ? 0 : 1);
    }
    EXPECT_TRUE(eventually([&] { return processes_with(word_) == 2; }));
    ::kill(us, SIGKILL);
    ::waitpid(us, nullptr, 0);
    EXPECT_TRUE(eventually([&] { return processes_with(word_) == 0; }));
}

TEST(RunOrFail, QuotesTheLastLinesOfErrors) {
    RealHost host;
    const auto outcome = run_or_fail(host, shell("seq 1 20 >&2; exit 1"));
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message, HasSubstr("ended with exit code 1:\n9\n10\n"));
    EXPECT_THAT(outcome.error().message, testing::EndsWith("\n20"));
}

}  // namespace
}  // namespace bramble::host
