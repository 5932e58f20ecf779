#include "provisioning/root/cpio.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

namespace bramble::root {

namespace {

struct FreeArchive {
    void operator()(archive* handle) const { archive_free(handle); }
};

struct FreeEntry {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

using Archive = std::unique_ptr<archive, FreeArchive>;
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

tl::unexpected<Error> archive_failure(std::string_view doing, archive* handle) {
    const char* reason = archive_error_string(handle);
    return fail(fmt::format("{}: {}", doing, reason != nullptr ? reason : "unknown error"));
}

la_ssize_t append(archive*, void* output, const void* data, std::size_t size) {
    static_cast<std::string*>(output)->append(static_cast<const char*>(data), size);
    return static_cast<la_ssize_t>(size);
}

mode_t file_type(CpioEntry::Kind kind) {
    switch (kind) {
        case CpioEntry::Kind::directory:
            return S_IFDIR;
        case CpioEntry::Kind::symlink:
            return S_IFLNK;
        case CpioEntry::Kind::character_device:
            return S_IFCHR;
        case CpioEntry::Kind::file:
            break;
    }
    return S_IFREG;
}

Result<void> write_entry(archive* handle, const CpioEntry& from) {
    const Entry entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), from.path.c_str());
    archive_entry_set_mode(entry.get(), file_type(from.kind) | (from.mode & 07777U));
    archive_entry_set_uid(entry.get(), from.uid);
    archive_entry_set_gid(entry.get(), from.gid);
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_size(entry.get(), 0);
    archive_entry_set_nlink(entry.get(), from.kind == CpioEntry::Kind::directory ? 2 : 1);
    switch (from.kind) {
        case CpioEntry::Kind::file:
            archive_entry_set_size(entry.get(), static_cast<la_int64_t>(from.content.size()));
            break;
        case CpioEntry::Kind::symlink:
            archive_entry_set_mode(entry.get(), S_IFLNK | 0777U);
            archive_entry_set_symlink(entry.get(), from.content.c_str());
            break;
        case CpioEntry::Kind::character_device:
            archive_entry_set_rdevmajor(entry.get(), from.major);
            archive_entry_set_rdevminor(entry.get(), from.minor);
            break;
        case CpioEntry::Kind::directory:
            break;
    }
    if (archive_write_header(handle, entry.get()) != ARCHIVE_OK)
        return archive_failure(fmt::format("cpio archive, {}", from.path), handle);
    if (from.kind == CpioEntry::Kind::file && !from.content.empty() &&
        archive_write_data(handle, from.content.data(), from.content.size()) !=
            static_cast<la_ssize_t>(from.content.size()))
        return archive_failure(fmt::format("cpio archive, {}", from.path), handle);
    return {};
}

// All data of the current entry, appended to `content`.
Result<void> read_content(archive* handle, std::string& content, std::size_t bytes_max) {
    std::array<char, 1U << 16U> buffer{};
    while (true) {
        const la_ssize_t count = archive_read_data(handle, buffer.data(), buffer.size());
        if (count < 0) return archive_failure("cannot decompress", handle);
        if (count == 0) return {};
        content.append(buffer.data(), static_cast<std::size_t>(count));
        if (content.size() > bytes_max)
            return fail(fmt::format("decompresses to more than {} bytes", bytes_max));
    }
}

CpioEntry describe_entry(archive_entry* entry) {
    CpioEntry result;
    result.path = archive_entry_pathname(entry);
    result.mode = archive_entry_perm(entry);
    result.uid = static_cast<std::uint32_t>(archive_entry_uid(entry));
    result.gid = static_cast<std::uint32_t>(archive_entry_gid(entry));
    switch (archive_entry_filetype(entry)) {
        case AE_IFDIR:
            result.kind = CpioEntry::Kind::directory;
            break;
        case AE_IFLNK:
            result.kind = CpioEntry::Kind::symlink;
            result.content = archive_entry_symlink(entry);
            break;
        case AE_IFCHR:
            result.kind = CpioEntry::Kind::character_device;
            result.major = static_cast<std::uint32_t>(archive_entry_rdevmajor(entry));
            result.minor = static_cast<std::uint32_t>(archive_entry_rdevminor(entry));
            break;
        default:
            break;
    }
    return result;
}

bool is_compressed(std::string_view bytes) {
    using namespace std::string_view_literals;
    return bytes.starts_with("\x1f\x8b"sv) ||
           bytes.starts_with(
               "\xfd"
               "7zXZ\0"sv
           ) ||
           bytes.starts_with("\x28\xb5\x2f\xfd"sv);
}

// What an archive may have beside its content.
constexpr std::size_t headers_bytes_max = 16U << 20U;

// libarchive takes memory for a name before it looks whether the archive is that long: up to 4 GB
// by one header. It also looks for headers behind damage, so every place that could be one counts.
bool has_short_names(std::string_view bytes) {
    constexpr std::string_view magic = "07070";
    constexpr std::size_t size_at = 94;  // of the name, 8 hexadecimal digits
    constexpr std::uint32_t name_bytes_max = 4096;
    for (std::size_t at = bytes.find(magic); at != std::string_view::npos;
         at = bytes.find(magic, at + 1)) {
        if (bytes.size() - at < size_at + 8) break;
        const std::string_view digits = bytes.substr(at + size_at, 8);
        std::uint32_t size = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
        const bool is_newc = bytes[at + magic.size()] == '1' || bytes[at + magic.size()] == '2';
        if (is_newc && error == std::errc() && end == digits.data() + digits.size() &&
            size > name_bytes_max) {
            return false;
        }
    }
    return true;
}

}  // namespace

