#include "services/wire_board/board_thread.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "services/virtual_board/board.hpp"
#include "services/wire_board/up_report.hpp"
#include "services/wire_board/wire.hpp"

namespace bramble::wire_board {

namespace {

using namespace virtual_board;

constexpr Duration stop_looked_at_every = std::chrono::milliseconds(200);

// Holds each file against the manifest of the generation that is served.
class Verifier : public FileObserver {
public:
    Verifier(const layout::Manifest* manifest, const BoardName& board)
        : manifest_(manifest),
          entry_(manifest != nullptr ? manifest->find_board(board.name) : nullptr) {}

    void on_bytes(std::string_view path, std::uint64_t offset, std::span<const std::byte> bytes)
        override {
        if (processor != nullptr) processor->on_bytes(path, offset, bytes);
    }

    void on_file(const ReceivedFile& file) override {
        if (processor != nullptr) processor->on_file(file.path);
        if (manifest_ == nullptr) return;
        const layout::BootFile* expected = entry_ != nullptr ? find(file.path) : nullptr;
        if (expected == nullptr) {
            problem = fmt::format("{} is not in its tree", file.path);
        } else if (digest_of(*expected) != file.digest) {
            problem = fmt::format("{} is not the file of its tree", file.path);
        } else {
            ++verified;
        }
    }

    std::uint64_t verified = 0;
    std::string problem;
    Loaded* processor = nullptr;

private:
    const layout::BootFile* find(std::string path) const {
        for (std::size_t at = 0; (at = path.find("//", at)) != std::string::npos;)
            path.erase(at, 1);
        if (path.starts_with('/')) path.erase(0, 1);  // a Pi 5 that has dropped its prefix
        for (const std::string& prefix : entry_->tftp_prefixes) {
            if (path.starts_with(prefix)) path.erase(0, prefix.size());
        }
        return manifest_->find_file(*entry_, path);
    }

    static Digest digest_of(const layout::BootFile& file) {
        if (const auto* object = std::get_if<layout::ObjectFile>(&file)) return object->digest;
        return Digest::of(std::get<layout::TextFile>(file).text);
    }

    const layout::Manifest* manifest_;
    const layout::BoardEntry* entry_;
};

std::string filled_in(std::string text, const BoardName& board, const std::string& server) {
    const auto replace = [&](std::string_view mark, const std::string& value) {
        if (const auto at = text.find(mark); at != std::string::npos) {
            text.replace(at, mark.size(), value);
        }
    };
    replace("{name}", board.name);
    replace("{serial}", board.spec.serial.to_string());
    replace("{server}", server);
    return text;
}

class Runner {
public:
    Runner(const BoardName& named, const Surroundings& around, Wire wire)
        : named_(named),
          around_(around),
          wire_(std::move(wire)),
          verifier_(around.manifest, named),
          board_(named.spec, &verifier_) {
        if (around.processor) processor_ = around.processor();
        verifier_.processor = processor_.get();
    }

    BoardReport run() {
        begun_ = steady_now();
        board_.on_power(begun_);
        settle();
        while (!over()) {
            const TimePoint now = steady_now();
            const auto due = board_.next_deadline();
            const Duration wait = due ? *due - now : stop_looked_at_every;
            if (due && wait <= Duration::zero()) {
                board_.on_deadline(now);
            } else {
                wire_.receive(std::min(wait, stop_looked_at_every), [this](const UdpIn& datagram) {
                    board_.on_datagram(datagram, steady_now());
                    settle();
                });
            }
            settle();
        }
        return report();
    }

private:
    bool over() const {
        return !dead_.empty() || board_.booted() || board_.phase() == Phase::hung ||
               board_.phase() == Phase::halted || around_.stop->load() ||
               (around_.ends_with && around_.ends_with(board_.last_failure().failure));
    }

    void settle() {
        bool again = true;
        while (again) {
            again = false;
            while (auto out = board_.poll_transmit(steady_now())) wire_.send(*out);
            while (auto action = board_.poll_action()) {
                tell_events();
                act(*action);
                again = true;
            }
        }
        start_kernel();
        tell_events();
    }

    void tell_events() {
        while (auto event = board_.poll_event()) {
            if (event->detail && !around_.verbose) continue;
            around_.say(named_, event->phase, event->text);
        }
    }

    // Once all is loaded. A kernel that does not run is silence.
    void start_kernel() {
        if (!processor_ || started_ || board_.phase() != Phase::kernel) return;
        started_ = true;
        dead_ = processor_->trouble();
        if (!dead_.empty()) say(dead_);
    }

