#include "provisioning/nfs/source_tree.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>

namespace bramble::nfs {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> failure(std::string_view doing, const fs::path& path) {
    return fail(fmt::format("{} '{}': {}", doing, path.string(), std::strerror(errno)));
}

// Sorted, so that the same tree is always written in the same order.
Result<std::vector<std::string>> names_in(const fs::path& directory) {
    DIR* open = ::opendir(directory.c_str());
    if (open == nullptr) return failure("list", directory);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(open)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(open);
    std::sort(names.begin(), names.end());
    return names;
}

class Reader {
public:
    explicit Reader(const fs::path& root) { tree_.root = root; }

    Result<SourceTree> read() {
        if (auto added = add(tree_.root, 0, ""); !added) return tl::unexpected(added.error());
        if (!S_ISDIR(tree_.entries.front().mode))
            return fail(fmt::format("'{}' is no directory", tree_.root.string()));
        for (std::uint32_t i = 0; i < tree_.entries.size(); ++i) {
            if (!S_ISDIR(tree_.entries[i].mode)) continue;
            const fs::path directory = tree_.path_of(i);
            const auto names = names_in(directory);
            if (!names) return tl::unexpected(names.error());
            for (const std::string& name : *names) {
                if (auto added = add(directory / name, i, name); !added)
                    return tl::unexpected(added.error());
            }
        }
        return std::move(tree_);
    }

private:
    Result<void> add(const fs::path& path, std::uint32_t parent, const std::string& name) {
        if (tree_.entries.size() >= SourceTree::entries_max)
            return fail(fmt::format("'{}' holds too many files", tree_.root.string()));

        struct stat status {};

        if (::lstat(path.c_str(), &status) != 0) return failure("look at", path);
        SourceEntry entry;
        entry.parent = parent;
        entry.name = name;
        entry.mode = status.st_mode;
        entry.uid = status.st_uid;
        entry.gid = status.st_gid;
        entry.size = static_cast<std::uint64_t>(status.st_size);
        entry.device = status.st_rdev;
        entry.modified = {
            status.st_mtim.tv_sec, static_cast<std::uint32_t>(status.st_mtim.tv_nsec)};
        const auto index = static_cast<std::uint32_t>(tree_.entries.size());
        if (S_ISLNK(status.st_mode)) {
            std::array<char, 4096> target{};
            const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
            if (size < 0) return failure("read link", path);
            entry.target.assign(target.data(), static_cast<std::size_t>(size));
        } else if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
            entry.has_more_names = true;
            const auto [first, fresh] =
                seen_.emplace(std::pair(status.st_dev, status.st_ino), index);
            if (!fresh) entry.same_as = first->second;
        }
        if (S_ISREG(status.st_mode) && !entry.same_as) tree_.bytes += entry.size;
        if (!entry.same_as && !S_ISLNK(status.st_mode)) note_attributes(path);
        tree_.entries.push_back(std::move(entry));
        return {};
    }

    // Labels of a security module are the machine's, not the tree's.
    void note_attributes(const fs::path& path) {
        std::array<char, 65536> list{};
        const ssize_t size = ::llistxattr(path.c_str(), list.data(), list.size());
        bool any = false;
        bool capability = false;
        bool access_list = false;
        for (ssize_t at = 0; at < size;) {
            const std::string_view name = list.data() + at;
            at += static_cast<ssize_t>(name.size()) + 1;
            if (name == "security.selinux" || name.starts_with("trusted.")) continue;
            any = true;
            capability |= name == "security.capability";
            access_list |= name.starts_with("system.posix_acl_");
        }
        if (!any) return;
        NotHeld& lost = tree_.not_held;
        ++lost.entries;
        lost.capabilities += capability ? 1 : 0;
        lost.access_lists += access_list ? 1 : 0;
        if (lost.names.size() < NotHeld::names_max)
            lost.names.push_back(path.lexically_relative(tree_.root).string());
    }

    SourceTree tree_;
    std::map<std::pair<dev_t, ino_t>, std::uint32_t> seen_;
};

}  // namespace

fs::path SourceTree::path_of(std::uint32_t index) const {
    std::vector<std::uint32_t> up;
    for (std::uint32_t i = index; i != 0; i = entries[i].parent) up.push_back(i);
    fs::path path = root;
    for (auto at = up.rbegin(); at != up.rend(); ++at) path /= entries[*at].name;
    return path;
}

Result<SourceTree> read_source_tree(const fs::path& root) {
    return Reader(root).read();
}

std::string describe(const NotHeld& lost) {
    if (lost.entries == 0) return "";
    std::vector<std::string> kinds;
    if (lost.capabilities > 0)
        kinds.push_back(fmt::format("{} file capabilities", lost.capabilities));
    if (lost.access_lists > 0) kinds.push_back(fmt::format("{} ACLs", lost.access_lists));
    const std::size_t more = lost.entries - lost.names.size();
    return fmt::format(
        "{} file{} extended attributes, which NFS version 3 cannot hold{}{}{}: {}{}",
        lost.entries,
        lost.entries == 1 ? " has" : "s have",
        kinds.empty() ? "" : " (among them ",
        fmt::join(kinds, ", "),
        kinds.empty() ? "" : ")",
        fmt::join(lost.names, ", "),
        more == 0 ? "" : fmt::format(" and {} more", more)
    );
}

}  // namespace bramble::nfs
