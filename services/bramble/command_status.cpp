#include <memory>
#include <string>

#include "services/bramble/admin_call.hpp"
#include "services/bramble/invocation.hpp"
#include "services/bramble/status_text.hpp"

namespace bramble::program {
namespace {

Exit status(const Invocation& invocation, const AdminArguments& arguments) {
    const auto call = where_to_ask(invocation, arguments);
    if (!call) return print_error(call.error().message, Exit::usage);
    const auto server = ask(*call, "/api/v1/status");
    if (!server) return print_error(server.error().message, server.error().exit);
    const auto boards = ask(*call, "/api/v1/boards");
    if (!boards) return print_error(boards.error().message, boards.error().exit);
    const auto text =
        invocation.json ? merge_status(*server, *boards) : render_status(*server, *boards);
    if (!text) return print_error(text.error().message, Exit::machine);
    print_result(*text);
    return Exit::done;
}

}  // namespace

void add_status(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "status", "Ask a running serve: the generation, each board's boot, what went wrong"
    );
    command->footer(
        "Examples:\n"
        "  bramble status\n"
        "  bramble status --json | jq '.boards[] | select(.condition != \"up\")'\n"
        "  bramble status --admin 127.0.0.1:8080\n"
        "\n"
        "Exit code 3 when nobody answers."
    );
    auto arguments = std::make_shared<AdminArguments>();
    add_admin_options(*command, invocation, *arguments);
    add_json_option(
        *command, invocation, "One JSON object: the server's facts, counts, boards, strangers"
    );
    command->callback([&invocation, arguments] { invocation.exit = status(invocation, *arguments); }
    );
}

}  // namespace bramble::program
