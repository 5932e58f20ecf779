#include "services/io/http_listener.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <memory>
#include <string>
#include <thread>

#include "services/io/file_descriptor.hpp"
#include "services/io/udp_socket.hpp"

namespace bramble::io {
namespace {

using namespace std::chrono_literals;

const Ipv4Address loopback(std::array<std::uint8_t, 4>{127, 0, 0, 1});

// A listener with its loop on a thread; clients speak raw TCP from the test's own.
class HttpListenerTest : public testing::Test {
protected:
    void listen(HttpHandler handler, HttpLimits limits = {}) {
        auto opened = HttpListener::open(loop_, "127.0.0.1", 0, std::move(handler), limits);
        ASSERT_TRUE(opened) << opened.error().message;
        listener_ = std::make_unique<HttpListener>(std::move(*opened));
        thread_ = std::thread([this] { loop_.run(); });
    }

    ~HttpListenerTest() override {
        loop_.stop();
        if (thread_.joinable()) thread_.join();
    }

    FileDescriptor connect() {
        FileDescriptor fd(::socket(AF_INET, SOCK_STREAM, 0));
        const timeval limit{5, 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        const sockaddr_in to = to_sockaddr(loopback, listener_->port());
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
        return fd;
    }

    // Everything until the server closes.
    static std::string read_all(int fd) {
        std::string out;
        std::array<char, 4096> buffer{};
        for (;;) {
            const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
            if (count <= 0) return out;
            out.append(buffer.data(), static_cast<std::size_t>(count));
        }
    }

    std::string ask(const std::string& text) {
        const FileDescriptor fd = connect();
        EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
        return read_all(fd.get());
    }

    static HttpResponse echo(const HttpRequest& request) {
        return {
            200,
            "text/plain",
            request.method + " " + request.target + " " + request.peer->to_string() + " [" +
                request.authorization + "] " + request.body,
            {{"X-Test", "yes"}}};
    }

    Loop loop_;
    std::unique_ptr<HttpListener> listener_;
    std::thread thread_;
};

TEST_F(HttpListenerTest, AnswersWithWhatTheHandlerSays) {
    listen(echo);
    const std::string answer =
        ask("PUT /v1/boards/pi-01/up HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n"
            "Content-Length: 5\r\nConnection: close\r\n\r\nhello");
    EXPECT_EQ(answer.substr(0, 15), "HTTP/1.1 200 OK");
    EXPECT_NE(answer.find("X-Test: yes\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("PUT /v1/boards/pi-01/up 127.0.0.1 [Bearer t] hello"), std::string::npos)
        << answer;
}

TEST_F(HttpListenerTest, KeepsAConnectionUpToItsBound) {
    HttpLimits limits;
    limits.requests_per_connection_max = 2;
    listen(echo, limits);
    const std::string one = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    const std::string answer = ask(one + one + one);
    std::size_t answers = 0;
    for (std::size_t at = 0; (at = answer.find("HTTP/1.1 200", at)) != std::string::npos; ++at) {
        ++answers;
    }
    EXPECT_EQ(answers, 2U);
}

TEST_F(HttpListenerTest, SendsNoBodyForHead) {
    listen(echo);
    const std::string answer = ask("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_NE(answer.find("Content-Length: "), std::string::npos);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(HttpListenerTest, RefusesABodyAboveTheBound) {
    HttpLimits limits;
    limits.body_bytes_max = 4;
    listen(echo, limits);
    const std::string answer = ask("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 413") << answer;
}

TEST_F(HttpListenerTest, RefusesAHeaderAboveTheBound) {
    HttpLimits limits;
    limits.header_bytes_max = 256;
    listen(echo, limits);
    const std::string answer =
        ask("GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(300, 'a') + "\r\n\r\n");
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 431") << answer;
}

TEST_F(HttpListenerTest, RefusesWhatIsNotHttp) {
    listen(echo);
    EXPECT_EQ(ask("\x16\x03\x01 not http\r\n\r\n").substr(0, 12), "HTTP/1.1 400");
}

TEST_F(HttpListenerTest, EndsAConnectionThatSaysNothing) {
    HttpLimits limits;
    limits.request_timeout = 50ms;
    listen(echo, limits);
    const FileDescriptor fd = connect();
    EXPECT_EQ(read_all(fd.get()), "");  // 5 s would be the test's own limit
}

TEST_F(HttpListenerTest, TheLongestSilentMakesRoomForWhoeverComes) {
    HttpLimits limits;
    limits.connections_max = 4;
    listen(echo, limits);
    std::vector<FileDescriptor> silent;
    for (int i = 0; i < 40; ++i) silent.push_back(connect());
    const std::string answer = ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 200");
    EXPECT_EQ(read_all(silent.front().get()), "");
}

TEST_F(HttpListenerTest, WhoIsBeingAnsweredIsNotSentAway) {
    HttpLimits limits;
    limits.connections_max = 1;
    std::function<void(HttpResponse)> give;
    listen(
        [&give](const HttpRequest&) {
            HttpResponse response;
            response.later = [&give](auto answer) { give = std::move(answer); };
            return response;
        },
        limits
    );
    const FileDescriptor first = connect();
    const std::string request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    ASSERT_GT(::send(first.get(), request.data(), request.size(), MSG_NOSIGNAL), 0);
    EXPECT_EQ(ask(request), "") << "there is no room, and nobody who only waits";
    loop_.post([&give] { give({200, "text/plain", "at last", {}}); });
    EXPECT_TRUE(read_all(first.get()).ends_with("at last"));
}

TEST_F(HttpListenerTest, AnAnswerThatNeverComesEndsTheConnection) {
    listen([](const HttpRequest&) {
        HttpResponse response;
        response.later = [](const auto&) {};
        return response;
    });
    const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const FileDescriptor fd = connect();
    ASSERT_GT(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL), 0);
    EXPECT_EQ(read_all(fd.get()), "");  // the connection goes with what would have answered
}

TEST_F(HttpListenerTest, HandsOnWhatBrowsersSayOfWhoAsks) {
    listen([](const HttpRequest& request) {
        return HttpResponse{
            200,
            "text/plain",
            request.host + "|" + request.origin + "|" + request.fetch_site + "|" + request.marker +
                "|" + request.content_type,
            {}};
    });
    EXPECT_TRUE(ask("POST / HTTP/1.1\r\nHost: a:1\r\nOrigin: http://b\r\nSec-Fetch-Site: none\r\n"
                    "X-Bramble-Request: 1\r\nContent-Type: text/x\r\nConnection: close\r\n\r\n")
                    .ends_with("a:1|http://b|none|1|text/x"));
}

TEST_F(HttpListenerTest, AHandlerThatThrowsIsAnErrorOfOurs) {
    listen([](const HttpRequest&) -> HttpResponse { throw std::runtime_error("broken"); });
    const std::string answer = ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 500");
}

TEST(HttpListener, NamesThePortThatIsTaken) {
    Loop loop;
    const auto handler = [](const HttpRequest&) { return HttpResponse{}; };
    const auto first = HttpListener::open(loop, "127.0.0.1", 0, handler);
    ASSERT_TRUE(first);
    const auto second = HttpListener::open(loop, "127.0.0.1", first->port(), handler);
    ASSERT_FALSE(second);
    const std::string number = std::to_string(first->port());
    EXPECT_EQ(
        second.error().message,
        "TCP 127.0.0.1:" + number + " is taken by another program: `ss -tlpn 'sport = :" + number +
            "'` names it"
    );
    EXPECT_FALSE(HttpListener::open(loop, "not an address", 0, handler));
}

}  // namespace
}  // namespace bramble::io
