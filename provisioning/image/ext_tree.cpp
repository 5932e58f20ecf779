#include "provisioning/image/ext_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <array>
#include <chrono>
#include <map>
#include <set>
#include <string>

#include "config/types/text.hpp"
#include "provisioning/host/posix.hpp"
#include "provisioning/image/ext_filesystem.hpp"

namespace bramble::image {
namespace {

using host::Path;
using host::posix::failure;
using host::posix::Fd;
using Steady = std::chrono::steady_clock;

constexpr auto progress_every = std::chrono::seconds(2);
constexpr std::size_t copy_bytes = 1U << 20U;

// Seconds have two more bits beside the nanoseconds, so that they last beyond 2038.
timespec time_of(std::uint32_t seconds, std::uint32_t extra) {
    constexpr long second_ns = 1'000'000'000;
    const auto epochs = static_cast<std::int64_t>(extra & 3U) << 32U;
    const long ns = static_cast<long>(extra >> 2U);
    return {static_cast<std::int32_t>(seconds) + epochs, ns < second_ns ? ns : 0};
}

dev_t device_of(const ExtInode& inode) {
    if (inode.i_block[0] != 0) {
        return makedev(inode.i_block[0] >> 8U & 0xFFU, inode.i_block[0] & 0xFFU);
    }
    const std::uint32_t packed = inode.i_block[1];
    return makedev(packed >> 8U & 0xFFFU, (packed & 0xFFU) | (packed >> 12U & 0xFFF00U));
}

// Where one entry goes: a name in an open directory, so that no link on the way is followed.
struct Place {
    const Fd& directory;
    const std::string& name;
    Path shown;  // from the top of the tree: for messages and hard links

    Path for_attributes() const {
        return fmt::format("/proc/self/fd/{}", directory.get()) / Path(name);
    }
};

class Copier {
public:
    Copier(const ExtCopy& copy, ExtFilesystem filesystem, Fd image, Fd top)
        : copy_(copy),
          filesystem_(std::move(filesystem)),
          image_(std::move(image)),
          top_(std::move(top)) {}

    Result<void> run() {
        const auto root = filesystem_.inode(EXT2_ROOT_INO);
        if (!root) return tl::unexpected(root.error());
        directories_.insert(EXT2_ROOT_INO);
        if (auto done = copy_entries(EXT2_ROOT_INO, top_, Path(), 0); !done) return done;
        static const std::string here = ".";
        return describe({top_, here, "/"}, EXT2_ROOT_INO, *root);
    }

private:
    Result<void> copy_entries(
        ext2_ino_t number, const Fd& directory, const Path& shown, std::size_t depth
    ) {
        if (depth > ext_depth_max) {
            return fail(fmt::format("its directories are nested over {} deep", ext_depth_max));
        }
        const auto entries = filesystem_.entries(number);
        if (!entries) return tl::unexpected(entries.error());
        for (const ExtEntry& entry : *entries) {
            if (copy_.stop.stop_requested()) return fail("it was not unpacked: stopped");
            if (++entries_ > ext_entries_max) return fail("it has too many files");
            const Place place{directory, entry.name, shown / entry.name};
            if (auto done = copy_entry(place, entry.inode, depth); !done) return done;
            report();
        }
        return {};
    }

    Result<void> copy_entry(const Place& place, ext2_ino_t number, std::size_t depth) {
        auto inode = filesystem_.inode(number);
        if (!inode) return tl::unexpected(inode.error());
        if (LINUX_S_ISDIR(inode->i_mode)) return copy_directory(place, number, *inode, depth);
        if (inode->i_links_count > 1) {
            const auto [first, fresh] = links_.emplace(number, place.shown);
            if (!fresh) return link(first->second, place);
        }
        const int at = place.directory.get();
        const char* name = place.name.c_str();
        if (LINUX_S_ISREG(inode->i_mode)) {
            if (auto done = copy_data(place, number, *inode); !done) return done;
        } else if (LINUX_S_ISLNK(inode->i_mode)) {
            const auto target = filesystem_.link_target(number, *inode);
            if (!target) return tl::unexpected(target.error());
            if (::symlinkat(target->c_str(), at, name) != 0) return no("make the link", place);
        } else {
            const mode_t kind = inode->i_mode & S_IFMT;
            const bool known =
                kind == S_IFCHR || kind == S_IFBLK || kind == S_IFIFO || kind == S_IFSOCK;
            if (!known) return fail(fmt::format("its '{}' is of no kind", place.shown.string()));
            const bool device = kind == S_IFCHR || kind == S_IFBLK;
            if (::mknodat(at, name, kind, device ? device_of(*inode) : 0) != 0) {
                return no("make", place);
            }
        }
        return describe(place, number, *inode);
    }

