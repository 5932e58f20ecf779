// A root tree while something is written into it, so that whoever writes a board's identity need
// not care whether the board has a tree of its own. It refuses to know what is written and why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::root {

// Paths are relative and resolved as if the tree were "/". What stands at a path is replaced, a
// link itself and not what it points to; missing directories are made (0755, root).
class Tree {
public:
    Tree() = default;
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    virtual ~Tree() = default;

    // Nothing there is an answer, not an error.
    [[nodiscard]] virtual Result<std::optional<host::FileStatus>> status(const host::Path& relative
    ) = 0;
    [[nodiscard]] virtual Result<std::string> read_file(const host::Path& relative) = 0;
    [[nodiscard]] virtual Result<std::vector<host::DirectoryEntry>> list(const host::Path& relative
    ) = 0;
    [[nodiscard]] virtual Result<void> write_file(
        const host::Path& relative,
        std::string_view bytes,
        std::uint32_t mode = 0644,
        host::Owner owner = {}
    ) = 0;
    [[nodiscard]] virtual Result<void> make_directories(
        const host::Path& relative, std::uint32_t mode = 0755, host::Owner owner = {}
    ) = 0;
    [[nodiscard]] virtual Result<void> symlink(
        const host::Path& relative, const host::Path& target
    ) = 0;
    [[nodiscard]] virtual Result<void> remove(const host::Path& relative) = 0;
};

// A directory of this machine, which the board it belongs to may write to as well.
class DirectoryTree final : public Tree {
public:
    DirectoryTree(host::Host& host, host::Path root, host::Sync sync = host::Sync::now)
        : host_(host), root_(std::move(root)), sync_(sync) {}

    Result<std::optional<host::FileStatus>> status(const host::Path& relative) override {
        return host_.status_in(root_, relative);
    }

    Result<std::string> read_file(const host::Path& relative) override {
        return host_.read_file_in(root_, relative);
    }

    Result<std::vector<host::DirectoryEntry>> list(const host::Path& relative) override {
        return host_.list_in(root_, relative);
    }

    Result<void> write_file(
        const host::Path& relative, std::string_view bytes, std::uint32_t mode, host::Owner owner
    ) override {
        return host_.write_file_in(root_, relative, bytes, mode, owner, sync_);
    }

    Result<void> make_directories(const host::Path& relative, std::uint32_t mode, host::Owner owner)
        override {
        return host_.make_directories_in(root_, relative, mode, owner, sync_);
    }

    Result<void> symlink(const host::Path& relative, const host::Path& target) override {
        return host_.symlink_in(root_, relative, target, sync_);
    }

    Result<void> remove(const host::Path& relative) override {
        return host_.remove_in(root_, relative);
    }

private:
    host::Host& host_;
    host::Path root_;
    host::Sync sync_;
};

}  // namespace bramble::root
