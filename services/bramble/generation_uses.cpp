#include "services/bramble/generation_uses.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <set>
#include <string_view>

#include "services/state/store.hpp"

namespace bramble::program {

Result<GenerationUses> read_generation_uses(
    const fleet::Fleet& fleet, const layout::StorePaths& store
) {
    GenerationUses uses;
    std::error_code error;
    if (!std::filesystem::exists(store.state_db(), error)) {
        if (error) {
            return fail(fmt::format("{}: {}", store.state_db().string(), error.message()));
        }
        return uses;
    }
    auto state = state::Store::open(store.state_db());
    if (!state) return tl::unexpected(state.error());
    // In the order in which serve writes: what it serves, then a boot's binding, which it takes
    // away only after it wrote how the boot ended.
    const auto served = state->served();
    if (!served) return tl::unexpected(served.error());
    if (*served) uses[**served].served = true;
    const auto bindings = state->bindings();
    if (!bindings) return tl::unexpected(bindings.error());
    for (const auto& [board, generation] : *bindings) uses[generation].booting.push_back(board);
    std::set<std::string_view> known;
    for (const fleet::Board& board : fleet.boards) known.insert(board.name);
    const auto boots = state->boots(1);
    if (!boots) return tl::unexpected(boots.error());
    for (const boards::EndedBoot& ended : boots->values) {
        if (bindings->contains(ended.board) || !known.contains(ended.board)) continue;
        if (ended.boot.generation != 0) {
            uses[ended.boot.generation].running.push_back(ended.board);
        }
    }
    return uses;
}

}  // namespace bramble::program
