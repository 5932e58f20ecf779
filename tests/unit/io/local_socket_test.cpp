#include "services/io/local_socket.hpp"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>

namespace bramble::io {
namespace {

using namespace std::chrono_literals;

class LocalSocketTest : public testing::Test {
protected:
    LocalSocketTest() { std::filesystem::create_directories(path_.parent_path()); }

    ~LocalSocketTest() override {
        ::eventfd_write(stop_.get(), 1);
        if (thread_.joinable()) thread_.join();
        std::filesystem::remove_all(path_.parent_path());
    }

    // Asked for once, before any thread runs: getpwuid(3) answers in memory that all share.
    static const std::string& own_name() {
        static const std::string name = ::getpwuid(::geteuid())->pw_name;
        return name;
    }

    void listen(Duration idle = 0s) {
        auto opened = LocalListener::open(path_, own_name());
        ASSERT_TRUE(opened) << opened.error().message;
        listener_.emplace(std::move(*opened));
        LocalLimits limits;
        limits.line_bytes_max = 100;
        limits.line_timeout = 200ms;
        thread_ = std::thread([this, idle, limits] {
            listener_->run(
                stop_.get(),
                idle,
                [](const LocalCaller& caller, std::string_view line) {
                    return caller.name + " said " + std::string(line);
                },
                limits
            );
        });
    }

    std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                  ("bramble-socket-" + std::to_string(::getpid())) / "socket";
    FileDescriptor stop_{::eventfd(0, EFD_CLOEXEC)};
    std::optional<LocalListener> listener_;
    std::thread thread_;
};

TEST_F(LocalSocketTest, ALineIsAnsweredByALineAndTheCallerIsKnown) {
    listen();
    for (int i = 0; i < 3; ++i) {
        const auto answer = call_local(path_, "hello", 5s);
        ASSERT_TRUE(answer) << answer.error().message;
        EXPECT_EQ(*answer, own_name() + " said hello");
    }
}

TEST_F(LocalSocketTest, OnlyItsOwnerAndTheGroupMayCall) {
    listen();

    struct stat status {};

    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0660U);
}

TEST_F(LocalSocketTest, WhoSaysNothingOrTooMuchKeepsNobodyWaitingForLong) {
    listen();
    EXPECT_FALSE(call_local(path_, std::string(500, 'a'), 5s));
    const auto answer = call_local(path_, "after them", 5s);
    ASSERT_TRUE(answer) << answer.error().message;
}

TEST_F(LocalSocketTest, ASocketThatIsLeftOverIsReplacedAndOneInUseIsNot) {
    { ASSERT_TRUE(LocalListener::open(path_, own_name())); }
    ASSERT_TRUE(std::filesystem::exists(path_));
    const auto gone = call_local(path_, "hello", 5s);
    ASSERT_FALSE(gone);
    EXPECT_NE(gone.error().message.find("nobody listens on"), std::string::npos);
    listen();
    const auto second = LocalListener::open(path_, own_name());
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("another process listens"), std::string::npos);
    EXPECT_FALSE(LocalListener::open(path_, "no such user"));
    EXPECT_FALSE(LocalListener::open(std::string(200, 'a'), own_name()));
}

TEST_F(LocalSocketTest, EndsWhenNobodyCallsForSomeTime) {
    listen(50ms);
    thread_.join();
    EXPECT_FALSE(LocalListener::is_handed_over());
    EXPECT_FALSE(LocalListener::from_service_manager());
}

}  // namespace
}  // namespace bramble::io
