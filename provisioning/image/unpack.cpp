#include "provisioning/image/unpack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sched.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "config/types/text.hpp"

namespace bramble::image {
namespace {

using host::Path;
using Steady = std::chrono::steady_clock;

constexpr auto progress_every = std::chrono::seconds(2);
constexpr std::size_t read_block_bytes = 1U << 18U;
constexpr int write_flags = ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                            ARCHIVE_EXTRACT_ACL | ARCHIVE_EXTRACT_XATTR |
                            ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT;

struct CloseReader {
    void operator()(archive* reader) const { archive_read_free(reader); }
};

struct CloseWriter {
    void operator()(archive* writer) const { archive_write_free(writer); }
};

using Reader = std::unique_ptr<archive, CloseReader>;
using Writer = std::unique_ptr<archive, CloseWriter>;

std::string reason_of(archive* one) {
    const char* text = archive_error_string(one);
    return text == nullptr ? "unknown reason" : text;
}

// Relative and without "..": where an archive may write.
bool is_inside(const Path& path) {
    if (path.empty() || path.is_absolute()) return false;
    for (const Path& part : path) {
        if (part == "..") return false;
    }
    return true;
}

class Unpacker {
public:
    Unpacker(const Unpacking& unpacking, Path top)
        : unpacking_(unpacking),
          top_(std::move(top)),
          reader_(archive_read_new()),
          writer_(archive_write_disk_new()) {
        archive_read_support_filter_all(reader_.get());
        archive_read_support_format_tar(reader_.get());
        archive_read_support_format_empty(reader_.get());
        archive_write_disk_set_options(writer_.get(), write_flags);
        // Numbers, not names: the tree's own users are meant, not this machine's.
    }

    Result<void> run() {
        const int opened =
            archive_read_open_filename(reader_.get(), unpacking_.archive.c_str(), read_block_bytes);
        if (opened != ARCHIVE_OK)
            return no("is no tar archive or damaged", reason_of(reader_.get()));
        for (;;) {
            archive_entry* entry = nullptr;
            const int next = archive_read_next_header(reader_.get(), &entry);
            if (next == ARCHIVE_EOF) break;
            if (next < ARCHIVE_WARN)
                return no("is no tar archive or damaged", reason_of(reader_.get()));
            if (auto done = take(entry); !done) return done;
        }
        if (entries_ == 0) return no("is empty", "no entries");
        if (archive_write_close(writer_.get()) < ARCHIVE_WARN) {
            return no("cannot be unpacked", reason_of(writer_.get()));
        }
        return {};
    }

private:
    tl::unexpected<Error> no(std::string_view what, std::string_view why) const {
        return fail(fmt::format("archive '{}' {}: {}", unpacking_.archive.string(), what, why));
    }

    // Gives the entry its place below our directory, or refuses it.
    Result<void> place(archive_entry* entry) {
        const char* name = archive_entry_pathname(entry);
        const Path path = name == nullptr ? Path() : Path(name);
        if (!is_inside(path)) {
            return no(
                "is refused", fmt::format("its entry '{}' leads out of the tree", path.string())
            );
        }
        archive_entry_set_pathname(entry, (top_ / path).c_str());
        if (const char* target = archive_entry_hardlink(entry)) {
            if (!is_inside(target)) {
                return no(
                    "is refused",
                    fmt::format(
                        "'{}' is a hard link out of the tree to '{}'", path.string(), target
                    )
                );
            }
            archive_entry_set_hardlink(entry, (top_ / Path(target)).c_str());
        }
        return {};
    }

    Result<void> take(archive_entry* entry) {
        if (unpacking_.stop.stop_requested()) return no("was not unpacked", "stopped");
        if (++entries_ > unpacked_entries_max) return no("is refused", "too many entries");
        if (auto placed = place(entry); !placed) return placed;
        if (archive_write_header(writer_.get(), entry) < ARCHIVE_WARN) {
            return no("cannot be unpacked", reason_of(writer_.get()));
        }
        if (auto copied = copy_data(); !copied) return copied;
        if (archive_write_finish_entry(writer_.get()) < ARCHIVE_WARN) {
            return no("cannot be unpacked", reason_of(writer_.get()));
        }
        report();
        return {};
    }

    Result<void> copy_data() {
        for (;;) {
            const void* block = nullptr;
            std::size_t size = 0;
            la_int64_t offset = 0;
            const int got = archive_read_data_block(reader_.get(), &block, &size, &offset);
            if (got == ARCHIVE_EOF) return {};
            if (got < ARCHIVE_WARN) return no("is damaged", reason_of(reader_.get()));
            bytes_ += size;
            if (bytes_ > unpacked_bytes_max) return no("is refused", "it unpacks to over 64 GiB");
            if (archive_write_data_block(writer_.get(), block, size, offset) < ARCHIVE_WARN) {
                return no("cannot be unpacked", reason_of(writer_.get()));
            }
            report();
        }
    }

    void report() {
        if (!unpacking_.progress || Steady::now() - reported_ < progress_every) return;
        reported_ = Steady::now();
        unpacking_.progress(fmt::format("unpacked {} files, {}", entries_, describe_bytes(bytes_)));
    }

    const Unpacking& unpacking_;
    Path top_;
    Reader reader_;
    Writer writer_;
    std::uint64_t entries_ = 0;
    std::uint64_t bytes_ = 0;
    Steady::time_point reported_ = Steady::now();
};

}  // namespace

Result<void> unpack_tar(const Unpacking& unpacking) {
    // The links on the way to our own directory are fine; those in the archive are not.
    std::error_code error;
    const Path top = std::filesystem::canonical(unpacking.directory, error);
    if (error) {
        return fail(fmt::format(
            "cannot unpack into '{}': {}", unpacking.directory.string(), error.message()
        ));
    }
    // libarchive sets the umask for each entry and sets it back: two that did so at once in one
    // process would leave it without any, so each has its own. Where that is not allowed they take
    // turns.
    static std::mutex turn;
    Result<void> done;
    std::jthread([&] {
        std::unique_lock lock(turn, std::defer_lock);
        if (::unshare(CLONE_FS) != 0) lock.lock();
        done = Unpacker(unpacking, top).run();
    }).join();
    return done;
}

}  // namespace bramble::image
