// Server-sent events over real sockets: what listeners get, and that none can cost the others.
#include "services/io/event_stream.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "services/io/file_descriptor.hpp"
#include "services/io/http_client.hpp"
#include "services/io/http_listener.hpp"
#include "services/io/udp_socket.hpp"

namespace bramble::io {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view request = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";

class EventStreamTest : public testing::Test {
protected:
    void serve(EventStreamLimits limits) {
        events_ = EventStream(limits);
        auto opened = HttpListener::open(loop_, "127.0.0.1", 0, [this](const HttpRequest& asked) {
            HttpResponse response;
            if (asked.target == "/events") response.events = events_;
            return response;
        });
        ASSERT_TRUE(opened) << opened.error().message;
        listener_.emplace(std::move(*opened));
        thread_ = std::thread([this] { loop_.run(); });
    }

    ~EventStreamTest() override {
        loop_.stop();
        if (thread_.joinable()) thread_.join();
    }

    FileDescriptor listen(std::string_view text = request, int receive_bytes = 0) {
        FileDescriptor fd(::socket(AF_INET, SOCK_STREAM, 0));
        const timeval limit{5, 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (receive_bytes != 0) {
            ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
        }
        const sockaddr_in to = to_sockaddr(*Ipv4Address::parse("127.0.0.1"), listener_->port());
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
        EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
        return fd;
    }

    static std::string read_until(int fd, std::string_view end) {
        std::string out;
        std::array<char, 4096> buffer{};
        while (out.find(end) == std::string::npos) {
            const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
            if (count <= 0) break;
            out.append(buffer.data(), static_cast<std::size_t>(count));
        }
        return out;
    }

    // On the loop's thread, as the stream wants it; answers when it is done.
    EventStreamFigures publish(std::string_view name, std::string data, int times = 1) {
        std::promise<EventStreamFigures> done;
        loop_.post([&] {
            for (int i = 0; i < times; ++i) events_.publish(name, data);
            done.set_value(events_.figures());
        });
        return done.get_future().get();
    }

    bool becomes(std::size_t listeners) {
        for (int i = 0; i < 200; ++i) {
            if (publish("turn", "", 0).listeners == listeners) return true;
            std::this_thread::sleep_for(10ms);
        }
        return false;
    }

    Loop loop_;
    EventStream events_;
    std::optional<HttpListener> listener_;
    std::thread thread_;
};

TEST_F(EventStreamTest, SendsTheSameToAllWhoListen) {
    serve({});
    const FileDescriptor one = listen();
    const FileDescriptor two = listen();
    ASSERT_TRUE(becomes(2));
    publish("story", "first\nsecond");
    for (const int fd : {one.get(), two.get()}) {
        const std::string text = read_until(fd, "second\n\n");
        EXPECT_EQ(text.substr(0, 15), "HTTP/1.1 200 OK");
        EXPECT_NE(text.find("Content-Type: text/event-stream"), std::string::npos) << text;
        EXPECT_EQ(text.find("Content-Length"), std::string::npos) << text;
        EXPECT_TRUE(text.ends_with("event: story\ndata: first\ndata: second\n\n")) << text;
    }
}

TEST_F(EventStreamTest, OneListenerTooManyIsAskedToComeAgain) {
    EventStreamLimits limits;
    limits.listeners_max = 1;
    serve(limits);
    const FileDescriptor one = listen();
    ASSERT_TRUE(becomes(1));
    const FileDescriptor two = listen();
    EXPECT_EQ(read_until(two.get(), "already").substr(0, 12), "HTTP/1.1 503");
}

TEST_F(EventStreamTest, WhoGoesAwayMakesRoomAtOnce) {
    serve({});
    {
        const FileDescriptor gone = listen();
        ASSERT_TRUE(becomes(1));
    }
    EXPECT_TRUE(becomes(0)) << "without waiting for a heartbeat";
}

TEST_F(EventStreamTest, WhoDoesNotReadIsDroppedAndTheOthersAreNot) {
    EventStreamLimits limits;
    limits.backlog_bytes_max = 64 * 1024;
    serve(limits);
    const FileDescriptor slow = listen(request, 4096);
    ASSERT_TRUE(becomes(1));
    const FileDescriptor reads = listen();
    ASSERT_TRUE(becomes(2));
    auto reader =
        std::async(std::launch::async, [&] { return read_until(reads.get(), "the end"); });
    const std::string data(8 * 1024, 'x');
    EventStreamFigures figures;
    for (int i = 0; i < 500 && figures.dropped == 0; ++i) {
        figures = publish("story", data);
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(figures.dropped, 1U);
    EXPECT_TRUE(becomes(1));
    publish("story", "the end");
    EXPECT_NE(reader.get().find("the end"), std::string::npos);
}

TEST_F(EventStreamTest, SilenceIsBrokenByComments) {
    EventStreamLimits limits;
    limits.heartbeat = 20ms;
    serve(limits);
    const FileDescriptor fd = listen();
    EXPECT_NE(read_until(fd.get(), ": alive\n\n: alive\n\n").find(": alive"), std::string::npos);
}

TEST_F(EventStreamTest, HeadIsTheHeaderAlone) {
    serve({});
    const FileDescriptor fd = listen("HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(read_until(fd.get(), "never").ends_with("\r\n\r\n"));
    EXPECT_TRUE(becomes(0));
}

TEST_F(EventStreamTest, TheClientFollowsUntilItHasEnough) {
    serve({});
    HttpCall call;
    call.address = "127.0.0.1";
    call.port = listener_->port();
    call.target = "/events";
    std::string text;
    auto client = std::async(std::launch::async, [&] {
        return follow_http(call, 5s, [&text](std::string_view piece) {
            text += piece;
            return text.find("enough") == std::string::npos;
        });
    });
    ASSERT_TRUE(becomes(1));
    publish("story", "enough");
    const auto answer = client.get();
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(answer->content_type, "text/event-stream; charset=utf-8");
    EXPECT_TRUE(text.ends_with("event: story\ndata: enough\n\n")) << text;
    EXPECT_TRUE(becomes(0));
}

TEST_F(EventStreamTest, TheClientIsToldOfSilence) {
    serve({});
    HttpCall call;
    call.address = "127.0.0.1";
    call.port = listener_->port();
    call.target = "/events";
    const auto answer = follow_http(call, 50ms, [](std::string_view) { return true; });
    ASSERT_FALSE(answer);
    EXPECT_NE(answer.error().message.find("timeout"), std::string::npos) << answer.error().message;
}

}  // namespace
}  // namespace bramble::io
