#include <memory>

#include "services/bramble/admin_call.hpp"
#include "services/bramble/board_text.hpp"

namespace bramble::program {
namespace {

struct LogsArguments {
    AdminArguments admin;
    std::string board;
    unsigned boot = 0;
};

Exit logs(const Invocation& invocation, const LogsArguments& arguments) {
    const std::string target =
        "/api/v1/boards/" + path_part(arguments.board) + "/boots/" + std::to_string(arguments.boot);
    return show_answer(invocation, arguments.admin, target, render_boot_log);
}

}  // namespace

void add_logs(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "logs", "What happened in a board's boot, in the order in which it happened"
    );
    command->footer(
        "Examples:\n"
        "  bramble logs pi-03             the latest boot\n"
        "  bramble logs pi-03 --boot 1    the one before it\n"
        "\n"
        "The last fifty boots of each board are kept. Exit code 1 when there is no such board or "
        "boot,\n"
        "3 when nobody answers."
    );
    auto arguments = std::make_shared<LogsArguments>();
    add_admin_options(*command, invocation, arguments->admin);
    add_json_option(*command, invocation, "One JSON object, as /api/v1/boards/NAME/boots/N");
    command->add_option("board", arguments->board, "The board's name")
        ->type_name("BOARD")
        ->required();
    command->add_option("--boot", arguments->boot, "Which boot: 0 is the latest, 1 the one before")
        ->type_name("N")
        ->check(CLI::Range(0, 1000))
        ->capture_default_str();
    command->callback([&invocation, arguments] { invocation.exit = logs(invocation, *arguments); });
}

}  // namespace bramble::program
