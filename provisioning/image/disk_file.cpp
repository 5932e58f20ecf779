#include "provisioning/image/disk_file.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>

#include "config/types/text.hpp"
#include "provisioning/host/posix.hpp"

namespace bramble::image {
namespace {

using host::posix::failure;
using host::posix::Fd;
using Steady = std::chrono::steady_clock;

constexpr auto progress_every = std::chrono::seconds(2);
constexpr std::size_t read_block_bytes = 1U << 18U;
constexpr std::size_t hole_bytes = 1U << 12U;
constexpr std::uint64_t space_asked_every = 64ULL << 20U;
constexpr unsigned entries_max = 10'000;

constexpr std::array<std::string_view, 2> plain_ends = {".img", ".raw"};
constexpr std::array<std::string_view, 5> packed_ends = {"", ".xz", ".gz", ".zst", ".bz2"};

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return result;
}

struct CloseReader {
    void operator()(archive* reader) const { archive_read_free(reader); }
};

using Reader = std::unique_ptr<archive, CloseReader>;

class Expander {
public:
    Expander(const Expansion& expansion, Fd to, bool zip)
        : expansion_(expansion), to_(std::move(to)), zip_(zip) {}

    Result<void> run() {
        if (zip_) {
            const auto wanted = choose();
            if (!wanted) return tl::unexpected(wanted.error());
            wanted_ = *wanted;
        }
        const auto opened = open();
        if (!opened) return tl::unexpected(opened.error());
        archive* reader = opened->get();
        archive_entry* entry = nullptr;
        for (unsigned index = 0; index <= wanted_; ++index) {
            if (archive_read_next_header(reader, &entry) < ARCHIVE_WARN) {
                return damaged(reader);
            }
        }
        if (!zip_ && archive_filter_count(reader) < 2) {
            return no("is not compressed as its name says");
        }
        return copy(reader);
    }

private:
    tl::unexpected<Error> no(std::string_view what) const {
        return fail(fmt::format("'{}' {}", expansion_.from.string(), what));
    }

    tl::unexpected<Error> damaged(archive* reader) const {
        const char* reason = archive_error_string(reader);
        return no(fmt::format(
            "is damaged or cut short ({}): fetch it again",
            reason == nullptr ? "unknown reason" : reason
        ));
    }

    Result<Reader> open() const {
        Reader reader(archive_read_new());
        if (zip_) {
            archive_read_support_format_zip_seekable(reader.get());
        } else {
            archive_read_support_filter_all(reader.get());
            archive_read_support_format_raw(reader.get());
        }
        const int opened =
            archive_read_open_filename(reader.get(), expansion_.from.c_str(), read_block_bytes);
        if (opened != ARCHIVE_OK) return damaged(reader.get());
        return reader;
    }

    // Which entry of a zip is the one image.
    Result<unsigned> choose() const {
        const auto opened = open();
        if (!opened) return tl::unexpected(opened.error());
        archive* reader = opened->get();
        std::string chosen;
        unsigned place = 0;
        for (unsigned index = 0; index < entries_max; ++index) {
            archive_entry* entry = nullptr;
            const int next = archive_read_next_header(reader, &entry);
            if (next == ARCHIVE_EOF) {
                if (chosen.empty()) return no("holds no disk image (a file that ends in .img)");
                return place;
            }
            if (next < ARCHIVE_WARN) return damaged(reader);
            const char* name = archive_entry_pathname(entry);
            if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG) continue;
            if (!is_plain_disk_image(name)) continue;
            if (!chosen.empty()) {
                return no(fmt::format(
                    "holds several disk images, '{}' and '{}': unpack it and name the one that is "
                    "meant",
                    chosen,
                    name
                ));
            }
            chosen = name;
            place = index;
        }
        return no(fmt::format("holds over {} files", entries_max));
    }

