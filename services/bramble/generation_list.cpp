#include "services/bramble/generation_list.hpp"

#include "config/layout/store_paths.hpp"
#include "provisioning/host/real_host.hpp"
#include "provisioning/plan/difference.hpp"
#include "provisioning/store/store.hpp"
#include "services/bramble/generation_uses.hpp"

namespace bramble::program {
namespace {

// Two manifests at a time: a store may have many of a thousand boards.
Result<plan::GenerationList> read_generations(const store::Store& store) {
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

}  // namespace

Result<plan::GenerationList> list_generations(const fleet::Fleet& fleet) {
    const layout::StorePaths paths(fleet.appliance.store);
    host::RealHost host;
    auto list = read_generations(store::Store(host, paths));
    if (!list) return list;
    auto uses = read_generation_uses(fleet, paths);
    if (uses) {
        for (plan::GenerationLine& line : list->lines) line.use = std::move((*uses)[line.number]);
    } else {
        list->use_unknown = uses.error().message;
    }
    return list;
}

}  // namespace bramble::program
