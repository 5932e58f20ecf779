#include "provisioning/image/ext_filesystem.hpp"

#include <et/com_err.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bramble::image {
namespace {

constexpr std::size_t directory_entries_max = 2'000'000;
constexpr std::size_t runs_max = 4'000'000;
constexpr std::uint64_t link_bytes_max = 4095;

tl::unexpected<Error> damaged(std::string_view what, ext2_ino_t inode, errcode_t error) {
    return fail(fmt::format(
        "its filesystem is damaged: cannot read {} of inode {} ({}); `e2fsck -f` repairs it",
        what,
        inode,
        error_message(error)
    ));
}

ext2_inode* small(ExtInode& inode) {
    return reinterpret_cast<ext2_inode*>(&inode);
}

struct Listing {
    std::vector<ExtEntry> entries;
    std::string problem;
};

int take_entry(
    ext2_ino_t directory, int kind, ext2_dir_entry* entry, int, int, char*, void* context
) {
    if (kind == DIRENT_DOT_FILE || kind == DIRENT_DOT_DOT_FILE) return 0;
    auto& listing = *static_cast<Listing*>(context);
    std::string name(entry->name, static_cast<std::size_t>(ext2fs_dirent_name_len(entry)));
    // A directory inside its inode gives its own two after all, as if they were any others.
    if (listing.entries.empty() && (name == "." || name == "..")) return 0;
    const bool bad = name.empty() || name == "." || name == ".." ||
                     name.find('/') != std::string::npos || name.find('\0') != std::string::npos;
    if (bad) {
        listing.problem = fmt::format(
            "its filesystem is hostile or damaged: the directory with inode {} has an entry "
            "'{}'",
            directory,
            name.substr(0, name.find('\0'))
        );
    } else if (listing.entries.size() >= directory_entries_max) {
        listing.problem =
            fmt::format("it has a directory of over {} entries", directory_entries_max);
    } else {
        listing.entries.push_back({entry->inode, std::move(name)});
        return 0;
    }
    return DIRENT_ABORT;
}

int take_name(char* name, char* /*value*/, size_t /*length*/, void* context) {
    static_cast<std::vector<ExtAttribute>*>(context)->push_back({name, {}});
    return 0;
}

struct CloseAttributes {
    void operator()(ext2_xattr_handle* handle) const { ext2fs_xattrs_close(&handle); }
};

struct CloseExtents {
    void operator()(ext2_extent_handle* handle) const { ext2fs_extent_free(handle); }
};

}  // namespace

Result<ExtFilesystem> ExtFilesystem::open(
    const host::Path& file, std::uint64_t begin, std::uint64_t size
) {
    add_error_table(&et_ext2_error_table);  // once is enough; again does nothing
    ext2_filsys opened = nullptr;
    const std::string options = fmt::format("offset={}", begin);
    const errcode_t error = ext2fs_open2(
        file.c_str(), options.c_str(), EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &opened
    );
    if (error != 0) {
        return fail(fmt::format("its root filesystem cannot be read ({})", error_message(error)));
    }
    ExtFilesystem filesystem(opened, begin);
    if (filesystem.capacity() > size) {
        return fail("its root filesystem is larger than its partition: the image is cut short");
    }
    if (ext2fs_has_feature_journal_needs_recovery(opened->super)) {
        return fail(
            "its root filesystem was not unmounted, its journal holds changes: mount and unmount "
            "it once, or run `e2fsck -f` on it"
        );
    }
    return filesystem;
}

std::uint64_t ExtFilesystem::capacity() const {
    return ext2fs_blocks_count(open_->super) * open_->blocksize;
}

Result<ExtInode> ExtFilesystem::inode(ext2_ino_t number) const {
    ExtInode inode{};
    const errcode_t error = ext2fs_read_inode_full(open_.get(), number, small(inode), sizeof inode);
    if (error != 0) return damaged("the record", number, error);
    if ((inode.i_flags & EXT4_ENCRYPT_FL) != 0) {
        return fail("it has encrypted files, which only their own machine can read");
    }
    return inode;
}

Result<std::vector<ExtEntry>> ExtFilesystem::entries(ext2_ino_t directory) const {
    Listing listing;
    const errcode_t error =
        ext2fs_dir_iterate2(open_.get(), directory, 0, nullptr, take_entry, &listing);
    if (!listing.problem.empty()) return fail(listing.problem);
    if (error != 0) return damaged("the directory", directory, error);
    return std::move(listing.entries);
}

Result<std::vector<ExtAttribute>> ExtFilesystem::attributes(ext2_ino_t number) const {
    ext2_xattr_handle* raw = nullptr;
    errcode_t error = ext2fs_xattrs_open(open_.get(), number, &raw);
    if (error != 0) return damaged("attributes", number, error);
    const std::unique_ptr<ext2_xattr_handle, CloseAttributes> handle(raw);
    error = ext2fs_xattrs_read(raw);
    if (error != 0) return damaged("attributes", number, error);
    std::vector<ExtAttribute> attributes;
    error = ext2fs_xattrs_iterate(raw, take_name, &attributes);
    if (error != 0) return damaged("attributes", number, error);
    std::erase_if(attributes, [](const auto& one) { return one.name == "system.data"; });
    for (ExtAttribute& attribute : attributes) {
        // Asked for by name, and not as iterated: this way ACLs come in the form of getxattr(2).
        void* value = nullptr;
        std::size_t size = 0;
        error = ext2fs_xattr_get(raw, attribute.name.c_str(), &value, &size);
        if (error != 0) return damaged("the attribute " + attribute.name, number, error);
        if (value != nullptr) attribute.value.assign(static_cast<const char*>(value), size);
        ext2fs_free_mem(&value);
    }
    return attributes;
}

