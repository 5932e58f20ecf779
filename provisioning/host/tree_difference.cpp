#include "provisioning/host/tree_difference.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <array>
#include <map>
#include <set>
#include <span>

#include "provisioning/host/posix.hpp"

namespace bramble::host {
namespace {

using namespace posix;

constexpr std::size_t chunk_bytes = 1U << 16U;
constexpr std::size_t attributes_bytes_max = 1U << 16U;
// Overlayfs's own notes to itself (Documentation/filesystems/overlayfs.rst).
constexpr std::string_view overlay_attributes = "trusted.overlay.";

using Attributes = std::map<std::string, std::string>;

FileKind kind_of(const struct stat& found) {
    if (S_ISREG(found.st_mode)) return FileKind::regular;
    if (S_ISDIR(found.st_mode)) return FileKind::directory;
    return S_ISLNK(found.st_mode) ? FileKind::symlink : FileKind::other;
}

// Same name, same bytes, same everything: what is compared at one path.
struct Side {
    const Fd* directory = nullptr;  // that the entry stands in; nullptr: there is none

    std::optional<struct stat> look(const std::string& name) const {
        struct stat found {};

        if (directory == nullptr || !*directory) return std::nullopt;
        if (::fstatat(directory->get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
            return std::nullopt;
        }
        return found;
    }

    Fd open(const std::string& name, int flags) const {
        if (directory == nullptr || !*directory) return {};
        return Fd(::openat(directory->get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
    }

    Fd enter(const std::string& name) const { return open(name, O_RDONLY | O_DIRECTORY); }

    std::string target(const std::string& name) const {
        std::array<char, 4096> text;
        const ssize_t size = ::readlinkat(directory->get(), name.c_str(), text.data(), text.size());
        return size < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
    }

    Attributes attributes(const std::string& name) const {
        Attributes all;
        const Fd fd = open(name, O_RDONLY | O_NONBLOCK);
        if (!fd) return all;
        std::string names(attributes_bytes_max, '\0');
        const ssize_t size = ::flistxattr(fd.get(), names.data(), names.size());
        for (std::size_t at = 0; size > 0 && at < static_cast<std::size_t>(size);) {
            const std::string one = names.c_str() + at;
            at += one.size() + 1;
            if (one.starts_with(overlay_attributes)) continue;
            std::string value(attributes_bytes_max, '\0');
            const ssize_t got = ::fgetxattr(fd.get(), one.c_str(), value.data(), value.size());
            value.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
            all.emplace(one, std::move(value));
        }
        return all;
    }
};

bool same_bytes(const Fd& a, const Fd& b) {
    std::array<char, chunk_bytes> left;
    std::array<char, chunk_bytes> right;
    for (off_t at = 0;; at += static_cast<off_t>(left.size())) {
        const ssize_t got = ::pread(a.get(), left.data(), left.size(), at);
        if (got < 0 || ::pread(b.get(), right.data(), right.size(), at) != got) return false;
        const auto count = static_cast<std::size_t>(got);
        if (std::string_view(left.data(), count) != std::string_view(right.data(), count)) {
            return false;
        }
        if (count < left.size()) return true;
    }
}

class Comparison {
public:
    explicit Comparison(const DifferenceWish& wish) : wish_(wish) {}

    // Directories as they lie open on each side; `upper` none: everything is looked at.
    Result<void> compare(
        const Fd& base, const Fd& tree, const Fd* upper, const std::string& path, int depth
    ) {
        if (depth > difference_depth_max) {
            return fail(fmt::format(
                "'{}' is nested deeper than {} directories: not compared",
                path,
                difference_depth_max
            ));
        }
        std::set<std::string> names;
        const std::array<const Fd*, 2> whole = {&base, &tree};
        const std::array<const Fd*, 1> touched = {upper};
        for (const Fd* one : upper == nullptr ? std::span<const Fd* const>(whole)
                                              : std::span<const Fd* const>(touched)) {
            if (auto listed = list(*one, path, names); !listed) return listed;
        }
        for (const std::string& name : names) {
            const std::string inner = path.empty() ? name : path + "/" + name;
            const Level level{{&base}, {&tree}, {upper}, depth};
            if (auto done = compare_one(level, name, inner); !done) return done;
        }
        return {};
    }

    std::vector<TreeChange> take() { return std::move(changes_); }

    // The tree's own top.
    void compare_top(const Fd& base, const Fd& tree) {
        const Side a{&base};
        const Side b{&tree};
        const auto before = a.look(".");
        const auto now = b.look(".");
        if (before && now && other_metadata(a, *before, b, *now, "."))
            add(".", Change::metadata, *now);
    }

private:
    struct Level {
        Side base, tree, upper;
        int depth = 0;
    };

    static Result<void> list(
        const Fd& directory, const std::string& path, std::set<std::string>& names
    ) {
        if (!directory) return {};
        Fd again(::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!again) return failure("list", path);
        const auto entries = list_fd(std::move(again), path);
        if (!entries) return tl::unexpected(entries.error());
        for (const DirectoryEntry& entry : *entries) names.insert(entry.name);
        return {};
    }

    void add(const std::string& path, Change change, const struct stat& found) {
        const std::uint64_t size =
            S_ISREG(found.st_mode) ? static_cast<std::uint64_t>(found.st_size) : 0;
        changes_.push_back({path, change, kind_of(found), size});
    }

    Result<void> compare_one(const Level& level, const std::string& name, const std::string& path) {
        const auto before = level.base.look(name);
        const auto now = level.tree.look(name);
        if (!now) {
            if (before) add(path, Change::removed, *before);
            return {};
        }
        if (!before) {
            add(path, Change::added, *now);
            return S_ISDIR(now->st_mode) ? descend(level, name, path, false) : Result<void>();
        }
        if ((before->st_mode & S_IFMT) != (now->st_mode & S_IFMT)) {
            add(path, Change::replaced, *now);
            return S_ISDIR(now->st_mode) ? descend(level, name, path, false) : Result<void>();
        }
        if (other_content(level, *before, *now, name)) {
            add(path, Change::content, *now);
        } else if (other_metadata(level.base, *before, level.tree, *now, name)) {
            add(path, Change::metadata, *now);
        }
        return S_ISDIR(now->st_mode) ? descend(level, name, path, true) : Result<void>();
    }

    // An opaque directory hides the base's, one that was renamed shows another's: there the whole
    // is compared.
    static bool is_plain_upper(const Fd& directory) {
        std::array<char, 4096> value;
        for (const char* mark : {"trusted.overlay.opaque", "trusted.overlay.redirect"}) {
            if (::fgetxattr(directory.get(), mark, value.data(), value.size()) >= 0) return false;
        }
        return true;
    }

    Result<void> descend(
        const Level& level, const std::string& name, const std::string& path, bool in_base
    ) {
        const Fd base = in_base ? level.base.enter(name) : Fd();
        const Fd tree = level.tree.enter(name);
        if (!tree) return errno == ENOENT ? Result<void>() : Result<void>(failure("open", path));
        const Fd upper = level.upper.enter(name);
        const bool guided = in_base && upper && is_plain_upper(upper);
        return compare(base, tree, guided ? &upper : nullptr, path, level.depth + 1);
    }

    bool other_content(
        const Level& level,
        const struct stat& before,
        const struct stat& now,
        const std::string& name
    ) const {
        if (S_ISLNK(now.st_mode)) return level.base.target(name) != level.tree.target(name);
        if (S_ISBLK(now.st_mode) || S_ISCHR(now.st_mode)) return before.st_rdev != now.st_rdev;
        if (!S_ISREG(now.st_mode)) return false;
        if (before.st_size != now.st_size) return true;
        if (same_time(before, now) && !wish_.every_byte) return false;
        const Fd a = level.base.open(name, O_RDONLY | O_NONBLOCK);
        const Fd b = level.tree.open(name, O_RDONLY | O_NONBLOCK);
        return !a || !b || !same_bytes(a, b);
    }

    static bool same_time(const struct stat& a, const struct stat& b) {
        return a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
    }

    static bool other_metadata(
        const Side& base,
        const struct stat& before,
        const Side& tree,
        const struct stat& now,
        const std::string& name
    ) {
        if (before.st_uid != now.st_uid || before.st_gid != now.st_gid) return true;
        if (S_ISLNK(now.st_mode)) return false;
        if ((before.st_mode & 07777U) != (now.st_mode & 07777U)) return true;
        // A directory's time says that something in it changed, which is told by itself.
        if (S_ISREG(now.st_mode) && !same_time(before, now)) return true;
        if (!S_ISREG(now.st_mode) && !S_ISDIR(now.st_mode)) return false;
        return base.attributes(name) != tree.attributes(name);
    }

    const DifferenceWish& wish_;
    std::vector<TreeChange> changes_;
};

}  // namespace

std::string_view to_string(Change change) {
    switch (change) {
        case Change::added:
            return "added";
        case Change::removed:
            return "removed";
        case Change::replaced:
            return "replaced";
        case Change::content:
            return "changed";
        case Change::metadata:
            break;
    }
    return "metadata";
}

Result<std::vector<TreeChange>> tree_difference(const DifferenceWish& wish) {
    const auto base = open_directory(wish.base);
    if (!base) return tl::unexpected(base.error());
    const auto tree = open_directory(wish.tree);
    if (!tree) return tl::unexpected(tree.error());
    Fd upper;
    if (wish.upper) {
        auto opened = open_directory(*wish.upper);
        if (!opened) return tl::unexpected(opened.error());
        upper = std::move(*opened);
    }
    Comparison comparison(wish);
    comparison.compare_top(*base, *tree);
    auto done = comparison.compare(*base, *tree, wish.upper ? &upper : nullptr, "", 0);
    return done.map([&] { return comparison.take(); });
}

}  // namespace bramble::host
