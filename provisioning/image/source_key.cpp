#include <fmt/format.h>

#include <string>

#include "provisioning/image/debian.hpp"
#include "provisioning/image/disk_name.hpp"
#include "provisioning/image/ingest.hpp"
#include "provisioning/image/sources.hpp"

namespace bramble::image {
namespace {

constexpr int depth_max = 256;

char letter(host::FileKind kind) {
    switch (kind) {
        case host::FileKind::regular:
            return 'f';
        case host::FileKind::directory:
            return 'd';
        case host::FileKind::symlink:
            return 'l';
        case host::FileKind::other:
            break;
    }
    return 'o';
}

// Every entry's path, kind, size, time, mode and owner. Names are preceded by their length, so
// that no two trees give one text.
Result<void> add_tree(
    host::Host& host, const Path& directory, const std::string& shown, Sha256& sum, int depth
) {
    if (depth > depth_max) {
        return fail(fmt::format("'{}' is nested too deeply", directory.string()));
    }
    const auto entries = host.list(directory);
    if (!entries) return tl::unexpected(entries.error());
    for (const host::DirectoryEntry& entry : *entries) {
        const Path path = directory / entry.name;
        const auto found = host.status(path);
        if (!found) return tl::unexpected(found.error());
        if (!*found) continue;  // gone meanwhile
        const host::FileStatus& status = **found;
        const std::string name = shown + "/" + entry.name;
        const bool directory_entry = status.kind == host::FileKind::directory;
        sum.update(fmt::format(
            "{}:{} {} {} {} {:o} {}:{}\n",
            name.size(),
            name,
            letter(status.kind),
            directory_entry ? 0 : status.size,
            directory_entry ? 0 : status.modified_ns,
            status.mode,
            status.uid,
            status.gid
        ));
        if (!directory_entry) continue;
        if (auto added = add_tree(host, path, name, sum, depth + 1); !added) return added;
    }
    return {};
}

Result<Digest> key_of(const fleet::DirectorySource& source, host::Host& host) {
    Sha256 sum;
    sum.update(std::string_view("directory 2\n"));
    for (const auto& [name, directory] :
         {std::pair("boot", source.boot), std::pair("root", source.root)}) {
        if (!directory) continue;
        if (auto added = add_tree(host, *directory, name, sum, 0); !added) {
            return tl::unexpected(added.error());
        }
    }
    return sum.finish();
}

Result<Digest> key_of(const fleet::FileSource& source, host::Host& host) {
    if (auto readable = check_archive(source); !readable) return tl::unexpected(readable.error());
    if (is_url(source)) {
        // What is behind it is known when it has been fetched; nobody fetches it to plan.
        return Digest::of(fmt::format(
            "url 2\n{}\n{}\n", source.location, source.sha256 ? source.sha256->to_string() : ""
        ));
    }
    const auto found = host.status(source.location);
    if (!found) return tl::unexpected(found.error());
    if (!*found) {
        return fail(fmt::format("there is no file '{}'", source.location));
    }
    return Digest::of(fmt::format(
        "{} 2\n{}\n{} {}\n{}\n",
        is_disk_image(source.location) ? "disk" : "tar",
        source.location,
        (*found)->size,
        (*found)->modified_ns,
        source.sha256 ? source.sha256->to_string() : ""
    ));
}

Result<Digest> key_of(const fleet::DebianSource& source, host::Host& /*host*/) {
    return debian_key(source);
}

}  // namespace

Result<Digest> source_key(const fleet::Image& image, host::Host& host) {
    return std::visit([&](const auto& source) { return key_of(source, host); }, image.source)
        .map_error([&](const Error& error) {
            return Error{fmt::format("image '{}': {}", image.name, error.message)};
        });
}

}  // namespace bramble::image
