#include "config/layout/store_paths.hpp"
#include "provisioning/host/real_host.hpp"
#include "provisioning/plan/difference.hpp"
#include "provisioning/plan/generations_text.hpp"
#include "provisioning/store/store.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/generation_uses.hpp"
#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

// Two manifests at a time: a store may have many of a thousand boards.
Result<plan::GenerationList> list_generations(const store::Store& store) {
    const auto numbers = store.generations();
    if (!numbers) return tl::unexpected(numbers.error());
    const auto current = store.current_number();
    if (!current) return tl::unexpected(current.error());
    plan::GenerationList list;
    std::optional<layout::Manifest> before;
    for (const std::uint64_t number : *numbers) {
        plan::GenerationLine& line = list.lines.emplace_back();
        line.number = number;
        line.current = *current == number;
        auto manifest = store.generation(number);
        if (!manifest) {
            line.problem = manifest.error().message;
            continue;
        }
        line.created = manifest->created;
        line.boards = manifest->boards.size();
        line.profiles = manifest->trees.size();
        if (before) {
            line.before = before->generation;
            line.changes = plan::differences(*before, *manifest);
        }
        before = std::move(*manifest);
    }
    return list;
}

Exit generations(const Invocation& invocation) {
    auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    const layout::StorePaths paths(loaded->fleet.appliance.store);
    host::RealHost host;
    auto list = list_generations(store::Store(host, paths));
    if (!list) return print_error(list.error().message, Exit::machine);
    auto uses = read_generation_uses(loaded->fleet, paths);
    if (uses) {
        for (plan::GenerationLine& line : list->lines) line.use = std::move((*uses)[line.number]);
    } else {
        list->use_unknown = uses.error().message;
    }
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
