// What the store has of generations: their numbers, their manifests, and whether they are whole.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "provisioning/store/listing.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::store {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

bool is_below(const Path& path, const Path& directory) {
    const Path relative = path.lexically_relative(directory);
    return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

Result<std::vector<std::uint64_t>> Store::generations() const {
    const auto entries = list_if_there(host_, paths_.generations());
    if (!entries) return tl::unexpected(entries.error());
    std::vector<std::uint64_t> numbers;
    for (const host::DirectoryEntry& entry : *entries) {
        if (const auto number = parse_number(entry.name)) numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

Result<std::optional<layout::Manifest>> Store::current() const {
    const auto link = host_.status(paths_.current());
    if (!link) return tl::unexpected(link.error());
    if (!*link) return std::nullopt;
    return host_.read_file(paths_.current_manifest())
        .and_then([](const std::string& text) { return layout::parse_manifest(text); })
        .map([](layout::Manifest&& manifest) {
            return std::optional<layout::Manifest>(std::move(manifest));
        });
}

Result<std::optional<std::uint64_t>> Store::current_number() const {
    const auto link = host_.status(paths_.current());
    if (!link) return tl::unexpected(link.error());
    if (!*link) return std::nullopt;
    const auto target = host_.read_link(paths_.current());
    if (!target) return tl::unexpected(target.error());
    const auto number = parse_number(target->filename().string());
    if (!number) {
        return fail(fmt::format(
            "'{}' points to '{}', which is no generation: remove the link and apply",
            paths_.current().string(),
            target->string()
        ));
    }
    return number;
}

Result<layout::Manifest> Store::generation(std::uint64_t number) const {
    const Path path = paths_.manifest(number);
    const auto text = host_.read_file(path);
    if (!text) return tl::unexpected(text.error());
    auto manifest = layout::parse_manifest(*text);
    if (!manifest) return fail(fmt::format("{}: {}", path.string(), manifest.error().message));
    if (manifest->generation != number) {
        return fail(
            fmt::format("{} says that it is generation {}", path.string(), manifest->generation)
        );
    }
    return manifest;
}

std::optional<Path> Store::tree_of(const layout::BoardEntry& board) const {
    if (!board.root) return std::nullopt;
    const Path& path = board.root->path;
    if (is_below(path, paths_.store())) return path;
    // Another machine exports it below a path of its own; it is written here all the same.
    const std::string name = path.filename().string();
    if (board.root->read_only) return paths_.root(name);
    if (!name.starts_with(root_prefix)) return std::nullopt;
    return paths_.board(board.name) / name;
}

Result<std::vector<std::string>> Store::missing(const layout::Manifest& manifest) const {
    std::vector<std::string> found;
    std::set<Digest> looked_at;
    const auto look_at = [&](const std::string& whose,
                             const layout::BootTree& tree) -> Result<void> {
        for (const auto& [path, file] : tree) {
            const auto* object = std::get_if<layout::ObjectFile>(&file);
            if (object == nullptr || !looked_at.insert(object->digest).second) continue;
            const auto there = host_.status(paths_.object(object->digest));
            if (!there) return tl::unexpected(there.error());
            if (*there && (*there)->size == object->size) continue;
            if (found.size() < missing_max) {
                found.push_back(fmt::format(
                    "{} of {} ({})", path, whose, *there ? "it was cut or changed" : "its object"
                ));
            }
        }
        return {};
    };
    for (const auto& [name, tree] : manifest.trees) {
        if (auto done = look_at("profile " + name, tree); !done)
            return tl::unexpected(done.error());
    }
    for (const layout::BoardEntry& board : manifest.boards) {
        if (auto done = look_at(board.name, board.files); !done) {
            return tl::unexpected(done.error());
        }
        const auto tree = tree_of(board);
        if (!tree) continue;
        const auto there = host_.status(*tree);
        if (!there) return tl::unexpected(there.error());
        const bool is_tree = *there && (*there)->kind == host::FileKind::directory;
        if (!is_tree && found.size() < missing_max) {
            found.push_back(fmt::format("the root of {}: {}", board.name, tree->string()));
        }
    }
    return found;
}

}  // namespace bramble::store
