#include "provisioning/image/sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "provisioning/image/disk_image.hpp"
#include "provisioning/image/disk_name.hpp"
#include "provisioning/image/download.hpp"
#include "provisioning/image/unpack.hpp"

namespace bramble::image {
namespace {

constexpr std::array<std::string_view, 4> unread_names = {".iso", ".qcow2", ".vmdk", ".vdi"};

void say(const Workshop& workshop, const std::string& line) {
    if (workshop.progress) workshop.progress(line);
}

bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

Result<bool> holds_something(host::Host& host, const Path& root, const Path& directory) {
    const auto there = host.status_in(root, directory);
    if (!there) return tl::unexpected(there.error());
    if (!*there || (*there)->kind != host::FileKind::directory) return false;
    return host.list_in(root, directory).map([](const auto& entries) { return !entries.empty(); });
}

// What of an unpacked tree is boot files and what is the root.
Result<Ingested> sort_out(const Path& tree, const Workshop& workshop) {
    const auto entries = workshop.host.list(tree);
    if (!entries) return tl::unexpected(entries.error());
    const auto has = [&](std::string_view name) {
        return std::any_of(entries->begin(), entries->end(), [&](const auto& entry) {
            return entry.name == name;
        });
    };
    Ingested ingested;
    const bool pair = std::all_of(entries->begin(), entries->end(), [](const auto& entry) {
        return entry.kind == host::FileKind::directory &&
               (entry.name == "boot" || entry.name == "root");
    });
    if (pair) {
        if (has("boot")) ingested.boot = tree / "boot";
        if (has("root")) ingested.root = tree / "root";
    } else if (has("etc") || has("usr")) {
        ingested.root = tree;
        const auto boot = holds_something(workshop.host, tree, "boot");
        if (!boot) return tl::unexpected(boot.error());
        if (*boot) ingested.boot = tree / "boot";  // a directory, not a link that leads elsewhere
        const auto firmware = holds_something(workshop.host, tree, "boot/firmware");
        if (!firmware) return tl::unexpected(firmware.error());
        if (*boot && *firmware) ingested.boot = tree / "boot/firmware";
    } else {
        ingested.boot = tree;
    }
    if (ingested.root) {
        ingested.kernel_release = kernel_release_of(workshop.host, *ingested.root);
    }
    return ingested;
}

}  // namespace

std::string kernel_release_of(host::Host& host, const Path& root) {
    for (const char* directory : {"lib/modules", "usr/lib/modules"}) {
        const auto entries = host.list_in(root, directory);
        if (entries && entries->size() == 1) return entries->front().name;
        if (entries && !entries->empty()) return {};
    }
    return {};
}

bool is_url(const fleet::FileSource& source) {
    return source.location.find("://") != std::string::npos;
}

Result<void> check_archive(const fleet::FileSource& source) {
    std::string name =
        is_url(source) ? file_name_of(source.location) : Path(source.location).filename().string();
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    for (const std::string_view end : unread_names) {
        if (!ends_with(name, end)) continue;
        return fail(fmt::format(
            "this version does not read '{}': make a raw disk image (.img) of it, name its "
            "partitions as directory: {{boot: DIR, root: DIR}}, or use a debian: suite",
            source.location
        ));
    }
    return {};
}

Result<Ingested> ingest_directory(const fleet::DirectorySource& source, const Workshop& workshop) {
    Ingested ingested;
    ingested.boot = source.boot;
    if (!source.root) return ingested;
    say(workshop, fmt::format("copying {}", source.root->string()));
    const Path root = workshop.staging / "root";
    return workshop.host.copy_tree(*source.root, root, workshop.stop).map([&] {
        ingested.root = root;
        ingested.kernel_release = kernel_release_of(workshop.host, root);
        return ingested;
    });
}

namespace {

// Whoever looked up what the URL means has fetched it already.
bool has_sum(host::Host& host, const Path& file, const std::optional<Digest>& sum) {
    if (!sum) return false;
    const auto there = host.status(file);
    if (!there || !*there) return false;
    const auto is = host.hash_file(file);
    return is && is->digest == *sum;
}

// Fetched, taken in, and removed: the store has all of it then, and its record.
Result<Ingested> ingest_url(const fleet::FileSource& source, const Workshop& workshop) {
    const Path file = download_path(workshop.downloads, source.location);
    if (!has_sum(workshop.host, file, source.sha256)) {
        say(workshop, fmt::format("fetching {}", source.location));
        const auto sum = download(
            workshop.host, {source.location, file, source.sha256, workshop.progress, workshop.stop}
        );
        if (!sum) return tl::unexpected(sum.error());
    }
    auto ingested = ingest_file({file.string(), std::nullopt}, workshop);
    if (auto removed = workshop.host.remove_all(file); !removed) {
        return tl::unexpected(removed.error());
    }
    return ingested;
}

}  // namespace

Result<Ingested> ingest_file(const fleet::FileSource& source, const Workshop& workshop) {
    if (auto readable = check_archive(source); !readable) return tl::unexpected(readable.error());
    if (is_url(source)) return ingest_url(source, workshop);
    if (source.sha256) {
        say(workshop, fmt::format("checking the sum of {}", source.location));
        const auto sum = workshop.host.hash_file(source.location);
        if (!sum) return tl::unexpected(sum.error());
        if (sum->digest != *source.sha256) {
            return fail(fmt::format(
                "'{}' has the SHA-256 {}, and the fleet file says {}: fetch it again, or correct "
                "sha256:",
                source.location,
                sum->digest.to_string(),
                source.sha256->to_string()
            ));
        }
    }
    if (is_disk_image(source.location)) return ingest_disk_image(source.location, workshop);
    const Path tree = workshop.staging / "tree";
    return workshop.host.make_directories(tree)
        .and_then([&] {
            return unpack_tar({source.location, tree, workshop.progress, workshop.stop});
        })
        .and_then([&] { return sort_out(tree, workshop); });
}

}  // namespace bramble::image
