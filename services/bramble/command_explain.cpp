#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "config/layout/store_paths.hpp"
#include "config/types/text.hpp"
#include "provisioning/plan/comparison.hpp"
#include "services/bramble/admin_call.hpp"
#include "services/bramble/explanation.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/generations.hpp"
#include "services/bramble/json_reading.hpp"

namespace bramble::program {
namespace {

struct ExplainArguments {
    AdminArguments admin;
    std::string board;
    std::uint64_t generation = 0;  // 0: the current one
    bool diff = false;
};

std::string unknown_board(const fleet::Fleet& fleet, const std::string& word) {
    if (Serial::parse(word) || MacAddress::parse(word)) {
        return fmt::format("{}: {}", word, explain_stranger(fleet));
    }
    std::vector<std::string_view> names;
    for (const fleet::Board& board : fleet.boards) names.push_back(board.name);
    const auto near = nearest(word, names);
    return fmt::format(
        "the fleet has no board '{}', by name, serial or MAC{}",
        word,
        near ? fmt::format(" (did you mean '{}'?)", *near) : ""
    );
}

// The generation of the boot that a running serve saw last. Errors: nobody answers, no boot.
Result<std::uint64_t, Refusal> last_boots_generation(
    const Invocation& invocation, const AdminArguments& arguments, const std::string& board
) {
    const auto call = where_to_ask(invocation, arguments);
    if (!call) return tl::unexpected(Refusal{call.error().message, Exit::usage});
    const auto answer = ask(*call, "/api/v1/boards/" + path_part(board));
    if (!answer) return tl::unexpected(answer.error());
    const auto document = parse_object(*answer);
    if (!document) return tl::unexpected(Refusal{document.error().message, Exit::machine});
    const auto* boot = find_object(*document, "boot");
    const auto number = boot == nullptr ? 0.0 : number_of(*boot, "generation");
    if (number < 1) {
        return tl::unexpected(Refusal{
            fmt::format("{} has not booted yet: nothing to compare with", board), Exit::no});
    }
    return static_cast<std::uint64_t>(number);
}

Exit show_difference(
    const Invocation& invocation,
    const ExplainArguments& arguments,
    const layout::StorePaths& store,
    const layout::Manifest& manifest,
    const std::string& board
) {
    const auto number = last_boots_generation(invocation, arguments.admin, board);
    if (!number) return print_error(number.error().message, number.error().exit);
    const auto before = load_generation(store, *number);
    if (!before) return print_error(before.error().message, Exit::machine);
    const auto only = [&](const layout::Manifest& whole) {
        layout::Manifest one = whole;
        std::erase_if(one.boards, [&](const auto& entry) { return entry.name != board; });
        const std::string tree = one.boards.empty() ? "" : one.boards.front().tree;
        std::erase_if(one.trees, [&](const auto& entry) { return entry.first != tree; });
        return one;
    };
    const plan::Comparison comparison = plan::compare(only((*before)->manifest()), only(manifest));
    print_result(invocation.json ? plan::render_json(comparison) : plan::render(comparison));
    return Exit::done;
}

Exit explain(const Invocation& invocation, const ExplainArguments& arguments) {
    auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    const fleet::Fleet& fleet = loaded->fleet;
    const fleet::Board* board = find_by_any_name(fleet, arguments.board);
    if (board == nullptr) return print_error(unknown_board(fleet, arguments.board), Exit::no);
    const layout::StorePaths store(fleet.appliance.store);
    const auto generation = arguments.generation == 0
                                ? load_current_generation(store)
                                : load_generation(store, arguments.generation);
    if (!generation) return print_error(generation.error().message, Exit::machine);
    if (*generation == nullptr) {
        return print_error("nothing is published yet: run `bramble apply`", Exit::no);
    }
    const layout::Manifest& manifest = (*generation)->manifest();
    const layout::BoardEntry* entry = manifest.find_board(board->name);
    if (entry == nullptr) {
        return print_error(
            fmt::format(
                "generation {} has nothing for {} ({}): run `bramble apply`",
                manifest.generation,
                board->name,
                fleet.place(board->where)
            ),
            Exit::no
        );
    }
    if (arguments.diff) {
        return show_difference(invocation, arguments, store, manifest, board->name);
    }
    const rehearsal::DhcpAnswers dhcp = rehearsal::ask_dhcp(fleet, manifest, *entry);
    const Explained explained{fleet, manifest, *board, *entry, dhcp};
    print_result(
        invocation.json ? render_explanation_json(explained) : render_explanation(explained)
    );
    return Exit::done;
}

}  // namespace

void add_explain(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "explain", "What a board will get, and which line of the fleet file says so"
    );
    command->footer(
        "Every option of its DHCP reply, as this program's own server answers its firmware; every\n"
        "file with its size, sum and origin; its root; its config.txt and cmdline.txt. Nothing "
        "has\n"
        "to run; --diff asks a running serve for the board's last boot.\n"
        "\n"
        "Examples:\n"
        "  bramble explain pi-03\n"
        "  bramble explain dc:a6:32:2e:f8:ed     whose is this MAC?\n"
        "  bramble explain 5b154510 --json | jq -r '.files[] | \"\\(.path) \\(.sha256)\"'\n"
        "  bramble explain pi-03 --diff          what its next boot will get that its last did "
        "not\n"
        "\n"
        "Exit code 1 when the fleet has no such board."
    );
    auto arguments = std::make_shared<ExplainArguments>();
    add_admin_options(*command, invocation, arguments->admin);
    add_json_option(*command, invocation, "One JSON object: dhcp, files, root");
    command->add_option("board", arguments->board, "Its name, serial or MAC")
        ->type_name("BOARD|SERIAL|MAC")
        ->required();
    command->add_option("--generation", arguments->generation, "Not the current one but this")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    command->add_flag("--diff", arguments->diff, "Compare with what its last boot was served");
    command->callback([&invocation, arguments] {
        invocation.exit = explain(invocation, *arguments);
    });
}

}  // namespace bramble::program
