#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/invocation.hpp"
#include "services/bramble/operator_token.hpp"

namespace bramble::program {
namespace {

Exit token(const Invocation& invocation) {
    const auto loaded = load_fleet(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    const auto token = read_or_make_operator_token(loaded->fleet.appliance);
    if (!token) return print_error(token.error().message, Exit::machine);
    print_result(*token);
    return Exit::done;
}

}  // namespace

void add_token(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "token", "Print the operator's token, which the page asks for before it changes anything"
    );
    command->footer(
        "Examples:\n"
        "  sudo bramble token                 paste it into the page once; the tab keeps it\n"
        "  curl -H \"Authorization: Bearer $(sudo bramble token)\" -H 'X-Bramble-Request: 1' \\\n"
        "       -X DELETE http://127.0.0.1:8080/api/v1/boards/pi-07\n"
        "\n"
        "It lies in operator.token in the store, made when it is first needed, or where the fleet\n"
        "file's admin: {token_file: …} says. Remove the file and ask again for another one."
    );
    add_fleet_option(*command, invocation);
    command->callback([&invocation] { invocation.exit = token(invocation); });
}

}  // namespace bramble::program
