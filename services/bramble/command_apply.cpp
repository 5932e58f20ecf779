#include <fmt/core.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <thread>

#include "provisioning/apply/apply.hpp"
#include "provisioning/apply/only.hpp"
#include "provisioning/host/real_host.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/invocation.hpp"
#include "services/bramble/progress_screen.hpp"
#include "services/bramble/provisioning.hpp"
#include "services/bramble/rehearsing.hpp"

namespace bramble::program {
namespace {

struct Flags {
    bool rehearse = false;
    bool update = false;
    bool keep_going = false;
    std::vector<std::string> only;

    std::set<std::string> boards() const { return {only.begin(), only.end()}; }
};

Exit plan(const Invocation& invocation, const Flags& flags) {
    auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    const auto part = apply::part_of(loaded->fleet, flags.boards());
    if (!part) return print_error(part.error().message, Exit::usage);
    host::RealHost host;
    const layout::StorePaths store(loaded->fleet.appliance.store);
    auto observed = apply::observe(*part, store, host);
    if (!observed) return print_error(observed.error().message, Exit::machine);
    apply::hold_others(*observed, loaded->fleet, flags.boards());
    const plan::Plan made = plan::make(*part, *observed, store);
    print_result(
        invocation.json ? plan::render_json(made, loaded->fleet) : plan::render(made, loaded->fleet)
    );
    return made.refused() ? Exit::no : Exit::done;
}

// Whether every board of the candidate would boot. The report is printed: the error is one line.
Result<void> may_publish(
    const fleet::Fleet& fleet,
    const layout::Manifest& candidate,
    bool json,
    const std::function<void(const std::string&)>& say
) {
    const auto reports = rehearse_generation(fleet, candidate, {});
    if (!reports) return tl::unexpected(reports.error());
    say(json ? rehearsal::render_json(*reports) : rehearsal::render_all(*reports));
    for (const rehearsal::Report& report : *reports) {
        if (!report.boots()) {
            return fail("the rehearsal says that not every board would boot: nothing is published");
        }
    }
    return {};
}

Exit apply_once(const Invocation& invocation, const Flags& flags) {
    if (::geteuid() != 0) {
        return print_error(
            "apply needs root, because roots hold foreign owners and device nodes: run `sudo "
            "bramble apply`; `bramble plan` shows what it would do",
            Exit::machine
        );
    }
    auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    if (!loaded->warnings.empty()) fmt::print(stderr, "{}", loaded->warnings);

    if (auto part = apply::part_of(loaded->fleet, flags.boards()); !part) {
        return print_error(part.error().message, Exit::usage);
    }
    const StopOnSignal stop;
    std::optional<ProgressScreen> screen;
    if (!invocation.json && ::isatty(STDOUT_FILENO) != 0) screen.emplace();
    const auto say = [&](const std::string& text) {
        screen ? screen->print(text) : print_result(text);
    };
    bool refused = false;
    std::function<Result<void>(const layout::Manifest&)> ask;
    if (flags.rehearse) {
        ask = [&](const layout::Manifest& candidate) {
            auto may = may_publish(loaded->fleet, candidate, invocation.json, say);
            refused = !may;
            return may;
        };
    }
    const auto on_event = [&](const apply::Event& event) {
        if (screen) {
            screen->on_event(event);
        } else {
            print_result(invocation.json ? apply::render_json(event) : apply::render(event));
        }
    };
    const auto outcome = run_apply(
        loaded->fleet,
        stop.token(),
        on_event,
        {std::move(ask),
         flags.update,
         flags.boards(),
         flags.keep_going,
         invocation.json || screen.has_value()}
    );
    screen.reset();
    if (!outcome) {
        return print_error(outcome.error().message, refused ? Exit::no : Exit::machine);
    }
    if (invocation.json) {
        boost::json::array warnings(outcome->warnings.begin(), outcome->warnings.end());
        print_result(boost::json::serialize(boost::json::object{
            {"generation", outcome->generation},
            {"changed", outcome->changed},
            {"warnings", std::move(warnings)},
            {"failures", boost::json::value_from(outcome->failures)},
            {"held", boost::json::value_from(outcome->held)},
        }));
    } else {
        print_result(describe(*outcome, flags.boards()));
    }
    return outcome->failures.empty() ? Exit::done : Exit::no;
}

void add_only_option(CLI::App& command, Flags& flags) {
    command
        .add_option(
            "--only",
            flags.only,
            "These boards alone (with commas between); all others keep what the current generation "
            "gives them"
        )
        ->delimiter(',')
        ->type_name("BOARD");
}

}  // namespace

void add_plan(CLI::App& app, Invocation& invocation) {
    CLI::App* command =
        app.add_subcommand("plan", "Say what apply would do, and why; change nothing");
    command->footer(
        "Examples:\n"
        "  bramble plan\n"
        "  bramble plan --only pi-07\n"
        "  bramble plan --json | jq -r '.steps[].reason'\n"
        "\n"
        "Exit code 1 when the plan is refused: a source is missing, a board would not boot."
    );
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object: steps, problems");
    auto flags = std::make_shared<Flags>();
    add_only_option(*command, *flags);
    command->callback([&invocation, flags] { invocation.exit = plan(invocation, *flags); });
}

void add_apply(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "apply", "Make the fleet file true: build what is missing, publish it as one new generation"
    );
    command->footer(
        "Examples:\n"
        "  sudo bramble apply\n"
        "  sudo bramble apply --fleet ./lab.yaml\n"
        "  sudo bramble apply --rehearse      publish only what every board would boot\n"
        "  sudo bramble apply --only pi-07,pi-08\n"
        "\n"
        "Runs as root, on all cores. A second run does nothing and says so; one after a failure\n"
        "goes on where it stopped. Boards see the old generation or the new one, never a mixture.\n"
        "Exit code 1 when --rehearse said no, or when something failed with --keep-going."
    );
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object per event, the outcome last");
    auto flags = std::make_shared<Flags>();
    command->add_flag(
        "--rehearse",
        flags->rehearse,
        "Boot every board on paper first; publish nothing if one would not"
    );
    command->add_flag(
        "--update",
        flags->update,
        "Look up anew what kernels' branches and packages mean; the lock file says so afterwards"
    );
    add_only_option(*command, *flags);
    command->add_flag(
        "--keep-going",
        flags->keep_going,
        "Let a failure stop only what depends on it: boards that need it keep what they have"
    );
    command->callback([&invocation, flags] { invocation.exit = apply_once(invocation, *flags); });
}

}  // namespace bramble::program
