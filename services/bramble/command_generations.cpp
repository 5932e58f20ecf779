#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/generation_list.hpp"
#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

Exit generations(const Invocation& invocation) {
    auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    const auto list = list_generations(loaded->fleet);
    if (!list) return print_error(list.error().message, Exit::machine);
    print_result(invocation.json ? plan::render_json(*list) : plan::render(*list));
    return Exit::done;
}

}  // namespace

void add_generations(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "generations", "List what was published: when, what changed, which boots use it"
    );
    command->footer(
        "Examples:\n"
        "  bramble generations\n"
        "  bramble generations --json | jq '.generations[] | select(.running != [])'\n"
        "  bramble diff 6 7                   what exactly changed between two of them\n"
        "  sudo bramble rollback 6            make an older one current again\n"
        "  sudo bramble gc --keep 3           remove what nobody needs any more\n"
        "\n"
        "In use: `served` by a running serve, by boots that are under way, by boards that are up\n"
        "and run from the root that it gave them."
    );
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object: generations, with the boards of each");
    command->callback([&invocation] { invocation.exit = generations(invocation); });
}

}  // namespace bramble::program
