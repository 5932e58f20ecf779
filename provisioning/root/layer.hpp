// What one board adds to a base tree that it shares with others: written to as if it were that
// tree, kept in memory, packed as the upper layer of an overlayfs. It never changes the base.
#pragma once

#include <map>
#include <string>

#include "provisioning/root/cpio.hpp"
#include "provisioning/root/tree.hpp"

namespace bramble::root {

// What is removed becomes a whiteout, a character device 0/0 (kernel documentation,
// overlayfs.rst). A directory on the way to what is written has the owner and the mode that it has
// in the base. Errors beside the host's: a path that leads through a symbolic link of the base.
class Layer final : public Tree {
public:
    Layer(host::Host& host, host::Path base) : host_(host), base_(std::move(base)) {}

    Result<std::optional<host::FileStatus>> status(const host::Path& relative) override;
    Result<std::string> read_file(const host::Path& relative) override;
    Result<std::vector<host::DirectoryEntry>> list(const host::Path& relative) override;
    Result<void> write_file(
        const host::Path& relative, std::string_view bytes, std::uint32_t mode, host::Owner owner
    ) override;
    Result<void> make_directories(const host::Path& relative, std::uint32_t mode, host::Owner owner)
        override;
    Result<void> symlink(const host::Path& relative, const host::Path& target) override;
    Result<void> remove(const host::Path& relative) override;

    // gzip over cpio newc; the same bytes for the same calls on the same base.
    [[nodiscard]] Result<std::string> pack() const;

private:
    [[nodiscard]] Result<void> make_parents(const host::Path& relative);
    [[nodiscard]] Result<void> put(CpioEntry entry);

    host::Host& host_;
    host::Path base_;
    std::map<std::string, CpioEntry> entries_;
};

}  // namespace bramble::root
