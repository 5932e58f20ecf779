#include <fmt/core.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "config/layout/store_paths.hpp"
#include "provisioning/host/real_host.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/generations.hpp"
#include "services/bramble/invocation.hpp"
#include "services/bramble/rehearsal_evidence.hpp"
#include "services/bramble/rehearsing.hpp"
#include "services/bramble/wire_rehearsal.hpp"
#include "services/rehearsal/rehearsal.hpp"
#include "services/rehearsal/spec.hpp"

namespace bramble::program {
namespace {

struct RehearseArguments {
    std::string board;
    bool all = false;
    std::uint64_t generation = 0;  // 0: the current one
    std::string firmware;          // empty: the usual one of each model
    std::string wire;              // empty: on paper
};

std::string known_firmware() {
    std::string names;
    for (const virtual_board::Profile& profile : virtual_board::all_profiles()) {
        names += (names.empty() ? "" : ", ") + std::string(profile.name);
    }
    return names;
}

// The boot over the wire is the story; what was found on paper alone stands below it.
Result<std::vector<rehearsal::Report>> add_wire(
    std::vector<rehearsal::Report> on_paper,
    const layout::Manifest& manifest,
    const RehearseArguments& arguments,
    const std::optional<virtual_board::Profile>& firmware
) {
    WireRehearsal wanted{arguments.wire, arguments.board, firmware, {}};
    if (::isatty(STDERR_FILENO) != 0) {
        wanted.on_step = [](const std::string& board, const std::string& text) {
            fmt::print(stderr, "{}  {}\n", board, text);
        };
    }
    auto reports = rehearse_over_wire(manifest, wanted);
    if (!reports) return reports;
    for (std::size_t i = 0; i < reports->size(); ++i) {
        if ((*reports)[i].firmware.empty()) {  // none was powered on
            (*reports)[i] = std::move(on_paper[i]);
            continue;
        }
        auto& findings = (*reports)[i].findings;
        for (rehearsal::Finding& finding : on_paper[i].findings) {
            const bool said =
                std::find(findings.begin(), findings.end(), finding) != findings.end();
            if (!said) findings.push_back(std::move(finding));
        }
    }
    return reports;
}

Exit rehearse(const Invocation& invocation, const RehearseArguments& arguments) {
    if (arguments.all != arguments.board.empty()) {
        return print_error("say which BOARD to rehearse, or --all", Exit::usage);
    }
    if (!arguments.wire.empty() && arguments.generation != 0) {
        return print_error(
            "--wire: the server that runs serves the current generation", Exit::usage
        );
    }
    if (!arguments.wire.empty() && ::if_nametoindex(arguments.wire.c_str()) == 0) {
        return print_error(
            fmt::format("--wire: there is no interface '{}' here: see `ip link`", arguments.wire),
            Exit::usage
        );
    }
    if (!arguments.wire.empty() && ::geteuid() != 0) {
        return print_error("--wire makes a network namespace: run it as root", Exit::machine);
    }
    RehearsalOptions options;
    options.board = arguments.board;
    if (!arguments.firmware.empty()) {
        options.firmware = virtual_board::find_profile(arguments.firmware);
        if (!options.firmware) {
            return print_error(
                fmt::format(
                    "--firmware: unknown firmware '{}' (known: {})",
                    arguments.firmware,
                    known_firmware()
                ),
                Exit::usage
            );
        }
    }
    auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    const layout::StorePaths store(loaded->fleet.appliance.store);
    const auto generation = arguments.generation == 0
                                ? load_current_generation(store)
                                : load_generation(store, arguments.generation);
    if (!generation) return print_error(generation.error().message, Exit::machine);
    if (*generation == nullptr) {
        return print_error(
            "nothing is published yet: `bramble apply --rehearse` rehearses before it publishes",
            Exit::no
        );
    }
    const bool terminal = ::isatty(STDERR_FILENO) != 0;
    if (terminal && arguments.all) {
        options.on_progress = [](std::size_t done, std::size_t of) {
            fmt::print(stderr, "\r\033[K{} of {} boards rehearsed", done, of);
        };
    }
    const layout::Manifest& manifest = (*generation)->manifest();
    auto reports = rehearse_generation(loaded->fleet, manifest, options);
    if (options.on_progress) fmt::print(stderr, "\r\033[K");
    if (reports && !arguments.wire.empty()) {
        reports = add_wire(std::move(*reports), manifest, arguments, options.firmware);
    }
    if (!reports) return print_error(reports.error().message, Exit::usage);
    print_result(
        invocation.json ? rehearsal::render_json(*reports)
        : arguments.all ? rehearsal::render_all(*reports)
                        : rehearsal::render(reports->front())
    );
    for (const rehearsal::Report& report : *reports) {
        if (!report.boots()) return Exit::no;
    }
    return Exit::done;
}

}  // namespace

Result<std::vector<rehearsal::Report>> rehearse_generation(
    const fleet::Fleet& fleet, const layout::Manifest& manifest, const RehearsalOptions& options
) {
    if (!options.board.empty() && manifest.find_board(options.board) == nullptr) {
        return fail(unknown_board(options.board, manifest));
    }
    host::RealHost host;
    StoreEvidence evidence(layout::StorePaths(fleet.appliance.store), host);
    rehearsal::Rehearsal stage(fleet, manifest, evidence, options.firmware);
    std::vector<rehearsal::Report> reports;
    for (const layout::BoardEntry& board : manifest.boards) {
        if (!options.board.empty() && board.name != options.board) continue;
        reports.push_back(stage.rehearse(board));
        if (options.on_progress) options.on_progress(reports.size(), manifest.boards.size());
    }
    return reports;
}

void add_rehearse(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "rehearse", "Boot boards on paper: what would go wrong, before any of them has power"
    );
    command->footer(
        "A virtual board of the model asks this program's own DHCP and TFTP for what a published\n"
        "generation has for it, in the order and with the limits of real firmware; then the\n"
        "kernel, the initramfs, the command line and the root are looked at. The root is mounted\n"
        "over NFS where a server answers, else the store's directory is looked at, and the report\n"
        "says which. What config.txt settings do beyond choosing files is not part of it.\n"
        "`bramble apply --rehearse` does the same before it publishes.\n"
        "\n"
        "With --wire the board boots besides against the server that runs, from a network "
        "namespace\n"
        "of its own with the board's MAC and serial: its DHCP, its files, its export, its report. "
        "The\n"
        "server tells of it as of any boot, so the board itself has to be off. It needs root and "
        "ip\n"
        "(iproute2). On an interface that is no bridge, the machine itself is not heard: rehearse "
        "from\n"
        "another machine of that wire that has the store, or put the appliance's port into a "
        "bridge.\n"
        "\n"
        "Examples:\n"
        "  bramble rehearse pi-01                       its boot as a story\n"
        "  bramble rehearse --all                       each sentence once, with its boards\n"
        "  bramble rehearse pi-01 --generation 6        before a rollback\n"
        "  sudo bramble rehearse pi-01 --wire br0       over the wire of that bridge\n"
        "  bramble rehearse --all --firmware pi4-2020   boards whose EEPROM is that old\n"
        "  bramble rehearse --all --json | jq '.reports[] | select(.boots | not) | .first'\n"
        "\n"
        "Exit code 1 when a board would not boot. Roots of mode 0700 need root to look into."
    );
    auto arguments = std::make_shared<RehearseArguments>();
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object: generation, would_boot, reports");
    command->add_option("board", arguments->board, "The board's name")->type_name("BOARD");
    command->add_flag("--all", arguments->all, "Every board of the generation");
    command->add_option("--wire", arguments->wire, "Boot over this interface's wire as well")
        ->type_name("INTERFACE");
    command->add_option("--generation", arguments->generation, "Not the current one but this")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    command
        ->add_option(
            "--firmware", arguments->firmware, "How old the boot loader is: " + known_firmware()
        )
        ->type_name("NAME");
    command->callback([&invocation, arguments] {
        invocation.exit = rehearse(invocation, *arguments);
    });
}

}  // namespace bramble::program
