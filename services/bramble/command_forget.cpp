#include <boost/json.hpp>
#include <memory>

#include "services/bramble/changes.hpp"
#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

Exit run_forget(const Invocation& invocation, const std::string& name) {
    const auto from = forget(invocation.fleet_file, name);
    if (!from) return print_error(from.error().message, from.error().exit);
    if (invocation.json) {
        print_result(boost::json::serialize(boost::json::object{{"board", name}, {"from", *from}}));
    } else {
        print_result(describe_forgotten(name, *from));
    }
    return Exit::done;
}

}  // namespace

void add_forget(CLI::App& app, Invocation& invocation) {
    CLI::App* command =
        app.add_subcommand("forget", "Take an adopted or enrolled board out of the fleet");
    command->footer(
        "Example:\n"
        "  sudo bramble forget pi-07\n"
        "\n"
        "It removes boards.d/NAME.yaml, when `bramble adopt` wrote it and it holds this board\n"
        "alone. A board that a person wrote down is not removed: exit code 1, and the line where\n"
        "it stands."
    );
    auto name = std::make_shared<std::string>();
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object: board, from");
    command->add_option("board", *name, "The board's name")->type_name("BOARD")->required();
    command->callback([&invocation, name] { invocation.exit = run_forget(invocation, *name); });
}

}  // namespace bramble::program
