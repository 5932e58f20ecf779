#include <memory>

#include "services/bramble/admin_call.hpp"
#include "services/bramble/board_text.hpp"

namespace bramble::program {
namespace {

Exit boards(const Invocation& invocation, const AdminArguments& arguments) {
    return show_answer(invocation, arguments, "/api/v1/boards", render_boards);
}

}  // namespace

void add_boards(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "boards", "The fleet as a table: each board's state, and who asked without being in it"
    );
    command->footer(
        "Examples:\n"
        "  bramble boards\n"
        "  bramble boards --json | jq -r '.boards[] | select(.condition == \"stuck\") | .name'\n"
        "\n"
        "Exit code 3 when nobody answers."
    );
    auto arguments = std::make_shared<AdminArguments>();
    add_admin_options(*command, invocation, *arguments);
    add_json_option(
        *command, invocation, "One JSON object: boards and strangers, as /api/v1/boards"
    );
    command->callback([&invocation, arguments] { invocation.exit = boards(invocation, *arguments); }
    );
}

}  // namespace bramble::program
