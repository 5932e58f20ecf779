// The real Ganesha, in a network namespace of this program's own: what lab facts, section 2,
// promises and what a fleet needs. Skips aloud without root or Ganesha.
#include "provisioning/nfs/ganesha.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <barrier>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>

#include "provisioning/host/real_host.hpp"
#include "provisioning/nfs/client.hpp"
#include "provisioning/nfs/exports.hpp"
#include "provisioning/nfs/nas.hpp"
#include "provisioning/nfs/verify.hpp"

namespace bramble::nfs {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t mount_port = 20048;
const std::string server_address = "172.31.77.1";
const std::string address_of_a = "172.31.77.3";
const std::string address_of_b = "172.31.77.4";

// Runs `ip` with these words.
bool ip(std::vector<std::string> words) {
    host::RealHost host;
    host::Command command;
    command.argv = std::move(words);
    command.argv.insert(command.argv.begin(), "ip");
    const auto ran = host.run(command);
    return ran && ran->exit_code == 0;
}

// Whether a process, or with a negative number its whole group, comes to an end soon: whoever
// takes over orphans needs a moment to bury them.
bool is_gone(pid_t pid) {
    for (int i = 0; i < 50 && kill(pid, 0) == 0; ++i) std::this_thread::sleep_for(100ms);
    return kill(pid, 0) != 0;
}

// From now on this namespace's programs reach the server from `address`.
void speak_from(const std::string& address) {
    ASSERT_TRUE(
        ip({"route",
            "replace",
            "local",
            server_address,
            "dev",
            "lo",
            "table",
            "local",
            "proto",
            "kernel",
            "scope",
            "host",
            "src",
            address})
    );
}

std::string why_not() {
    if (geteuid() != 0) return "needs root";
    host::RealHost host;
    for (const char* program : {"ganesha.nfsd", "rpcbind", "ip"})
        if (!host.has_program(program)) return std::string(program) + " is not installed";
    return "";
}

class GaneshaTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        if (!why_not().empty()) return;
        ASSERT_EQ(unshare(CLONE_NEWNET), 0);
        ASSERT_TRUE(ip({"link", "set", "lo", "up"}));
        for (const std::string& address : {server_address, address_of_a, address_of_b})
            ASSERT_TRUE(ip({"address", "add", address + "/24", "dev", "lo"}));
    }

    void SetUp() override {
        if (const std::string reason = why_not(); !reason.empty()) {
            std::cerr << "SKIPPED, Ganesha is not tested: " << reason << '\n';
            GTEST_SKIP() << reason;
        }
        std::string name = "/tmp/bramble-ganesha-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
        appliance_.address = Ipv4Network::parse(server_address + "/24").value();
        appliance_.nfs = fleet::NfsGanesha{};
        speak_from(server_address);
    }

    void TearDown() override {
        ganesha_.reset();
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }

    ExportedRoot root(const std::string& board, const std::string& address) {
        const auto path = folder_ / "boards" / board / "root";
        std::filesystem::create_directories(path);
        std::ofstream(path / "hostname") << board;
        ExportedRoot exported;
        exported.board = board;
        exported.path = path;
        exported.client = Ipv4Address::parse(address).value();
        return exported;
    }

    Result<std::vector<std::string>> publish(const std::vector<ExportedRoot>& roots) {
        return publish_exports(host_, layout::StorePaths(folder_), appliance_, roots);
    }

    void start() {
        const layout::StorePaths store(folder_);
        auto started = Ganesha::start(
            {ganesha_configuration_file(store),
             ganesha_pid_file(store),
             appliance_.address.address()},
            [this](std::string_view line) {
                const std::lock_guard lock(mutex_);
                log_ += std::string(line) + '\n';
            }
        );
        ASSERT_TRUE(started) << started.error().message;
        ganesha_ = std::move(*started);
    }

    // What the board at `address` reads in `exported`'s file "hostname"; the error when it cannot.
    static std::string read_from(
        const std::string& address, const ExportedRoot& exported, unsigned version
    ) {
        speak_from(address);
        MountOptions options;
        options.version = version;
        options.mount_port = version == 3 ? mount_port : 0;
        auto client = Client::mount(server_address, exported.path.string(), options);
        auto text = client ? client->read_file("/hostname", 100)
                           : Result<std::string>(tl::unexpected(client.error()));
        speak_from(server_address);
        return text ? *text : "error: " + text.error().message;
    }

    std::string log() {
        const std::lock_guard lock(mutex_);
        return log_;
    }

    pid_t pid() {
        pid_t number = 0;
        std::ifstream(ganesha_pid_file(layout::StorePaths(folder_))) >> number;
        return number;
    }

    host::RealHost host_;
    std::filesystem::path folder_;
    fleet::Appliance appliance_;
    std::unique_ptr<Ganesha> ganesha_;
    std::mutex mutex_;
    std::string log_;
};

