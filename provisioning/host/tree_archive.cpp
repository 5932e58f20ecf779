#include "provisioning/host/tree_archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>
#include <thread>

#include "provisioning/host/posix.hpp"

namespace bramble::host {
namespace {

using namespace posix;

constexpr std::size_t block_bytes = 1U << 16U;
constexpr std::size_t left_out_max = 100;
constexpr int read_flags = ARCHIVE_READDISK_NO_TRAVERSE_MOUNTS | ARCHIVE_READDISK_NO_FFLAGS;
constexpr int extract_flags = ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                              ARCHIVE_EXTRACT_ACL | ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_UNLINK |
                              ARCHIVE_EXTRACT_SECURE_NODOTDOT;

struct FreeArchive {
    void operator()(archive* one) const { archive_free(one); }
};

struct FreeEntry {
    void operator()(archive_entry* one) const { archive_entry_free(one); }
};

struct FreeLinks {
    void operator()(archive_entry_linkresolver* one) const { archive_entry_linkresolver_free(one); }
};

using Archive = std::unique_ptr<archive, FreeArchive>;
using Entry = std::unique_ptr<archive_entry, FreeEntry>;
using Links = std::unique_ptr<archive_entry_linkresolver, FreeLinks>;

std::string reason_of(archive* one) {
    const char* text = archive_error_string(one);
    return text == nullptr ? "unknown reason" : text;
}

// Runs `work` in a thread whose root is `tree`: whatever link a board put there, it leads to
// somewhere in the tree.
template <typename Work>
Result<void> inside(const Path& tree, const Work& work) {
    Result<void> result;
    std::thread([&] {
        if (::unshare(CLONE_FS) != 0 || ::chroot(tree.c_str()) != 0 || ::chdir("/") != 0) {
            result = failure("enter", tree);
        } else {
            result = work();
        }
    }).join();
    return result;
}

// Writes entries of a disk to an archive.
class Packer {
public:
    Packer(archive* writer, const ArchiveWish& wish, ArchiveReport& report)
        : writer_(writer),
          wish_(wish),
          report_(report),
          links_(archive_entry_linkresolver_new()),
          zeros_(block_bytes, '\0') {
        archive_entry_linkresolver_set_strategy(links_.get(), archive_format(writer));
    }

    // `top` is relative to the thread's root.
    Result<void> pack(const std::string& top) {
        const Archive disk(archive_read_disk_new());
        archive_read_disk_set_symlink_physical(disk.get());
        archive_read_disk_set_behavior(disk.get(), read_flags);
        if (archive_read_disk_open(disk.get(), top.c_str()) != ARCHIVE_OK) return no(disk.get());
        for (;;) {
            const Entry entry(archive_entry_new());
            const int next = archive_read_next_header2(disk.get(), entry.get());
            if (next == ARCHIVE_EOF) return {};
            if (next < ARCHIVE_WARN) return no(disk.get());
            if (wish_.stop.stop_requested()) return fail("stopped");
            std::string path = archive_entry_pathname(entry.get());
            if (path.starts_with("./")) path.erase(0, 2);
            if (wish_.leave_out && wish_.leave_out(path)) continue;
            if (archive_read_disk_can_descend(disk.get()) != 0) {
                archive_read_disk_descend(disk.get());
            }
            if (auto done = put(disk.get(), entry.get(), path); !done) return done;
        }
    }