Result<std::string> ExtFilesystem::link_target(ext2_ino_t number, ExtInode& inode) const {
    const std::uint64_t size = EXT2_I_SIZE(&inode);
    if (size == 0 || size > link_bytes_max) return damaged("the link", number, EXT2_ET_BAD_MAGIC);
    std::string target(size, '\0');
    if (ext2fs_is_fast_symlink(small(inode)) != 0) {
        target.assign(reinterpret_cast<const char*>(inode.i_block), size);
    } else {
        ext2_file_t file = nullptr;
        errcode_t error = ext2fs_file_open(open_.get(), number, 0, &file);
        if (error != 0) return damaged("the link", number, error);
        unsigned got = 0;
        error = ext2fs_file_read(file, target.data(), static_cast<unsigned>(size), &got);
        ext2fs_file_close(file);
        if (error != 0 || got != size) return damaged("the link", number, error);
    }
    if (target.find('\0') != std::string::npos) return damaged("the link", number, 0);
    return target;
}

Result<std::string> ExtFilesystem::inline_data(ext2_ino_t number) const {
    std::size_t size = 0;
    errcode_t error = ext2fs_inline_data_size(open_.get(), number, &size);
    if (error != 0) return damaged("the data", number, error);
    std::string data(size, '\0');
    error = ext2fs_inline_data_get(open_.get(), number, nullptr, data.data(), &size);
    if (error != 0) return damaged("the data", number, error);
    return data;
}

Result<std::vector<ExtRun>> ExtFilesystem::runs(ext2_ino_t number, ExtInode& inode) const {
    auto found = (inode.i_flags & EXT4_EXTENTS_FL) != 0 ? extent_runs(number, inode)
                                                        : mapped_runs(number, inode);
    if (!found) return found;
    const std::uint64_t size = EXT2_I_SIZE(&inode);
    const std::uint64_t end = begin_ + capacity();
    std::uint64_t last = 0;
    for (ExtRun& run : *found) {
        const bool inside = run.at >= begin_ && run.at < end && run.size <= end - run.at;
        if (!inside || run.offset < last)
            return damaged("the blocks", number, EXT2_ET_BAD_BLOCK_NUM);
        last = run.offset + run.size;
        run.size = run.offset < size ? std::min(run.size, size - run.offset) : 0;
    }
    return found;
}

// Extents that were set aside and not written read as zeros: they are holes here.
Result<std::vector<ExtRun>> ExtFilesystem::extent_runs(ext2_ino_t number, ExtInode& inode) const {
    ext2_extent_handle_t raw = nullptr;
    errcode_t error = ext2fs_extent_open2(open_.get(), number, small(inode), &raw);
    if (error != 0) return damaged("the blocks", number, error);
    const std::unique_ptr<ext2_extent_handle, CloseExtents> handle(raw);
    std::vector<ExtRun> found;
    const std::uint64_t block = open_->blocksize;
    int direction = EXT2_EXTENT_ROOT;
    for (std::size_t steps = 0; steps < runs_max; ++steps) {
        ext2fs_extent extent{};
        error = ext2fs_extent_get(raw, direction, &extent);
        direction = EXT2_EXTENT_NEXT;
        if (error == EXT2_ET_EXTENT_NO_NEXT || error == EXT2_ET_NO_CURRENT_NODE) return found;
        if (error != 0) return damaged("the blocks", number, error);
        const bool leaf = (extent.e_flags & EXT2_EXTENT_FLAGS_LEAF) != 0;
        if (!leaf || (extent.e_flags & EXT2_EXTENT_FLAGS_UNINIT) != 0) continue;
        found.push_back(
            {extent.e_lblk * block, begin_ + extent.e_pblk * block, extent.e_len * block}
        );
    }
    return damaged("the blocks", number, EXT2_ET_EXTENT_HEADER_BAD);
}

// ext2 and ext3: one block after the other.
Result<std::vector<ExtRun>> ExtFilesystem::mapped_runs(ext2_ino_t number, ExtInode& inode) const {
    std::vector<ExtRun> found;
    const std::uint64_t block = open_->blocksize;

    struct Context {
        std::vector<ExtRun>& found;
        std::uint64_t block;
        std::uint64_t begin;
    } context{found, block, begin_};

    const auto take =
        [](ext2_filsys, blk64_t* physical, e2_blkcnt_t logical, blk64_t, int, void* given) {
            auto& to = *static_cast<Context*>(given);
            if (*physical == 0) return 0;
            const std::uint64_t offset = static_cast<std::uint64_t>(logical) * to.block;
            const std::uint64_t at = to.begin + *physical * to.block;
            if (!to.found.empty() && to.found.back().offset + to.found.back().size == offset &&
                to.found.back().at + to.found.back().size == at) {
                to.found.back().size += to.block;
                return 0;
            }
            to.found.push_back({offset, at, to.block});
            return to.found.size() >= runs_max ? BLOCK_ABORT : 0;
        };
    if (ext2fs_inode_has_valid_blocks2(open_.get(), small(inode)) == 0) return found;
    const errcode_t error = ext2fs_block_iterate3(
        open_.get(), number, BLOCK_FLAG_DATA_ONLY | BLOCK_FLAG_READ_ONLY, nullptr, take, &context
    );
    if (error != 0) return damaged("the blocks", number, error);
    if (found.size() >= runs_max) return damaged("the blocks", number, EXT2_ET_BAD_BLOCK_NUM);
    return found;
}

}  // namespace bramble::image
