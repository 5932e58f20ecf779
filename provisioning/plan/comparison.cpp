#include "provisioning/plan/comparison.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "provisioning/plan/line_difference.hpp"

namespace bramble::plan {
namespace {

std::string described(const layout::BootFile& file) {
    if (const auto* text = std::get_if<layout::TextFile>(&file)) {
        return fmt::format("{} bytes of text", text->text.size());
    }
    const auto& object = std::get<layout::ObjectFile>(file);
    constexpr std::size_t digits = 12;
    return fmt::format("{} bytes {}", object.size, object.digest.to_string().substr(0, digits));
}

std::vector<std::string> lines_between(
    const std::string& path, const layout::BootFile* before, const layout::BootFile* after
) {
    const auto text_of = [](const layout::BootFile* file) -> const std::string* {
        if (file == nullptr) return nullptr;
        const auto* text = std::get_if<layout::TextFile>(file);
        return text == nullptr ? nullptr : &text->text;
    };
    const std::string* old = text_of(before);
    const std::string* now = text_of(after);
    if (old == nullptr && now == nullptr) return {};
    static const std::string none;
    // One line by the firmware's rule: its words are what can differ.
    const char separator = path == "cmdline.txt" ? ' ' : '\n';
    return line_difference(old == nullptr ? none : *old, now == nullptr ? none : *now, separator);
}

FileChange change_of(
    const std::string& path, const layout::BootFile* before, const layout::BootFile* after
) {
    FileChange change;
    change.path = path;
    change.fate = before == nullptr  ? Fate::added
                  : after == nullptr ? Fate::removed
                                     : Fate::changed;
    if (before != nullptr) change.before = described(*before);
    if (after != nullptr) change.after = described(*after);
    change.lines = lines_between(path, before, after);
    return change;
}

std::vector<FileChange> compare_trees(
    const layout::BootTree& before, const layout::BootTree& after
) {
    std::vector<FileChange> changes;
    for (const auto& [path, file] : after) {
        const auto old = before.find(path);
        if (old == before.end()) {
            changes.push_back(change_of(path, nullptr, &file));
        } else if (old->second != file) {
            changes.push_back(change_of(path, &old->second, &file));
        }
    }
    for (const auto& [path, file] : before) {
        if (after.find(path) == after.end()) changes.push_back(change_of(path, &file, nullptr));
    }
    return changes;
}

template <typename T>
std::string shown(const std::optional<T>& value) {
    return value ? value->to_string() : "none";
}

std::string shown(const std::string& value) {
    return value.empty() ? "not known" : value;
}

std::string shown(const std::vector<std::string>& values) {
    return fmt::format("{}", fmt::join(values, " "));
}

std::string shown(const std::optional<layout::Export>& root) {
    if (!root) return "none";
    return fmt::format(
        "{}:{} vers={}{}",
        root->server,
        root->path.string(),
        root->nfs_version,
        root->read_only ? " read-only" : ""
    );
}

std::vector<FieldChange> compare_fields(
    const layout::BoardEntry& before, const layout::BoardEntry& after
) {
    std::vector<FieldChange> changes;
    const auto compare = [&changes](const char* what, std::string old, std::string now) {
        if (old != now) changes.push_back({what, std::move(old), std::move(now)});
    };
    compare("profile", before.profile, after.profile);
    compare("kernel release", shown(before.kernel_release), shown(after.kernel_release));
    compare("root", shown(before.root), shown(after.root));
    compare("serial", shown(before.serial), shown(after.serial));
    compare("mac", shown(before.mac), shown(after.mac));
    compare("address", shown(before.address), shown(after.address));
    compare("model", std::string(to_string(before.model)), std::string(to_string(after.model)));
    compare("tftp prefixes", shown(before.tftp_prefixes), shown(after.tftp_prefixes));
    compare("bootfile", before.bootfile.value_or("none"), after.bootfile.value_or("none"));
    compare("tree", before.tree, after.tree);
    return changes;
}

std::map<std::string_view, const layout::BoardEntry*> by_name(const layout::Manifest& manifest) {
    std::map<std::string_view, const layout::BoardEntry*> boards;
    for (const layout::BoardEntry& board : manifest.boards) boards.emplace(board.name, &board);
    return boards;
}

std::vector<PartChange> compare_profiles(
    const layout::Manifest& before, const layout::Manifest& after
) {
    std::map<std::string, std::vector<std::string>> served;
    for (const layout::BoardEntry& board : after.boards) served[board.tree].push_back(board.name);
    const layout::BootTree none;
    std::set<std::string> names;
    for (const layout::Manifest* manifest : {&before, &after}) {
        for (const auto& [name, tree] : manifest->trees) names.insert(name);
    }
    std::vector<PartChange> changes;
    for (const std::string& name : names) {
        const auto old = before.trees.find(name);
        const auto now = after.trees.find(name);
        PartChange change;
        change.name = name;
        if (old == before.trees.end()) change.fate = Fate::added;
        if (now == after.trees.end()) change.fate = Fate::removed;
        // A whole tree that came or went is one line, not hundreds.
        if (change.fate == Fate::changed) change.files = compare_trees(old->second, now->second);
        if (change.fate == Fate::changed && change.files.empty()) continue;
        change.boards = served[name];
        changes.push_back(std::move(change));
    }
    return changes;
}

}  // namespace

Comparison compare(const layout::Manifest& before, const layout::Manifest& after) {
    Comparison result;
    result.before = before.generation;
    result.after = after.generation;
    result.profiles = compare_profiles(before, after);
    std::set<std::string_view> of_changed_profiles;
    for (const PartChange& profile : result.profiles) {
        of_changed_profiles.insert(profile.boards.begin(), profile.boards.end());
    }
    const auto old_boards = by_name(before);
    const auto new_boards = by_name(after);
    for (const auto& [name, board] : new_boards) {
        PartChange change;
        change.name = name;
        if (const auto old = old_boards.find(name); old == old_boards.end()) {
            change.fate = Fate::added;
        } else {
            change.files = compare_trees(old->second->files, board->files);
            change.fields = compare_fields(*old->second, *board);
            if (change.files.empty() && change.fields.empty()) {
                if (!of_changed_profiles.contains(name)) ++result.boards_same;
                continue;
            }
        }
        result.boards.push_back(std::move(change));
    }
    for (const auto& [name, board] : old_boards) {
        if (new_boards.contains(name)) continue;
        PartChange change;
        change.name = name;
        change.fate = Fate::removed;
        result.boards.push_back(std::move(change));
    }
    return result;
}

}  // namespace bramble::plan
