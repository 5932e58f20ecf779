// virtual_fleet: virtual Raspberry Pis on a real wire, for the quickstart and the system tests.
// Each board has a network namespace of its own, plugged into a bridge; all of them end with the
// program. It refuses to know who serves the boards.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>

#include "config/layout/manifest.hpp"
#include "services/wire_board/board_thread.hpp"
#include "tests/support/virtual_fleet/names.hpp"
#include "tests/support/virtual_fleet/processor.hpp"
#include "tests/support/virtual_fleet/root_reader.hpp"

namespace {

using namespace bramble;
using namespace bramble::virtual_fleet;

std::atomic<bool> stop_requested = false;

struct Options {
    std::string bridge = "br0";
    std::vector<std::string> boards;
    std::string board_list;
    double timeout_s = 300;
    double time_scale = 0.2;
    std::string manifest;
    std::string json;
    std::string up_url;
    std::uint64_t seed = 1;
    double stagger_s = 0;
    bool verbose = false;
    bool processors = false;
};

constexpr const char* footer =
    "One line per event of each board, a summary at the end. Exit codes: 0 all booted, 1 some did\n"
    "not, 2 the command was wrong. Namespaces and veths end with the program, however it ends.";

void define(CLI::App& app, Options& options) {
    app.add_option(
        "--bridge", options.bridge, "Bridge in this namespace that the boards plug into"
    );
    app.add_option("--board", options.boards, "NAME,SERIAL,MAC[,PROFILE]; may be repeated");
    app.add_option("--boards", options.board_list, "File with one such board per line");
    app.add_option("--timeout", options.timeout_s, "Seconds after which boards count as failed");
    app.add_option(
        "--time-scale", options.time_scale, "Factor on power-on, link and kernel times (0.2)"
    );
    app.add_option("--stagger", options.stagger_s, "Seconds between two boards' power on");
    app.add_option("--manifest", options.manifest, "manifest.json to hold every file against");
    app.add_option(
        "--up-url",
        options.up_url,
        "Report URL for roots that name none; {name}, "
        "{serial} and {server} are replaced"
    );
    app.add_option("--json", options.json, "File for the reports");
    app.add_option("--seed", options.seed, "Of xids and waits");
    app.add_flag(
        "--processors", options.processors, "Boards hang where a real one's kernel would not run"
    );
    app.add_flag("--verbose", options.verbose, "Each file and each DHCP message too");
    app.footer(footer);
}

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error(path + ": cannot be read");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

Duration scaled(Duration duration, double factor) {
    return std::chrono::duration_cast<Duration>(duration * factor);
}

std::vector<BoardName> boards_of(const Options& options) {
    std::vector<std::string> lines = options.boards;
    if (!options.board_list.empty()) {
        std::istringstream text(read_file(options.board_list));
        for (std::string line; std::getline(text, line);) {
            if (!line.empty() && line.front() != '#') lines.push_back(line);
        }
    }
    std::vector<BoardName> boards;
    for (const std::string& line : lines) {
        auto board = parse_board(line);
        if (!board) throw std::runtime_error(board.error().message);
        auto& timing = board->spec.timing;
        const double offset = options.stagger_s * static_cast<double>(boards.size());
        timing.power_on =
            scaled(timing.power_on, options.time_scale) + scaled(std::chrono::seconds(1), offset);
        timing.link_up = scaled(timing.link_up, options.time_scale);
        timing.kernel_min = scaled(timing.kernel_min, options.time_scale);
        timing.kernel_max = scaled(timing.kernel_max, options.time_scale);
        board->spec.seed = options.seed * 1000 + boards.size();
        board->spec.record_events = true;
        boards.push_back(std::move(*board));
    }
    if (boards.empty()) throw std::runtime_error("no board: use --board or --boards");
    return boards;
}

// SIGALRM is the end of time; a second SIGINT finds the default and kills.
void on_signal(int) {
    stop_requested = true;
}

int run(const Options& options) {
    const std::vector<BoardName> boards = boards_of(options);
    std::optional<layout::Manifest> manifest;
    if (!options.manifest.empty()) {
        auto parsed = layout::parse_manifest(read_file(options.manifest));
        if (!parsed) throw std::runtime_error(options.manifest + ": " + parsed.error().message);
        manifest = std::move(*parsed);
    }

    struct sigaction action {};

    action.sa_handler = on_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int number : {SIGINT, SIGTERM, SIGALRM}) ::sigaction(number, &action, nullptr);
    ::alarm(static_cast<unsigned>(options.timeout_s) + 1);

    std::mutex mouth;
    const auto say = [&](const std::string& line) {
        const std::lock_guard lock(mouth);
        fmt::print("{}\n", line);
        std::fflush(stdout);
    };
    wire_board::Surroundings around;
    around.interface = options.bridge;
    around.read_root = read_root;
    around.up_url = options.up_url;
    around.manifest = manifest ? &*manifest : nullptr;
    around.verbose = options.verbose;
    if (options.processors) around.processor = [] { return std::make_unique<Processor>(); };
    around.stop = &stop_requested;
    const TimePoint started = wire_board::steady_now();
    around.say = [&](const BoardName& board, virtual_board::Phase, const std::string& text) {
        const std::chrono::duration<double> since = wire_board::steady_now() - started;
        say(fmt::format("{:7.2f} s  {}  {}", since.count(), board.name, text));
    };
    std::vector<BoardReport> reports(boards.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < boards.size(); ++i) {
        threads.emplace_back([&, i] {
            const std::string port = fmt::format("vb{}-{}", ::getpid() % 100'000, i);
            reports[i] = wire_board::run_board(boards[i], port, around);
        });
    }
    for (std::thread& thread : threads) thread.join();

    std::size_t booted = 0;
    for (const BoardReport& report : reports) {
        booted += report.booted ? 1 : 0;
        if (!report.booted) say(fmt::format("{} did not boot: {}", report.name, report.failure));
    }
    say(fmt::format("{} of {} boards booted", booted, reports.size()));
    if (!options.json.empty()) std::ofstream(options.json) << to_json(reports) << '\n';
    return booted == reports.size() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("Virtual Raspberry Pis on a real wire");
    define(app, options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        return run(options);
    } catch (const std::exception& error) {
        fmt::print(stderr, "virtual_fleet: {}\n", error.what());
        return 2;
    }
}
