#include "services/io/tftp_service.hpp"

#include <gtest/gtest.h>
#include <sys/time.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

namespace bramble::io {
namespace {

using namespace std::chrono_literals;

const Ipv4Address loopback(std::array<std::uint8_t, 4>{127, 0, 0, 1});

// A blocking client of the whole data path: real sockets, real threads, an ephemeral port for 69.
class Client {
public:
    Client() {
        UdpSocketOptions options;
        options.address = loopback;
        fd_ = FileDescriptor(::socket(AF_INET, SOCK_DGRAM, 0));
        const sockaddr_in any = to_sockaddr(loopback, 0);
        ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any);
        const timeval limit{3, 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }

    void send(const std::string& bytes, std::uint16_t port) {
        const sockaddr_in to = to_sockaddr(loopback, port);
        ::sendto(
            fd_.get(),
            bytes.data(),
            bytes.size(),
            0,
            reinterpret_cast<const sockaddr*>(&to),
            sizeof to
        );
    }

    // The next datagram; the server's port is kept as its transfer identifier.
    std::string receive() {
        std::string buffer(2048, '\0');
        sockaddr_in from{};
        socklen_t length = sizeof from;
        const ssize_t count = ::recvfrom(
            fd_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length
        );
        tid_ = ntohs(from.sin_port);
        buffer.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return buffer;
    }

    void acknowledge(std::uint16_t block) {
        send({0, 4, static_cast<char>(block >> 8), static_cast<char>(block)}, tid_);
    }

    static std::string request(const std::string& path, const std::string& options = {}) {
        return std::string("\0\1", 2) + path + std::string("\0octet\0", 7) + options;
    }

    // RFC 1350 in lock-step, 512 bytes a block; "error N" when the server says so.
    std::string fetch(const std::string& path, std::uint16_t port) {
        send(request(path), port);
        std::string content;
        for (std::uint16_t block = 1;; ++block) {
            const std::string datagram = receive();
            if (datagram.size() < 4) return "nothing";
            if (datagram[1] == 5) return "error " + std::to_string(datagram[3]);
            content += datagram.substr(4);
            acknowledge(block);
            if (datagram.size() < 516) return content;
        }
    }

private:
    FileDescriptor fd_;
    std::uint16_t tid_ = 0;
};

class TftpServiceTest : public testing::Test {
protected:
    TftpServiceTest() : store_(make_folder()), cache_(store_) {}

    ~TftpServiceTest() override {
        loop_.stop();
        if (thread_.joinable()) thread_.join();
        service_.reset();
        std::filesystem::remove_all(store_.store());
    }

    static std::filesystem::path make_folder() {
        std::string pattern = std::filesystem::temp_directory_path() / "bramble-tftp-XXXXXX";
        return ::mkdtemp(pattern.data());
    }

    GenerationPtr generation(std::uint64_t number, const std::string& kernel) {
        const Digest digest = Digest::of(kernel);
        std::filesystem::create_directories(store_.object(digest).parent_path());
        std::ofstream(store_.object(digest), std::ios::binary) << kernel;
        layout::BoardEntry board;
        board.name = "pi-01";
        board.address = loopback;
        board.tree = "lab";
        board.tftp_prefixes = {"0000000a/"};
        board.files["config.txt"] = layout::TextFile{"enable_uart=1\n"};
        layout::Manifest manifest;
        manifest.generation = number;
        manifest.trees["lab"]["kernel8.img"] = layout::ObjectFile{digest, kernel.size()};
        manifest.boards = {board};
        return std::make_shared<const Generation>(std::move(manifest));
    }