    Result<void> put_file(const std::string& name, const Path& source) {
        const Fd fd(::open(source.c_str(), O_RDONLY | O_CLOEXEC));

        struct stat found {};

        if (!fd || ::fstat(fd.get(), &found) != 0) return failure("read", source);
        const Entry entry(archive_entry_new());
        archive_entry_copy_pathname(entry.get(), name.c_str());
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_entry_set_perm(entry.get(), 0644);
        archive_entry_set_size(entry.get(), found.st_size);
        archive_entry_set_mtime(entry.get(), found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
        if (archive_write_header(writer_, entry.get()) < ARCHIVE_WARN) return no(writer_);
        return read_all(fd, source, Host::read_bytes_max).and_then([&](const std::string& bytes) {
            return write(bytes.data(), bytes.size());
        });
    }

private:
    static tl::unexpected<Error> no(archive* one) { return fail(reason_of(one)); }

    Result<void> put(archive* disk, archive_entry* entry, const std::string& path) {
        const std::string name = wish_.prefix + (path == "." ? "" : path);
        archive_entry_copy_pathname(entry, name.empty() ? "." : name.c_str());
        archive_entry* linked = entry;
        archive_entry* spare = nullptr;
        archive_entry_linkify(links_.get(), &linked, &spare);
        const int wrote = archive_write_header(writer_, entry);
        if (wrote == ARCHIVE_FAILED) {
            if (report_.left_out.size() < left_out_max) {
                report_.left_out.push_back(fmt::format("{}: {}", path, reason_of(writer_)));
            }
            return {};
        }
        if (wrote < ARCHIVE_WARN) return no(writer_);
        ++report_.entries;
        if (archive_entry_size(entry) <= 0 || archive_entry_hardlink(entry) != nullptr) return {};
        return copy_data(disk, archive_entry_size(entry));
    }

    // A file that a board cuts meanwhile is filled with zeros: its header is written already.
    Result<void> copy_data(archive* disk, la_int64_t size) {
        la_int64_t at = 0;
        for (;;) {
            const void* block = nullptr;
            std::size_t bytes = 0;
            la_int64_t offset = 0;
            const int got = archive_read_data_block(disk, &block, &bytes, &offset);
            if (got < ARCHIVE_WARN) return no(disk);
            const la_int64_t gap_end = got == ARCHIVE_EOF ? size : offset;
            while (at < gap_end) {
                const auto part = std::min<la_int64_t>(gap_end - at, block_bytes);
                auto done = write(zeros_.data(), static_cast<std::size_t>(part));
                if (!done) return done;
                at += part;
            }
            if (got == ARCHIVE_EOF) return {};
            if (auto done = write(block, bytes); !done) return done;
            at += static_cast<la_int64_t>(bytes);
        }
    }

    Result<void> write(const void* bytes, std::size_t count) {
        report_.bytes += count;
        return archive_write_data(writer_, bytes, count) < 0 ? Result<void>(no(writer_))
                                                             : Result<void>();
    }

    archive* writer_;
    const ArchiveWish& wish_;
    ArchiveReport& report_;
    Links links_;
    std::string zeros_;
};

Archive new_writer(bool packed) {
    Archive writer(archive_write_new());
    archive_write_set_format_pax(writer.get());
    // Names are bytes: those that are not UTF-8 stay as they are.
    archive_write_set_format_option(writer.get(), "pax", "hdrcharset", "BINARY");
    if (packed) archive_write_add_filter_zstd(writer.get());
    return writer;
}

Result<ArchiveReport> write_to(const Fd& fd, const ArchiveWish& wish) {
    ArchiveReport report;
    const Archive writer = new_writer(true);
    if (archive_write_open_fd(writer.get(), fd.get()) != ARCHIVE_OK) {
        return fail(reason_of(writer.get()));
    }
    Packer packer(writer.get(), wish, report);
    for (const auto& [name, source] : wish.files) {
        if (auto done = packer.put_file(name, source); !done) return tl::unexpected(done.error());
    }
    auto done = inside(wish.tree, [&] { return packer.pack("."); });
    if (!done) return tl::unexpected(done.error());
    if (archive_write_close(writer.get()) != ARCHIVE_OK) return fail(reason_of(writer.get()));
    return report;
}

// The other end of the pipe: everything that comes is put into the thread's root.
Result<void> unpack(int from) {
    const Archive reader(archive_read_new());
    archive_read_support_format_tar(reader.get());
    archive_read_support_format_empty(reader.get());
    const Archive disk(archive_write_disk_new());
    archive_write_disk_set_options(disk.get(), extract_flags);
    if (archive_read_open_fd(reader.get(), from, block_bytes) != ARCHIVE_OK) {
        return fail(reason_of(reader.get()));
    }
    for (;;) {
        archive_entry* entry = nullptr;
        const int next = archive_read_next_header(reader.get(), &entry);
        if (next == ARCHIVE_EOF) break;
        if (next < ARCHIVE_WARN) return fail(reason_of(reader.get()));
        if (archive_read_extract2(reader.get(), entry, disk.get()) < ARCHIVE_WARN) {
            return fail(reason_of(reader.get()));
        }
    }
    // Directories get their times and modes now.
    if (archive_write_close(disk.get()) < ARCHIVE_WARN) return fail(reason_of(disk.get()));
    return {};
}

}  // namespace

Result<ArchiveReport> write_archive(const ArchiveWish& wish, const Path& file) {
    const Path aside = file.string() + ".part";
    ::unlink(aside.c_str());
    if (::access(file.c_str(), F_OK) == 0) {
        return fail(fmt::format("'{}' exists: name another file or remove it", file.string()));
    }
    const Fd fd(::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return failure("create", file);
    auto report = write_to(fd, wish);
    Result<void> done;
    if (!report) done = fail(report.error().message);
    if (done) done = sync(fd, file);
    if (done && ::rename(aside.c_str(), file.c_str()) != 0) done = failure("rename", file);
    if (done) {
        done = open_directory(parent_of(file)).and_then([&](const Fd& directory) {
            return sync(directory, file);
        });
    }
    if (done) return report;
    ::unlink(aside.c_str());
    return fail(fmt::format("cannot write '{}': {}", file.string(), done.error().message));
}

Result<bool> carry_over(
    Host& host, const Path& from, const Path& to, const Path& relative, const std::stop_token& stop
) {
    const Path inner = relative.relative_path();
    const auto there = host.status_in(from, inner);
    if (!there) return tl::unexpected(there.error());
    if (!*there) return false;
    if (auto removed = host.remove_in(to, inner); !removed) return tl::unexpected(removed.error());
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failure("make a pipe for", relative);
    Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    Result<void> packed;
    std::thread packing([&] {
        sigset_t broken_pipe;
        ::sigemptyset(&broken_pipe);
        ::sigaddset(&broken_pipe, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);  // EPIPE says it, too
        ArchiveWish wish;
        wish.stop = stop;
        ArchiveReport report;
        packed = inside(from, [&]() -> Result<void> {
            const Archive writer = new_writer(false);
            archive_write_open_fd(writer.get(), write_end.get());
            auto done = Packer(writer.get(), wish, report).pack(inner.string());
            if (done && archive_write_close(writer.get()) != ARCHIVE_OK) {
                done = fail(reason_of(writer.get()));
            }
            return done;
        });
        write_end.reset();
    });
    const auto unpacked = inside(to, [&] { return unpack(read_end.get()); });
    read_end.reset();  // whoever still packs is told by EPIPE
    packing.join();
    const Result<void> done = packed.and_then([&] { return unpacked; });
    if (!done) {
        return fail(
            fmt::format("cannot carry '{}' over: {}", relative.string(), done.error().message)
        );
    }
    return true;
}

}  // namespace bramble::host
