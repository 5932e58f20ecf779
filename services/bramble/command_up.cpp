#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <set>
#include <stop_token>
#include <thread>

#include "provisioning/host/real_host.hpp"
#include "provisioning/nfs/exports.hpp"
#include "provisioning/nfs/ganesha.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/generations.hpp"
#include "services/bramble/invocation.hpp"
#include "services/bramble/log.hpp"
#include "services/bramble/operating.hpp"
#include "services/bramble/operator_token.hpp"
#include "services/bramble/provisioning.hpp"
#include "services/bramble/serving.hpp"
#include "services/io/directory_watch.hpp"
#include "services/io/loop.hpp"

namespace bramble::program {
namespace {

using namespace std::chrono_literals;

// An editor writes a file in several steps: they become one apply.
constexpr Duration settle_time = 300ms;

void say(std::string_view text) {
    print_result(text);
}

bool has_roots(const io::GenerationPtr& generation) {
    if (!generation) return false;
    for (const layout::BoardEntry& board : generation->manifest().boards) {
        if (board.root) return true;
    }
    return false;
}

// apply + NFS server + serve, in the foreground, until a signal.
class Up {
public:
    explicit Up(const Invocation& invocation) : fleet_file_(invocation.fleet_file) {}

    Exit run() {
        auto fleet = load_fleet_with_enrolled(fleet_file_);
        if (!fleet) return print_error(fleet.error().message, Exit::no);
        if (!fleet->warnings.empty()) fmt::print(stderr, "{}", fleet->warnings);
        {
            const StopOnSignal stop;
            if (auto applied = apply(fleet->fleet, stop.token()); !applied) {
                return print_error(applied.error().message, Exit::machine);
            }
        }
        if (auto started = start_nfs(fleet->fleet); !started) {
            return print_error(started.error().message, Exit::machine);
        }
        return serve(std::move(*fleet));
    }

private:
    static Result<apply::Outcome> apply(const fleet::Fleet& fleet, const std::stop_token& stop) {
        auto outcome =
            run_apply(fleet, stop, [](const apply::Event& event) { say(apply::render(event)); });
        if (outcome) say(describe(*outcome));
        return outcome;
    }

    // Ganesha as a child where this machine's kernel does not serve NFS; nothing where no board has
    // a root, or another machine has them.
    Result<void> start_nfs(const fleet::Fleet& fleet) {
        if (ganesha_) return {};
        const layout::StorePaths store(fleet.appliance.store);
        const auto generation = load_current_generation(store);
        if (!generation) return tl::unexpected(generation.error());
        if (!has_roots(*generation)) return {};
        host::RealHost host;
        const auto server = nfs::choose_server(host, fleet.appliance.nfs);
        if (!server) return tl::unexpected(server.error());
        if (*server != nfs::Server::ganesha) return {};
        nfs::Ganesha::Settings settings;
        settings.configuration = nfs::ganesha_configuration_file(store);
        settings.pid_file = nfs::ganesha_pid_file(store);
        settings.address = fleet.appliance.address.address();
        say("starting NFS-Ganesha");
        auto started = nfs::Ganesha::start(settings, [](std::string_view line) {
            spdlog::warn("nfs: {}", line);
        });
        if (!started) return tl::unexpected(started.error());
        ganesha_ = std::move(*started);
        return {};
    }

    Exit serve(LoadedFleet fleet) {
        const fleet::Appliance appliance = fleet.fleet.appliance;
        if (auto token = read_or_make_operator_token(appliance); !token) {
            return print_error(token.error().message, Exit::machine);
        }
        sources_ = fleet.fleet.sources;
        auto serving = Serving::open(
            loop_,
            std::move(fleet),
            ServingOptions{
                fleet_file_,
                "",
                [](const std::string& line) { say(line); },
                [this] { apply_is_due("boards were enrolled"); },
                [this, operating = Operating(fleet_file_, operator_token_file(appliance))](
                    const web::Asked& asked
                ) { return operate(operating, asked); }}
        );
        if (!serving) return print_error(serving.error().message, Exit::machine);
        serving_ = std::move(*serving);
        settle_timer_ = loop_.make_timer([this] { begin_apply(); });
        watch_fleet_files();
        loop_.on_signals({SIGHUP, SIGTERM, SIGINT}, [this](int number) { on_signal(number); });
        serving_->start();
        say(fmt::format(
            "status page: http://{}:{}/ (`sudo bramble token` prints what it asks for before it "
            "changes anything)",
            appliance.admin.address,
            appliance.admin.port
        ));
        loop_.run();
        if (applying_.joinable()) {
            applying_.request_stop();
            applying_.join();
        }
        serving_.reset();
        return Exit::done;
    }

