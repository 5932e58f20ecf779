#include <memory>

#include "services/bramble/admin_call.hpp"
#include "services/bramble/board_text.hpp"

namespace bramble::program {
namespace {

struct BoardArguments {
    AdminArguments admin;
    std::string board;
};

Exit board(const Invocation& invocation, const BoardArguments& arguments) {
    const std::string target = "/api/v1/boards/" + path_part(arguments.board);
    return show_answer(invocation, arguments.admin, target, render_board);
}

}  // namespace

void add_board(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "board",
        "The story of one board: its boot with files and times, why it stopped, its history"
    );
    command->footer(
        "Examples:\n"
        "  bramble board pi-03\n"
        "  bramble board pi-03 --json | jq .boot.diagnosis\n"
        "\n"
        "Exit code 1 when no board has this name, 3 when nobody answers."
    );
    auto arguments = std::make_shared<BoardArguments>();
    add_admin_options(*command, invocation, arguments->admin);
    add_json_option(*command, invocation, "One JSON object, as /api/v1/boards/NAME");
    command->add_option("board", arguments->board, "The board's name")
        ->type_name("BOARD")
        ->required();
    command->callback([&invocation, arguments] { invocation.exit = board(invocation, *arguments); }
    );
}

}  // namespace bramble::program