TEST_F(GaneshaTest, EachRootIsForItsBoardAloneByBothVersions) {
    const std::vector<ExportedRoot> roots = {root("a", address_of_a), root("b", address_of_b)};
    ASSERT_TRUE(publish(roots));
    start();
    for (const unsigned version : {3U, 4U}) {
        EXPECT_EQ(read_from(address_of_a, roots[0], version), "a");
        EXPECT_EQ(read_from(address_of_b, roots[1], version), "b");
        EXPECT_TRUE(read_from(address_of_a, roots[1], version).starts_with("error:"));
        EXPECT_TRUE(read_from(address_of_b, roots[0], version).starts_with("error:"));
    }
    const auto verified = verify_exports(appliance_.address.address(), roots, mount_port, 0ms);
    EXPECT_TRUE(verified) << verified.error().message;
    EXPECT_EQ(log(), "");  // a healthy start has nothing to tell
}

TEST_F(GaneshaTest, ExportsComeAndGoWhileOthersAreInUse) {
    const ExportedRoot a = root("a", address_of_a);
    const ExportedRoot b = root("b", address_of_b);
    ASSERT_TRUE(publish({a}));
    start();
    speak_from(address_of_a);
    auto in_use = Client::mount(server_address, a.path.string(), {3, 2049, mount_port, 5000ms});
    speak_from(server_address);
    ASSERT_TRUE(in_use) << in_use.error().message;

    const auto added = publish({a, b});  // tells Ganesha, and looks
    ASSERT_TRUE(added) << added.error().message;
    EXPECT_EQ(read_from(address_of_b, b, 4), "b");
    EXPECT_EQ(in_use->read_file("/hostname", 100).value(), "a");

    ASSERT_TRUE(publish({a}));
    for (int i = 0; i < 30 && read_from(address_of_b, b, 3) == "b"; ++i)
        std::this_thread::sleep_for(100ms);
    EXPECT_TRUE(read_from(address_of_b, b, 3).starts_with("error:"));
    EXPECT_EQ(in_use->read_file("/hostname", 100).value(), "a");
}

TEST_F(GaneshaTest, AClientChangeTakesEffectLive) {
    ExportedRoot a = root("a", address_of_a);
    ASSERT_TRUE(publish({a}));
    start();
    a.client = Ipv4Address::parse(address_of_b).value();
    ASSERT_TRUE(publish({a}));
    for (int i = 0; i < 30 && read_from(address_of_b, a, 3) != "a"; ++i)
        std::this_thread::sleep_for(100ms);
    EXPECT_EQ(read_from(address_of_b, a, 3), "a");
    EXPECT_TRUE(read_from(address_of_a, a, 3).starts_with("error:"));
}

// One that takes the connection and says nothing: whoever stops the run waits for no time limit.
TEST_F(GaneshaTest, ANasThatIsSilentIsLeftAtAStop) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in portmapper{};
    portmapper.sin_family = AF_INET;
    portmapper.sin_port = htons(111);
    ASSERT_EQ(inet_pton(AF_INET, address_of_b.c_str(), &portmapper.sin_addr), 1);
    ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&portmapper), sizeof(portmapper)), 0);
    ASSERT_EQ(listen(listener, 4), 0);
    std::stop_source stop;
    NasPatience patience;
    patience.stop = stop.get_token();
    std::jthread stopper([&] {
        std::this_thread::sleep_for(300ms);
        stop.request_stop();
    });
    const auto begun = std::chrono::steady_clock::now();
    const auto opened = Nas::open(address_of_b, "/volume1", patience);
    close(listener);
    ASSERT_FALSE(opened);
    EXPECT_TRUE(opened.error().message.starts_with("stopped;")) << opened.error().message;
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 8s);  // whoever is not stopped waits 10
}

