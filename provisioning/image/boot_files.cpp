#include "provisioning/image/boot_files.hpp"

#include <fmt/format.h>

#include "config/layout/manifest.hpp"

namespace bramble::image {
namespace {

using host::Path;

struct Found {
    std::map<std::string, Path> files;
    std::map<std::string, Path> links;  // path in the tree -> target
    std::map<std::string, bool> directories;
};

Result<void> walk(
    host::Host& host, const Path& directory, const std::string& prefix, int depth, Found& found
) {
    if (depth > boot_depth_max) {
        return fail(fmt::format("'{}' is nested too deeply for boot files", directory.string()));
    }
    const auto entries = host.list(directory);
    if (!entries) return tl::unexpected(entries.error());
    for (const host::DirectoryEntry& entry : *entries) {
        const std::string path = prefix + entry.name;
        const Path full = directory / entry.name;
        if (!layout::is_boot_path(path)) {
            return fail(fmt::format(
                "'{}' has a name that no board can ask for: rename or remove it", full.string()
            ));
        }
        if (found.files.size() + found.links.size() > boot_files_max) {
            return fail(fmt::format(
                "'{}' holds more than {} files: is it a boot directory?",
                directory.string(),
                boot_files_max
            ));
        }
        if (entry.kind == host::FileKind::regular) found.files[path] = full;
        if (entry.kind == host::FileKind::directory) {
            found.directories[path] = true;
            auto walked = walk(host, full, path + "/", depth + 1, found);
            if (!walked) return walked;
        }
        if (entry.kind == host::FileKind::symlink) {
            const auto target = host.read_link(full);
            if (!target) return tl::unexpected(target.error());
            found.links[path] = *target;
        }
    }
    return {};
}

}  // namespace

// A link is followed by name among the files found, never by the system: an archive's link to
// /etc/shadow must not become a boot file.
Result<std::map<std::string, Path>> list_boot_files(host::Host& host, const Path& directory) {
    constexpr int links_followed_max = 8;
    Found found;
    if (auto walked = walk(host, directory, "", 0, found); !walked) {
        return tl::unexpected(walked.error());
    }
    std::map<std::string, Path> files = found.files;
    for (const auto& [path, target] : found.links) {
        std::string at = path;
        for (int i = 0; i < links_followed_max && found.links.contains(at); ++i) {
            at = (Path(at).parent_path() / found.links[at]).lexically_normal().string();
        }
        if (found.directories.contains(at)) continue;
        const auto file = found.files.find(at);
        if (file == found.files.end()) {
            return fail(fmt::format(
                "'{}' is a link to '{}', which is no file of that directory: put the file itself "
                "there",
                (directory / path).string(),
                target.string()
            ));
        }
        files[path] = file->second;
    }
    return files;
}

}  // namespace bramble::image
