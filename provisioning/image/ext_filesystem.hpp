// An ext filesystem inside a file, opened for reading: inodes, directories, attributes and the
// places of files' bytes. It refuses to know where any of it is copied; only its files see
// libext2fs.
#pragma once

#include <ext2fs/ext2fs.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::image {

struct ExtEntry {
    ext2_ino_t inode = 0;
    std::string name;
};

struct ExtAttribute {
    std::string name;  // as getxattr(2) knows it
    std::string value;
};

// A run of a file's bytes that stands in the image's file at `at`.
struct ExtRun {
    std::uint64_t offset = 0;  // in the file that the filesystem holds
    std::uint64_t at = 0;      // in the image's file
    std::uint64_t size = 0;
};

using ExtInode = ext2_inode_large;

class ExtFilesystem {
public:
    // Errors: not an ext filesystem, one larger than `size`, one that was not unmounted.
    [[nodiscard]] static Result<ExtFilesystem> open(
        const host::Path& file, std::uint64_t begin, std::uint64_t size
    );

    // Bytes that its blocks hold.
    std::uint64_t capacity() const;

    [[nodiscard]] Result<ExtInode> inode(ext2_ino_t number) const;
    // Without "." and "..". Errors: a name that is empty or holds '/' or NUL, or another "..".
    [[nodiscard]] Result<std::vector<ExtEntry>> entries(ext2_ino_t directory) const;
    [[nodiscard]] Result<std::vector<ExtAttribute>> attributes(ext2_ino_t number) const;
    [[nodiscard]] Result<std::string> link_target(ext2_ino_t number, ExtInode& inode) const;
    // In ascending order; what lies between them is a hole.
    [[nodiscard]] Result<std::vector<ExtRun>> runs(ext2_ino_t number, ExtInode& inode) const;
    // Of a file that is small enough to be kept in its inode.
    [[nodiscard]] Result<std::string> inline_data(ext2_ino_t number) const;

private:
    struct Close {
        void operator()(struct_ext2_filsys* open) const { ext2fs_close_free(&open); }
    };

    ExtFilesystem(ext2_filsys open, std::uint64_t begin) : open_(open), begin_(begin) {}

    [[nodiscard]] Result<std::vector<ExtRun>> extent_runs(ext2_ino_t number, ExtInode& inode) const;
    [[nodiscard]] Result<std::vector<ExtRun>> mapped_runs(ext2_ino_t number, ExtInode& inode) const;

    std::unique_ptr<struct_ext2_filsys, Close> open_;
    std::uint64_t begin_ = 0;
};

}  // namespace bramble::image