    // On a thread beside the loop.
    Result<web::Outcome> operate(const Operating& operating, const web::Asked& asked) {
        web::Outcome outcome = operating.carry_out(asked);
        if (outcome.status == 200 && !std::holds_alternative<web::RollBack>(asked.operation)) {
            loop_.post([this] { apply_is_due("an operator changed the fleet"); });
        }
        return outcome;
    }

    void on_signal(int number) {
        if (number == SIGHUP) {
            apply_is_due("SIGHUP");
        } else if (!draining_) {
            draining_ = true;
            say("stopping");
            applying_.request_stop();
            serving_->drain([this] { loop_.stop(); });
        } else {
            loop_.stop();
        }
    }

    // Every directory that the fleet was read from: an include may gain files too.
    void watch_fleet_files() {
        watches_.clear();
        std::set<std::filesystem::path> directories;
        for (const fleet::SourceFile& source : sources_) {
            directories.insert(std::filesystem::absolute(source.path).parent_path());
        }
        for (const std::filesystem::path& directory : directories) {
            auto watch = io::DirectoryWatch::open(loop_, directory, "", [this] {
                if (fleet_texts_changed()) apply_is_due("the fleet file changed");
            });
            if (watch) watches_.push_back(std::move(*watch));
        }
    }

    // Directories hold other files too, and an editor's temporary ones.
    bool fleet_texts_changed() const {
        const auto loaded = load_fleet(fleet_file_);
        if (!loaded) return true;
        if (loaded->fleet.sources.size() != sources_.size()) return true;
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            if (loaded->fleet.sources[i].path != sources_[i].path) return true;
            if (loaded->fleet.sources[i].text != sources_[i].text) return true;
        }
        return false;
    }

    void apply_is_due(const std::string& reason) {
        if (draining_) return;
        due_reason_ = reason;
        settle_timer_.expire_at(loop_.now() + settle_time);
    }

    void begin_apply() {
        if (draining_) return;
        if (apply_runs_) {  // once more when it is done
            apply_again_ = true;
            return;
        }
        auto fleet = load_fleet_with_enrolled(fleet_file_);
        if (!fleet) {
            say(fmt::format(
                "{}: {}\nserved as before until it is sound again",
                due_reason_,
                fleet.error().message
            ));
            serving_->reload(due_reason_);  // records why, for the status and the metrics
            return;
        }
        sources_ = fleet->fleet.sources;
        watch_fleet_files();
        say(fmt::format("{}: applying", due_reason_));
        apply_runs_ = true;
        if (applying_.joinable()) applying_.join();
        applying_ =
            std::jthread([this, fleet = std::move(fleet->fleet)](const std::stop_token& stop) {
                auto outcome = apply(fleet, stop);
                std::string error = outcome ? std::string() : outcome.error().message;
                if (outcome) {
                    if (auto started = start_nfs(fleet); !started) error = started.error().message;
                }
                loop_.post([this, error] { end_apply(error); });
            });
    }

    void end_apply(const std::string& error) {
        apply_runs_ = false;
        if (!error.empty()) {
            print_error(error + "\nserved as before", Exit::machine);
        } else {
            serving_->reload(due_reason_);
        }
        if (std::exchange(apply_again_, false)) begin_apply();
    }

    std::filesystem::path fleet_file_;
    std::unique_ptr<nfs::Ganesha> ganesha_;  // outlives the serving
    io::Loop loop_;
    std::unique_ptr<Serving> serving_;
    std::vector<fleet::SourceFile> sources_;
    std::vector<io::DirectoryWatch> watches_;
    io::Timer settle_timer_;
    std::string due_reason_;
    bool draining_ = false;
    bool apply_runs_ = false;
    bool apply_again_ = false;
    std::jthread applying_;
};

Exit up(const Invocation& invocation) {
    if (::geteuid() != 0) {
        return print_error(
            "up needs root: it applies, serves NFS and binds ports below 1024: run `sudo bramble "
            "up`",
            Exit::machine
        );
    }
    return Up(invocation).run();
}

}  // namespace

void add_up(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "up", "Apply, serve NFS and answer boards, all here in the foreground until Ctrl-C"
    );
    command->footer(
        "Examples:\n"
        "  sudo bramble up\n"
        "  sudo bramble up --fleet ./lab.yaml --verbose\n"
        "\n"
        "Prints the story of each boot as it happens. Applies again when the fleet file changes\n"
        "or a board is enrolled. NFS comes from the kernel's server where there is one, from\n"
        "NFS-Ganesha as a child otherwise. For quick labs, containers and tests; `bramble apply`\n"
        "and the systemd unit are the same in two parts."
    );
    auto verbose = std::make_shared<bool>(false);
    add_fleet_option(*command, invocation);
    command->add_flag("-v,--verbose", *verbose, "Log every request too, to stderr");
    command->callback([&invocation, verbose] {
        set_up_log(*verbose ? Verbosity::verbose : Verbosity::quiet);
        invocation.exit = up(invocation);
    });
}

}  // namespace bramble::program