// Steps of one apply write several trees at once, whose parents are the same.
TEST_F(GaneshaTest, ADirectoryThatManyMakeAtOnceIsThereForEachOfThem) {
    constexpr int rounds = 20;
    constexpr std::size_t writers = 6;
    const ExportedRoot a = root("a", address_of_a);
    ASSERT_TRUE(publish({a}));
    start();
    speak_from(address_of_a);
    std::vector<std::unique_ptr<Nas>> connections;
    for (std::size_t i = 0; i < writers; ++i) {
        auto opened = Nas::open(server_address, a.path, {});
        ASSERT_TRUE(opened) << opened.error().message;
        connections.push_back(std::move(*opened));
    }
    std::barrier line(writers);
    std::vector<std::string> errors(writers);
    const auto write = [&](std::size_t writer) {
        NasStatus like;
        like.mode = 0755;
        for (int round = 0; round < rounds; ++round) {
            line.arrive_and_wait();
            const auto path = std::filesystem::path("round-" + std::to_string(round)) / "shared";
            const auto made = connections[writer]->make_directories("", path, like);
            if (!made) errors[writer] = made.error().message;
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < writers; ++i) threads.emplace_back(write, i);
    }
    speak_from(server_address);
    EXPECT_EQ(errors, std::vector<std::string>(writers));
    for (int round = 0; round < rounds; ++round) {
        EXPECT_TRUE(is_directory(a.path / ("round-" + std::to_string(round)) / "shared"));
    }
}

// Ganesha logs a bad EXPORT and serves the others: whoever configured it has to look.
TEST_F(GaneshaTest, AMissingRootIsAnErrorThatNamesIt) {
    const ExportedRoot a = root("a", address_of_a);
    ExportedRoot missing = root("b", address_of_b);
    ASSERT_TRUE(publish({a}));
    start();
    std::filesystem::remove_all(missing.path);
    const auto published = publish({a, missing});
    ASSERT_FALSE(published);
    EXPECT_NE(
        published.error().message.find(missing.path.string() + " (board b): "), std::string::npos
    ) << published.error().message;
    EXPECT_EQ(published.error().message.find("(board a)"), std::string::npos);
    EXPECT_EQ(read_from(address_of_a, a, 3), "a");
}

TEST_F(GaneshaTest, AtItsStartItTellsWhatItDoesNotExport) {
    const ExportedRoot a = root("a", address_of_a);
    const ExportedRoot missing = root("b", address_of_b);
    ASSERT_TRUE(publish({a, missing}));
    std::filesystem::remove_all(missing.path);
    start();
    EXPECT_NE(log().find("does not export:\n  " + missing.path.string() + ": "), std::string::npos)
        << log();
    EXPECT_EQ(log().find(a.path.string() + ": "), std::string::npos) << log();
    EXPECT_EQ(read_from(address_of_a, a, 3), "a");
}

TEST_F(GaneshaTest, DiesAndIsStartedAgain) {
    const ExportedRoot a = root("a", address_of_a);
    ASSERT_TRUE(publish({a}));
    start();
    const pid_t first = pid();
    ASSERT_GT(first, 0);
    kill(first, SIGKILL);
    for (int i = 0; i < 100 && read_from(address_of_a, a, 3) != "a"; ++i)
        std::this_thread::sleep_for(100ms);
    EXPECT_EQ(read_from(address_of_a, a, 3), "a");
    EXPECT_NE(pid(), first);
    EXPECT_TRUE(is_gone(-first)) << "its rpcbind is still there";
    const pid_t second = pid();
    ganesha_.reset();
    EXPECT_NE(kill(second, 0), 0);
    EXPECT_TRUE(is_gone(-second)) << "its rpcbind is still there";
}

TEST_F(GaneshaTest, AConfigurationThatItRefusesIsToldWithItsWords) {
    const layout::StorePaths store(folder_);
    std::filesystem::create_directories(store.nfs());
    std::ofstream(ganesha_configuration_file(store))
        << "NFS_CORE_PARAM { Protocols = 4; Bind_addr = nowhere; }\n";
    auto started = Ganesha::start(
        {ganesha_configuration_file(store), ganesha_pid_file(store), appliance_.address.address()},
        {}
    );
    ASSERT_FALSE(started);
    EXPECT_NE(
        started.error().message.find("ganesha.nfsd ended at once; its last words:\n"),
        std::string::npos
    ) << started.error().message;
}

}  // namespace
}  // namespace bramble::nfs
