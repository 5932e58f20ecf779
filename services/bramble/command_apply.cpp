#include <fmt/core.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <csignal>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>

#include "provisioning/apply/apply.hpp"
#include "provisioning/host/real_host.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/invocation.hpp"
#include "services/bramble/provisioning.hpp"
#include "services/bramble/rehearsing.hpp"

namespace bramble::program {
namespace {

Exit plan(const Invocation& invocation) {
    auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    host::RealHost host;
    const layout::StorePaths store(loaded->fleet.appliance.store);
    const auto observed = apply::observe(loaded->fleet, store, host);
    if (!observed) return print_error(observed.error().message, Exit::machine);
    const plan::Plan made = plan::make(loaded->fleet, *observed, store);
    print_result(
        invocation.json ? plan::render_json(made, loaded->fleet) : plan::render(made, loaded->fleet)
    );
    return made.refused() ? Exit::no : Exit::done;
}

// Whether every board of the candidate would boot. The report is printed: the error is one line.
Result<void> may_publish(const fleet::Fleet& fleet, const layout::Manifest& candidate, bool json) {
    const auto reports = rehearse_generation(fleet, candidate, {});
    if (!reports) return tl::unexpected(reports.error());
    print_result(json ? rehearsal::render_json(*reports) : rehearsal::render_all(*reports));
    for (const rehearsal::Report& report : *reports) {
        if (!report.boots()) {
            return fail("the rehearsal says that not every board would boot: nothing is published");
        }
    }
    return {};
}

struct Flags {
    bool rehearse = false;
    bool update = false;
};

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

    const StopOnSignal stop;
    bool refused = false;
    std::function<Result<void>(const layout::Manifest&)> ask;
    if (flags.rehearse) {
        ask = [&](const layout::Manifest& candidate) {
            auto may = may_publish(loaded->fleet, candidate, invocation.json);
            refused = !may;
            return may;
        };
    }
    const auto on_event = [&invocation](const apply::Event& event) {
        print_result(invocation.json ? apply::render_json(event) : apply::render(event));
    };
    const auto outcome =
        run_apply(loaded->fleet, stop.token(), on_event, {std::move(ask), flags.update});
    if (!outcome) {
        return print_error(outcome.error().message, refused ? Exit::no : Exit::machine);
    }
    if (invocation.json) {
        boost::json::array warnings(outcome->warnings.begin(), outcome->warnings.end());
        print_result(boost::json::serialize(boost::json::object{
            {"generation", outcome->generation},
            {"changed", outcome->changed},
            {"warnings", std::move(warnings)},
        }));
    } else {
        print_result(describe(*outcome));
    }
    return Exit::done;
}

}  // namespace

void add_plan(CLI::App& app, Invocation& invocation) {
    CLI::App* command =
        app.add_subcommand("plan", "Say what apply would do, and why; change nothing");
    command->footer(
        "Examples:\n"
        "  bramble plan\n"
        "  bramble plan --json | jq -r '.steps[].reason'\n"
        "\n"
        "Exit code 1 when the plan is refused: a source is missing, a board would not boot."
    );
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object: steps, problems");
    command->callback([&invocation] { invocation.exit = plan(invocation); });
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
        "\n"
        "Runs as root. A second run does nothing and says so; one after a failure goes on where "
        "it\n"
        "stopped. Boards see the old generation or the new one, never a mixture."
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
    command->callback([&invocation, flags] { invocation.exit = apply_once(invocation, *flags); });
}

}  // namespace bramble::program