    Result<void> copy(archive* reader) {
        for (;;) {
            if (expansion_.stop.stop_requested()) return no("was not unpacked: stopped");
            const void* block = nullptr;
            std::size_t size = 0;
            la_int64_t offset = 0;
            const int got = archive_read_data_block(reader, &block, &size, &offset);
            if (got == ARCHIVE_EOF) break;
            if (got < ARCHIVE_OK) return damaged(reader);
            const std::string_view bytes(static_cast<const char*>(block), size);
            auto done = put(bytes, static_cast<std::uint64_t>(offset), reader);
            if (!done) return done;
        }
        if (end_ == 0) return no("is empty");
        if (::ftruncate(to_.get(), static_cast<off_t>(end_)) != 0) {
            return failure("write", expansion_.to);
        }
        return {};
    }

    Result<void> put(std::string_view bytes, std::uint64_t offset, archive* reader) {
        if (offset > disk_bytes_max || bytes.size() > disk_bytes_max - offset) {
            return no(fmt::format("is refused: it unpacks to over {} GiB", disk_bytes_max >> 30U));
        }
        end_ = std::max(end_, offset + bytes.size());
        for (std::size_t at = 0; at < bytes.size(); at += hole_bytes) {
            const std::string_view part = bytes.substr(at, hole_bytes);
            if (part.find_first_not_of('\0') == std::string_view::npos) continue;
            if (auto fits = count(part.size(), reader); !fits) return fits;
            const ssize_t put =
                ::pwrite(to_.get(), part.data(), part.size(), static_cast<off_t>(offset + at));
            if (put != static_cast<ssize_t>(part.size())) return failure("write", expansion_.to);
        }
        report();
        return {};
    }

    Result<void> count(std::size_t size, archive* reader) {
        written_ += size;
        const auto read = static_cast<std::uint64_t>(archive_filter_bytes(reader, -1));
        if (written_ > ratio_counts_from && written_ / written_per_read_max > read) {
            return no(fmt::format(
                "is refused: it unpacks to over {} times its size", written_per_read_max
            ));
        }
        if (written_ < space_asked_at_) return {};
        space_asked_at_ = written_ + space_asked_every;
        std::error_code error;
        const auto space = std::filesystem::space(expansion_.to.parent_path(), error);
        if (!error && space.available < free_bytes_min + space_asked_every) {
            return no(fmt::format(
                "does not fit: '{}' has only {} left; make room, or move the store",
                expansion_.to.parent_path().string(),
                describe_bytes(space.available)
            ));
        }
        return {};
    }

    void report() {
        if (!expansion_.progress || Steady::now() - reported_ < progress_every) return;
        reported_ = Steady::now();
        expansion_.progress(fmt::format("unpacked {} of the disk image", describe_bytes(end_)));
    }

    const Expansion& expansion_;
    Fd to_;
    bool zip_;
    unsigned wanted_ = 0;
    std::uint64_t end_ = 0;
    std::uint64_t written_ = 0;
    std::uint64_t space_asked_at_ = 0;
    Steady::time_point reported_ = Steady::now();
};

}  // namespace

bool is_plain_disk_image(std::string_view name) {
    const std::string text = lower(name);
    return std::any_of(plain_ends.begin(), plain_ends.end(), [&](std::string_view end) {
        return text.ends_with(end);
    });
}

bool is_disk_image(std::string_view name) {
    const std::string text = lower(name);
    if (text.ends_with(".zip")) return true;
    return std::any_of(packed_ends.begin(), packed_ends.end(), [&](std::string_view end) {
        return text.ends_with(end) && is_plain_disk_image(text.substr(0, text.size() - end.size()));
    });
}

Result<void> expand_disk(const Expansion& expansion) {
    Fd to(::open(expansion.to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!to) return failure("make", expansion.to);
    const bool zip = lower(expansion.from.string()).ends_with(".zip");
    return Expander(expansion, std::move(to), zip).run();
}

}  // namespace bramble::image