Result<std::string> write_cpio_gzip(std::vector<CpioEntry> entries) {
    // A directory's path is a prefix of what it holds, so it stands first.
    std::sort(entries.begin(), entries.end(), [](const CpioEntry& a, const CpioEntry& b) {
        return a.path < b.path;
    });
    std::string output;  // outlives the handle, which writes its rest there when an error ends this
    const Archive handle(archive_write_new());
    // The time stamp in gzip's header would make each run's bytes differ.
    if (archive_write_set_format_cpio_newc(handle.get()) != ARCHIVE_OK ||
        archive_write_add_filter_gzip(handle.get()) != ARCHIVE_OK ||
        archive_write_set_options(handle.get(), "gzip:!timestamp,gzip:compression-level=6") !=
            ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(handle.get(), 1) != ARCHIVE_OK ||
        archive_write_open(handle.get(), &output, nullptr, append, nullptr) != ARCHIVE_OK)
        return archive_failure("cpio archive", handle.get());
    for (const CpioEntry& entry : entries)
        if (auto written = write_entry(handle.get(), entry); !written)
            return tl::unexpected(written.error());
    if (archive_write_close(handle.get()) != ARCHIVE_OK)
        return archive_failure("cpio archive", handle.get());
    return output;
}

Result<std::vector<CpioEntry>> read_cpio(std::span<const char> archive, std::size_t bytes_max) {
    const auto bytes = decompress({archive.data(), archive.size()}, bytes_max + headers_bytes_max);
    if (!bytes) return tl::unexpected(bytes.error());
    if (!has_short_names(*bytes)) return fail("cpio archive: a name of more than 4096 bytes");
    const Archive handle(archive_read_new());
    if (archive_read_support_format_cpio(handle.get()) != ARCHIVE_OK ||
        archive_read_open_memory(handle.get(), bytes->data(), bytes->size()) != ARCHIVE_OK)
        return archive_failure("cpio archive", handle.get());
    std::vector<CpioEntry> entries;
    archive_entry* entry = nullptr;
    while (true) {
        const int status = archive_read_next_header(handle.get(), &entry);
        if (status == ARCHIVE_EOF) return entries;
        if (status != ARCHIVE_OK) return archive_failure("cpio archive", handle.get());
        CpioEntry& next = entries.emplace_back(describe_entry(entry));
        if (next.kind != CpioEntry::Kind::file) continue;
        if (auto read = read_content(handle.get(), next.content, bytes_max); !read)
            return tl::unexpected(read.error());
        bytes_max -= next.content.size();
    }
}

Result<std::string> decompress(std::string_view bytes, std::size_t bytes_max) {
    if (!is_compressed(bytes)) return std::string(bytes);
    const Archive handle(archive_read_new());
    archive_entry* entry = nullptr;
    if (archive_read_support_format_raw(handle.get()) != ARCHIVE_OK ||
        archive_read_support_filter_gzip(handle.get()) != ARCHIVE_OK ||
        archive_read_support_filter_xz(handle.get()) != ARCHIVE_OK ||
        archive_read_support_filter_zstd(handle.get()) != ARCHIVE_OK ||
        archive_read_open_memory(handle.get(), bytes.data(), bytes.size()) != ARCHIVE_OK ||
        archive_read_next_header(handle.get(), &entry) != ARCHIVE_OK)
        return archive_failure("cannot decompress", handle.get());
    std::string plain;
    if (auto read = read_content(handle.get(), plain, bytes_max); !read)
        return tl::unexpected(read.error());
    return plain;
}

}  // namespace bramble::root
