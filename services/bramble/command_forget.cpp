#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>

#include "config/layout/store_paths.hpp"
#include "provisioning/host/real_host.hpp"
#include "services/bramble/adoption.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

// A board that serve enrolled by itself stands in the state, not in a file. False: there is none.
Result<bool> forget_enrolled(const fleet::Fleet& fleet, const std::string& name) {
    const auto database = layout::StorePaths(fleet.appliance.store).state_db();
    std::error_code ignored;
    if (!std::filesystem::exists(database, ignored)) return false;
    auto state = state::Store::open(database);
    if (!state) return tl::unexpected(state.error());
    const auto enrolled = state->adopted();
    if (!enrolled) return tl::unexpected(enrolled.error());
    if (std::ranges::none_of(enrolled->values, [&](const auto& b) { return b.name == name; })) {
        return false;
    }
    return state->forget(name).map([] { return true; });
}

Exit tell(const Invocation& invocation, const std::string& name, const std::string& what) {
    if (invocation.json) {
        print_result(boost::json::serialize(boost::json::object{{"board", name}, {"from", what}}));
    } else {
        print_result(fmt::format(
            "{} is forgotten ({}). Its root and its history stay until they are collected.",
            name,
            what
        ));
    }
    return Exit::done;
}

Exit forget(const Invocation& invocation, const std::string& name) {
    const auto loaded = load_fleet(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    const fleet::Board* board = loaded->fleet.find_board(name);
    if (board == nullptr) {
        const auto was_enrolled = forget_enrolled(loaded->fleet, name);
        if (!was_enrolled) return print_error(was_enrolled.error().message, Exit::machine);
        if (*was_enrolled) {
            return tell(invocation, name, "enrolled; `systemctl reload bramble` makes it so");
        }
        return print_error(fmt::format("the fleet has no board '{}'", name), Exit::no);
    }
    const auto file = removable_file(loaded->fleet, *board, invocation.fleet_file);
    if (!file) return print_error(file.error().message, Exit::no);
    host::RealHost host;
    if (const auto removed = host.remove_all(*file); !removed) {
        return print_error(removed.error().message, Exit::machine);
    }
    return tell(invocation, name, "removed " + file->string());
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
    command->callback([&invocation, name] { invocation.exit = forget(invocation, *name); });
}

}  // namespace bramble::program