    void say(const std::string& text) const { around_.say(named_, board_.phase(), text); }

    void act(const Action& action) {
        if (const auto* use = std::get_if<UseAddress>(&action)) {
            const auto done = wire_.use_address(use->network, use->gateway);
            if (!done) say(done.error().message);
            address_ = use->network.address().to_string();
        } else if (std::holds_alternative<DropAddress>(action)) {
            wire_.drop_address();
        } else if (const auto* mount = std::get_if<MountRoot>(&action)) {
            cmdline_ = mount->cmdline;
            const auto seen = look_at_root(*mount);
            trouble_ = seen ? "" : seen.error().message;
            board_.on_mount_result(seen, steady_now());
        } else if (const auto* up = std::get_if<ReportUp>(&action)) {
            const std::string url = !seen_.up_url.empty()
                                        ? seen_.up_url
                                        : filled_in(around_.up_url, named_, up->server);
            const auto done = url.empty() ? fail("the root has no unit that reports")
                                          : report_up(url, seen_.hostname, up->cmdline);
            trouble_ = done ? "" : done.error().message;
            if (!done) say(trouble_);
            board_.on_report_result(done.has_value(), steady_now());
        }
    }

    Result<void> look_at_root(const MountRoot& mount) {
        auto seen = around_.read_root(mount);
        if (!seen) return tl::unexpected(seen.error());
        seen_ = std::move(*seen);
        if (seen_.hostname != named_.name) {
            return fail(fmt::format(
                "the root of {} is another board's: /etc/hostname says '{}'",
                named_.name,
                seen_.hostname
            ));
        }
        say(fmt::format(
            "root {}:{} mounted with vers={}{}",
            mount.server,
            mount.path,
            mount.version,
            seen_.bytes == 0 ? "" : fmt::format(", {} bytes read", seen_.bytes)
        ));
        return {};
    }

    BoardReport report() const {
        const Counters& counters = board_.counters();
        BoardReport report;
        report.address = address_;
        report.booted = board_.booted() && verifier_.problem.empty();
        if (!report.booted) report.failure = reason();
        report.kind = board_.last_failure().failure;
        report.seconds = std::chrono::duration<double>(steady_now() - begun_).count();
        report.files = counters.files;
        report.bytes = counters.bytes;
        report.verified = verifier_.verified;
        report.restarts = counters.restarts;
        report.retries = counters.rrq_retries + counters.ack_retries;
        report.prefix = board_.tftp_prefix();
        report.cmdline = cmdline_;
        return report;
    }

    std::string reason() const {
        if (!verifier_.problem.empty()) return verifier_.problem;
        if (!dead_.empty()) return dead_;
        const BootFailure& failure = board_.last_failure();
        if (failure.failure == Failure::none) {
            return fmt::format(
                "stopped in phase '{}'{}{}",
                to_string(board_.phase()),
                trouble_.empty() ? "" : ": ",
                trouble_
            );
        }
        if (!failure.led) return failure.detail;
        return fmt::format(
            "{} (LED {}+{})", failure.detail, failure.led->long_flashes, failure.led->short_flashes
        );
    }

    const BoardName& named_;
    const Surroundings& around_;
    Wire wire_;
    Verifier verifier_;
    std::unique_ptr<Loaded> processor_;  // none: whatever is loaded runs
    Board board_;
    bool started_ = false;
    std::string dead_;  // why its kernel does not run
    RootSeen seen_;
    TimePoint begun_;
    std::string address_;
    std::string cmdline_;
    std::string trouble_;  // the last mount's or report's
};

}  // namespace

TimePoint steady_now() {
    return TimePoint(std::chrono::steady_clock::now().time_since_epoch());
}

BoardReport run_board(const BoardName& board, const std::string& port, const Surroundings& around) {
    ::prctl(PR_SET_TIMERSLACK, 1000UL);  // think times are fractions of a millisecond
    BoardReport report;
    auto wire = Wire::plug(around.interface, port, board.spec.mac);
    if (wire) {
        report = Runner(board, around, std::move(*wire)).run();
    } else {
        report.failure = wire.error().message;
    }
    report.name = board.name;
    report.serial = board.spec.serial.to_string();
    report.mac = board.spec.mac.to_string();
    report.profile = board.spec.profile.name;
    return report;
}

}  // namespace bramble::wire_board