    Result<void> copy_directory(
        const Place& place, ext2_ino_t number, const ExtInode& inode, std::size_t depth
    ) {
        if (!directories_.insert(number).second) {
            return fail(fmt::format(
                "its filesystem is hostile or damaged: the directory '{}' is in two places",
                place.shown.string()
            ));
        }
        const int at = place.directory.get();
        if (::mkdirat(at, place.name.c_str(), 0700) != 0) return no("make the directory", place);
        const Fd opened(
            ::openat(at, place.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        );
        if (!opened) return no("open", place);
        if (auto done = copy_entries(number, opened, place.shown, depth + 1); !done) return done;
        return describe(place, number, inode);
    }

    // Every directory on the way is one that we made, so no link is followed.
    Result<void> link(const Path& first, const Place& place) {
        const int done =
            ::linkat(top_.get(), first.c_str(), place.directory.get(), place.name.c_str(), 0);
        return done == 0 ? Result<void>() : no("make the hard link", place);
    }

    Result<void> copy_data(const Place& place, ext2_ino_t number, ExtInode& inode) {
        const Fd to(::openat(
            place.directory.get(),
            place.name.c_str(),
            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
            0600
        ));
        if (!to) return no("make", place);
        const std::uint64_t size = EXT2_I_SIZE(&inode);
        if ((inode.i_flags & EXT4_INLINE_DATA_FL) != 0) {
            auto data = filesystem_.inline_data(number);
            if (!data) return tl::unexpected(data.error());
            if (data->size() > size) data->resize(size);  // the rest is room in the inode
            return host::posix::write_all(to, *data, place.shown);
        }
        if (::ftruncate(to.get(), static_cast<off_t>(size)) != 0) return no("make", place);
        const auto runs = filesystem_.runs(number, inode);
        if (!runs) return tl::unexpected(runs.error());
        for (const ExtRun& run : *runs) {
            bytes_ += run.size;
            if (bytes_ > filesystem_.capacity()) {
                return fail(
                    "its filesystem is hostile or damaged: its files hold more than it has room for"
                );
            }
            if (auto done = copy_run(to, run, place); !done) return done;
        }
        return {};
    }

    // The kernel copies, and shares blocks where the store's filesystem can.
    Result<void> copy_run(const Fd& to, const ExtRun& run, const Place& place) {
        auto from_at = static_cast<off_t>(run.at);
        auto to_at = static_cast<off_t>(run.offset);
        std::uint64_t left = run.size;
        while (left > 0) {
            if (copy_.stop.stop_requested()) return fail("it was not unpacked: stopped");
            const std::size_t count = left < copy_bytes ? left : copy_bytes;
            ssize_t done = ::copy_file_range(image_.get(), &from_at, to.get(), &to_at, count, 0);
            if (done < 0 && errno == EINTR) continue;
            if (done < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP)) {
                done = copy_by_hand(to, from_at, to_at, count);
            }
            if (done < 0) return no("write", place);
            if (done == 0) return fail("its filesystem ends early: the image is cut short");
            left -= static_cast<std::uint64_t>(done);
            report();
        }
        return {};
    }

    ssize_t copy_by_hand(const Fd& to, off_t& from_at, off_t& to_at, std::size_t count) {
        buffer_.resize(copy_bytes);
        const ssize_t got = ::pread(image_.get(), buffer_.data(), count, from_at);
        if (got <= 0) return got;
        const ssize_t put =
            ::pwrite(to.get(), buffer_.data(), static_cast<std::size_t>(got), to_at);
        if (put < 0) return put;
        from_at += put;
        to_at += put;
        return put;
    }

    // Owner before attributes and mode: chown(2) takes capabilities and setuid away. Times last.
    Result<void> describe(const Place& place, ext2_ino_t number, const ExtInode& inode) {
        const int at = place.directory.get();
        const char* name = place.name.c_str();
        const uid_t uid = inode.i_uid | static_cast<uid_t>(inode.osd2.linux2.l_i_uid_high) << 16U;
        const gid_t gid = inode.i_gid | static_cast<gid_t>(inode.osd2.linux2.l_i_gid_high) << 16U;
        if (::fchownat(at, name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0) {
            return no("give an owner to", place);
        }
        const auto attributes = filesystem_.attributes(number);
        if (!attributes) return tl::unexpected(attributes.error());
        for (const ExtAttribute& one : *attributes) {
            const int set = ::lsetxattr(
                place.for_attributes().c_str(),
                one.name.c_str(),
                one.value.data(),
                one.value.size(),
                0
            );
            if (set != 0) return no("set " + one.name + " of", place);
        }
        if (!LINUX_S_ISLNK(inode.i_mode) && ::fchmodat(at, name, inode.i_mode & 07777U, 0) != 0) {
            return no("set the mode of", place);
        }
        const bool fine = inode.i_extra_isize >= 16;  // up to i_atime_extra
        const std::array<timespec, 2> times = {
            time_of(inode.i_atime, fine ? inode.i_atime_extra : 0),
            time_of(inode.i_mtime, fine ? inode.i_mtime_extra : 0)};
        if (::utimensat(at, name, times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
            return no("set the times of", place);
        }
        return {};
    }

    static tl::unexpected<Error> no(std::string_view doing, const Place& place) {
        return failure(doing, place.shown);
    }

    void report() {
        if (!copy_.progress || Steady::now() - reported_ < progress_every) return;
        reported_ = Steady::now();
        copy_.progress(fmt::format("copied {} files, {}", entries_, describe_bytes(bytes_)));
    }

    const ExtCopy& copy_;
    ExtFilesystem filesystem_;
    Fd image_;
    Fd top_;
    std::map<ext2_ino_t, Path> links_;
    std::set<ext2_ino_t> directories_;
    std::string buffer_;
    std::uint64_t entries_ = 0;
    std::uint64_t bytes_ = 0;
    Steady::time_point reported_ = Steady::now();
};

}  // namespace

Result<void> copy_ext_tree(const ExtCopy& copy) {
    auto filesystem = ExtFilesystem::open(copy.file, copy.begin, copy.size);
    if (!filesystem) return tl::unexpected(filesystem.error());
    Fd image(::open(copy.file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!image) return failure("open", copy.file);
    auto top = host::posix::open_directory(copy.directory);
    if (!top) return tl::unexpected(top.error());
    return Copier(copy, std::move(*filesystem), std::move(image), std::move(*top)).run();
}

}  // namespace bramble::image
