#include "provisioning/image/packed_disk.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <string>

#include "provisioning/host/posix.hpp"
#include "provisioning/image/disk_name.hpp"
#include "provisioning/image/xz_disk.hpp"

namespace bramble::image {
namespace {

using host::posix::Fd;

constexpr std::size_t read_block_bytes = 1U << 18U;
constexpr unsigned entries_max = 10'000;

struct CloseReader {
    void operator()(archive* reader) const { archive_read_free(reader); }
};

using Reader = std::unique_ptr<archive, CloseReader>;

tl::unexpected<Error> damaged(const Reader& reader) {
    const char* reason = archive_error_string(reader.get());
    return fail(fmt::format(
        "is damaged or cut short ({}): fetch it again",
        reason == nullptr ? "unknown reason" : reason
    ));
}

Result<Reader> open_archive(const host::Path& file, bool zip) {
    Reader reader(archive_read_new());
    if (zip) {
        archive_read_support_format_zip_seekable(reader.get());
    } else {
        archive_read_support_filter_all(reader.get());
        archive_read_support_format_raw(reader.get());
    }
    if (archive_read_open_filename(reader.get(), file.c_str(), read_block_bytes) != ARCHIVE_OK)
        return damaged(reader);
    return reader;
}

// Which entry of a zip is the one image.
Result<unsigned> choose(const host::Path& zip) {
    const auto opened = open_archive(zip, true);
    if (!opened) return tl::unexpected(opened.error());
    archive* reader = opened->get();
    std::string chosen;
    unsigned place = 0;
    for (unsigned index = 0; index < entries_max; ++index) {
        archive_entry* entry = nullptr;
        const int next = archive_read_next_header(reader, &entry);
        if (next == ARCHIVE_EOF) {
            if (chosen.empty()) return fail("holds no disk image (a file that ends in .img)");
            return place;
        }
        if (next < ARCHIVE_WARN) return damaged(*opened);
        const char* name = archive_entry_pathname(entry);
        if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG) continue;
        if (!is_plain_disk_image(name)) continue;
        if (!chosen.empty()) {
            return fail(fmt::format(
                "holds several disk images, '{}' and '{}': unpack it and name the one that is "
                "meant",
                chosen,
                name
            ));
        }
        chosen = name;
        place = index;
    }
    return fail(fmt::format("holds over {} files", entries_max));
}

// One entry of what libarchive reads, which is opened and at that entry.
class ArchivedDisk final : public PackedDisk {
public:
    ArchivedDisk(Reader reader, std::stop_token stop)
        : reader_(std::move(reader)), stop_(std::move(stop)) {}

    Result<std::optional<DiskPiece>> next() override {
        if (stop_.stop_requested()) return fail("was not unpacked: stopped");
        const void* block = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        const int got = archive_read_data_block(reader_.get(), &block, &size, &offset);
        if (got == ARCHIVE_EOF) return std::optional<DiskPiece>();
        if (got < ARCHIVE_OK) return damaged(reader_);
        const std::string_view bytes(static_cast<const char*>(block), size);
        return DiskPiece{bytes, static_cast<std::uint64_t>(offset)};
    }

    std::uint64_t bytes_read() const override {
        return static_cast<std::uint64_t>(archive_filter_bytes(reader_.get(), -1));
    }

private:
    Reader reader_;
    std::stop_token stop_;
};

Result<std::unique_ptr<PackedDisk>> open_archived_disk(
    const host::Path& file, bool zip, const std::stop_token& stop
) {
    unsigned wanted = 0;
    if (zip) {
        const auto chosen = choose(file);
        if (!chosen) return tl::unexpected(chosen.error());
        wanted = *chosen;
    }
    auto reader = open_archive(file, zip);
    if (!reader) return tl::unexpected(reader.error());
    archive_entry* entry = nullptr;
    for (unsigned index = 0; index <= wanted; ++index) {
        if (archive_read_next_header(reader->get(), &entry) < ARCHIVE_WARN) return damaged(*reader);
    }
    if (!zip && archive_filter_count(reader->get()) < 2)
        return fail("is not compressed as its name says");
    return std::make_unique<ArchivedDisk>(std::move(*reader), stop);
}

}  // namespace

Result<std::unique_ptr<PackedDisk>> open_packed_disk(
    const host::Path& file, const std::stop_token& stop
) {
    if (is_zip(file.string())) return open_archived_disk(file, true, stop);
    Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 6> start{};
    const bool read = opened && ::pread(opened.get(), start.data(), start.size(), 0) ==
                                    static_cast<ssize_t>(start.size());
    if (read && begins_as_xz({start.data(), start.size()}))
        return open_xz_disk(std::move(opened), stop);
    return open_archived_disk(file, false, stop);
}

}  // namespace bramble::image