    void serve(unsigned workers) {
        TftpServiceOptions options;
        options.address = loopback;
        options.port = 0;
        options.workers = workers;
        // These clients pause as they like; nothing is to be sent to them twice.
        options.settings.transfer.retransmit.floor = 5s;
        auto opened = TftpService::open(options, catalog_, cache_);
        ASSERT_TRUE(opened) << opened.error().message;
        service_ = std::move(*opened);
        service_->start(loop_, [this](std::vector<tftp::TransferEvent> events) {
            for (tftp::TransferEvent& event : events) events_.push_back(std::move(event));
        });
        thread_ = std::thread([this] { loop_.run(); });
    }

    void end_loop() {
        loop_.stop();
        thread_.join();
    }

    layout::StorePaths store_;
    Catalog catalog_;
    ContentCache cache_;
    Loop loop_;
    std::unique_ptr<TftpService> service_;
    std::thread thread_;
    std::vector<tftp::TransferEvent> events_;
};

TEST_F(TftpServiceTest, CarriesFilesAndTexts) {
    const std::string kernel(100'000, 'k');
    catalog_.publish({generation(1, kernel), {}, {}, tftp::TrustPrefix::no});
    serve(2);
    for (int i = 0; i < 8; ++i) {
        Client client;
        EXPECT_EQ(client.fetch("0000000a/config.txt", service_->port()), "enable_uart=1\n");
        EXPECT_EQ(client.fetch("0000000a/kernel8.img", service_->port()), kernel);
        EXPECT_EQ(client.fetch("0000000a/missing", service_->port()), "error 1");
    }
    std::this_thread::sleep_for(50ms);  // the last ACK's way through the worker to the loop
    end_loop();
    EXPECT_EQ(events_.size(), 24U);
    for (const tftp::TransferEvent& event : events_) EXPECT_EQ(event.board, "pi-01");
}

TEST_F(TftpServiceTest, APublishLeavesARunningTransferAlone) {
    const std::string one(5000, '1');
    const std::string two(5000, '2');
    catalog_.publish({generation(1, one), {}, {}, tftp::TrustPrefix::no});
    serve(1);
    Client slow;
    slow.send(Client::request("kernel8.img"), service_->port());
    std::string content = slow.receive().substr(4);
    catalog_.publish({generation(2, two), {}, {}, tftp::TrustPrefix::no});
    Client quick;
    EXPECT_EQ(quick.fetch("kernel8.img", service_->port()), two);
    for (std::uint16_t block = 1; content.size() < one.size(); ++block) {
        slow.acknowledge(block);
        content += slow.receive().substr(4);
    }
    EXPECT_EQ(content, one);
}

// What a board has acknowledged is known while it fetches: admission must not take a slow board for
// a silent one. With what stands in the event, each byte is told once.
TEST_F(TftpServiceTest, ProgressOfARunningTransferIsTold) {
    const std::string kernel(3000, 'k');
    catalog_.publish({generation(1, kernel), {}, {}, {}});
    serve(1);
    Client client;
    client.send(Client::request("kernel8.img"), service_->port());
    for (std::uint16_t block = 1; block <= 3; ++block) {
        ASSERT_EQ(client.receive().size(), 516U);
        client.acknowledge(block);
    }
    std::uint64_t told = 0;
    for (int i = 0; i < 100 && told < 1536; ++i) {
        std::this_thread::sleep_for(50ms);
        for (const auto& [board, bytes] : service_->take_progress()) {
            EXPECT_EQ(board, "pi-01");
            told += bytes;
        }
        // Figures are collected when the worker turns; a repeated ACK turns it.
        client.acknowledge(3);
    }
    EXPECT_EQ(told, 1536U);
    for (std::uint16_t block = 4; block <= 6; ++block) {
        client.receive();
        client.acknowledge(block);
    }
    std::this_thread::sleep_for(100ms);
    for (int i = 0; i < 100 && service_->figures().open_transfers != 0; ++i) {
        std::this_thread::sleep_for(50ms);
    }
    end_loop();
    ASSERT_EQ(events_.size(), 1U);
    for (const auto& [board, bytes] : service_->take_progress()) told += bytes;
    EXPECT_EQ(told + events_[0].bytes_untold, kernel.size());
}

TEST_F(TftpServiceTest, DrainingAnswersNoNewRequestButEndsWhatRuns) {
    const std::string kernel(1200, 'k');
    catalog_.publish({generation(1, kernel), {}, {}, tftp::TrustPrefix::no});
    serve(2);
    Client running;
    running.send(Client::request("kernel8.img"), service_->port());
    std::string content = running.receive().substr(4);
    service_->drain();
    std::this_thread::sleep_for(100ms);
    Client late;
    late.send(Client::request("config.txt"), service_->port());
    running.acknowledge(1);
    content += running.receive().substr(4);
    running.acknowledge(2);
    content += running.receive().substr(4);
    running.acknowledge(3);
    EXPECT_EQ(content, kernel);
    std::this_thread::sleep_for(1300ms);  // figures are at most about a second old
    EXPECT_EQ(service_->figures().open_transfers, 0U);
    EXPECT_EQ(service_->figures().engine.transfers_started, 1U);
}

// RFC 7440 through GSO or without, as this machine does it.
TEST_F(TftpServiceTest, AWindowArrivesInOrder) {
    std::string kernel(14'000, '\0');
    for (std::size_t i = 0; i < kernel.size(); ++i) kernel[i] = static_cast<char>(i / 512);
    catalog_.publish({generation(1, kernel), {}, {}, tftp::TrustPrefix::no});
    serve(1);
    Client client;
    client.send(
        Client::request(
            "kernel8.img",
            std::string(
                "windowsize\0"
                "8\0",
                13
            )
        ),
        service_->port()
    );
    EXPECT_EQ(
        client.receive(),
        std::string(
            "\0\6windowsize\0"
            "8\0",
            15
        )
    );
    client.acknowledge(0);
    std::string content;
    for (std::uint16_t block = 1;; ++block) {
        const std::string datagram = client.receive();
        ASSERT_GE(datagram.size(), 4U);
        ASSERT_EQ(static_cast<unsigned char>(datagram[3]), block & 0xff);
        content += datagram.substr(4);
        if (block % 8 == 0 || datagram.size() < 516) client.acknowledge(block);
        if (datagram.size() < 516) break;
    }
    EXPECT_EQ(content, kernel);
}

// What would be a SIGBUS is an EFAULT of one datagram, because nobody here touches a payload: its
// reader is told, the next one too, and others are served.
TEST_F(TftpServiceTest, AFileThatIsCutShortCostsItsReadersAnError) {
    const std::string kernel(100'000, 'k');
    catalog_.publish({generation(1, kernel), {}, {}, tftp::TrustPrefix::no});
    serve(1);
    Client reader;
    reader.send(Client::request("kernel8.img"), service_->port());
    EXPECT_EQ(reader.receive().size(), 516U);
    std::filesystem::resize_file(store_.object(Digest::of(kernel)), 0);
    reader.acknowledge(1);
    const std::string told = reader.receive();
    ASSERT_GE(told.size(), 4U);
    EXPECT_EQ(told[1], 5) << "ERROR";
    EXPECT_NE(told.find("damaged"), std::string::npos);
    Client next;
    EXPECT_EQ(next.fetch("kernel8.img", service_->port()), "error 1");
    EXPECT_EQ(next.fetch("config.txt", service_->port()), "enable_uart=1\n");
}

// The watchdog's question: asked again too soon, nobody has turned since.
TEST_F(TftpServiceTest, TellsWhetherEveryWorkerTurned) {
    serve(2);
    std::this_thread::sleep_for(1500ms);  // an idle worker turns once a second
    EXPECT_TRUE(service_->all_turned());
    EXPECT_FALSE(service_->all_turned());
    std::this_thread::sleep_for(1500ms);
    EXPECT_TRUE(service_->all_turned());
}

}  // namespace
}  // namespace bramble::io
