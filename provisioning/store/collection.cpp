#include "provisioning/store/collection.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "provisioning/plan/generations_text.hpp"

namespace bramble::store {
namespace {

// A record costs a new ingest when it goes and is wanted again; what it names stays with it.
bool stays(const plan::ImageRecord& record, const Kept& kept, const std::set<std::string>& bases) {
    return kept.every_image || kept.images.contains(record.key) ||
           (record.has_root && bases.contains(plan::root_name(record.key)));
}

// A generation that stays says which kernels its boards run by their release.
bool stays(const plan::KernelRecord& record, const Kept& kept) {
    if (kept.every_kernel || kept.kernels.contains(record.key)) return true;
    return std::any_of(kept.generations.begin(), kept.generations.end(), [&](const auto& one) {
        const auto& boards = one.second->boards;
        return std::any_of(boards.begin(), boards.end(), [&](const layout::BoardEntry& board) {
            return board.kernel_release == record.release;
        });
    });
}

void add_objects(const layout::BootTree& tree, std::set<Digest>& objects) {
    for (const auto& [path, file] : tree) {
        if (const auto* object = std::get_if<layout::ObjectFile>(&file)) {
            objects.insert(object->digest);
        }
    }
}

bool stays(const BoardTree& tree, const Kept& kept) {
    return kept.board_trees.contains(tree) || kept.whole_boards.contains(tree.board);
}

}  // namespace

Collection collect(const Inventory& there, const Kept& kept) {
    Collection gone;
    std::set<Digest> objects;
    std::set<std::string> bases = kept.roots;
    for (const std::uint64_t number : there.generations) {
        if (!kept.generations.contains(number)) gone.generations.push_back(number);
    }
    for (const auto& [number, manifest] : kept.generations) {
        for (const auto& [name, tree] : manifest->trees) add_objects(tree, objects);
        for (const layout::BoardEntry& board : manifest->boards) add_objects(board.files, objects);
    }
    for (const BoardTree& tree : there.board_trees) {
        if (stays(tree, kept)) {
            bases.insert(tree.base);  // a tree may share its base's blocks
        } else {
            gone.board_trees.push_back(tree);
        }
    }
    for (const BoardTree& stamp : there.stamps) {
        if (!stays(stamp, kept) || !there.board_trees.contains(stamp)) gone.stamps.push_back(stamp);
    }
    for (const plan::ImageRecord& record : there.images) {
        if (stays(record, kept, bases)) {
            if (record.has_root) bases.insert(plan::root_name(record.key));
            add_objects(record.files, objects);
        } else {
            gone.images.push_back(record.key.to_string() + ".json");
        }
    }
    gone.images.insert(
        gone.images.end(), there.unreadable_images.begin(), there.unreadable_images.end()
    );
    for (const plan::KernelRecord& record : there.kernels) {
        if (stays(record, kept)) {
            add_objects(record.files, objects);
        } else {
            gone.kernels.push_back(record.key.to_string());
        }
    }
    gone.kernels.insert(
        gone.kernels.end(), there.unreadable_kernels.begin(), there.unreadable_kernels.end()
    );
    for (const std::string& root : there.shared_roots) {
        if (!kept.roots.contains(root)) gone.shared_roots.push_back(root);
    }
    for (const std::string& root : there.roots) {
        if (!bases.contains(root)) gone.roots.push_back(root);
    }
    for (const auto& [digest, bytes] : there.objects) {
        if (objects.contains(digest)) continue;
        gone.objects.push_back(digest);
        gone.object_bytes += bytes;
    }
    for (const std::string& name : there.downloads) {
        const bool wanted =
            std::any_of(kept.downloads.begin(), kept.downloads.end(), [&](const auto& begin) {
                return name.starts_with(begin);
            });
        if (!wanted) gone.downloads.push_back(name);
    }
    return gone;
}

std::string describe(const Collection& collection) {
    std::string text;
    const auto add = [&text](std::size_t count, std::string_view noun, const std::string& more) {
        if (count == 0) return;
        text += text.empty() ? "" : ", ";
        text += fmt::format("{} {}{}{}", count, noun, count == 1 ? "" : "s", more);
    };
    add(collection.generations.size(),
        "generation",
        fmt::format(" ({})", plan::ranges(collection.generations)));
    add(collection.board_trees.size(), "board root", "");
    add(collection.roots.size(), "base root", "");
    add(collection.images.size(), "image record", "");
    add(collection.kernels.size(), "kernel", "");
    add(collection.objects.size(),
        "object",
        fmt::format(" of {:.1f} MB", static_cast<double>(collection.object_bytes) / 1e6));
    add(collection.downloads.size(), "unfinished download", "");
    if (text.empty() && !collection.empty()) return "leftovers of removed roots";
    return text.empty() ? "nothing" : text;
}

}  // namespace bramble::store
