#include "services/rehearsal/boot_files.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>

#include "services/rehearsal/spec.hpp"
#include "services/virtual_board/file_order.hpp"

namespace bramble::rehearsal {
namespace {

using admission::PlannedFile;

// A board with every overlay there is asks for fewer files.
constexpr std::size_t requests_max = 1000;

std::uint64_t size_of(const layout::BootFile& file) {
    if (const auto* object = std::get_if<layout::ObjectFile>(&file)) return object->size;
    return std::get<layout::TextFile>(file).text.size();
}

std::vector<PlannedFile> whole_tree(
    const layout::Manifest& manifest, const layout::BoardEntry& board
) {
    layout::BootTree all = board.files;
    if (const auto shared = manifest.trees.find(board.tree); shared != manifest.trees.end()) {
        all.insert(shared->second.begin(), shared->second.end());
    }
    std::vector<PlannedFile> out;
    for (const auto& [path, file] : all) out.push_back({path, size_of(file)});
    return out;
}

}  // namespace

std::vector<PlannedFile> boot_files_of(
    const layout::Manifest& manifest, const layout::BoardEntry& board
) {
    if (board.model == BoardModel::generic) return whole_tree(manifest, board);
    const virtual_board::BoardSpec spec = spec_of(board);
    virtual_board::Counters counters;
    virtual_board::FileOrder order(spec, "", counters);
    std::vector<PlannedFile> out;
    for (std::size_t i = 0; i < requests_max; ++i) {
        const auto wanted = order.next();
        if (!wanted) break;
        std::string_view path = wanted->path;
        while (path.starts_with('/')) path.remove_prefix(1);  // "P//config.txt"
        const layout::BootFile* file = manifest.find_file(board, path);
        virtual_board::FileResult result;
        result.oack = true;
        if (file != nullptr) {
            result.status = wanted->probe ? virtual_board::FileStatus::found
                                          : virtual_board::FileStatus::complete;
            result.size = size_of(*file);
            if (const auto* text = std::get_if<layout::TextFile>(file)) {
                result.content = text->text;
            }
            const bool again = std::any_of(out.begin(), out.end(), [path](const PlannedFile& had) {
                return had.path == path;
            });
            if (!wanted->probe && !again) out.push_back({std::string(path), result.size});
        }
        order.on_result(result);
    }
    const bool boots = std::holds_alternative<virtual_board::KernelLoaded>(order.verdict());
    return boots ? out : std::vector<PlannedFile>{};
}

}  // namespace bramble::rehearsal
