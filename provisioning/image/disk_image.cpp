#include "provisioning/image/disk_image.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>

#include "provisioning/host/posix.hpp"
#include "provisioning/image/disk_file.hpp"
#include "provisioning/image/disk_name.hpp"
#include "provisioning/image/ext_tree.hpp"
#include "provisioning/image/fat_listing.hpp"
#include "provisioning/image/mounted_tree.hpp"
#include "provisioning/image/partition_table.hpp"
#include "provisioning/image/sources.hpp"

namespace bramble::image {
namespace {

using host::posix::failure;
using host::posix::Fd;

constexpr auto copy_limit = std::chrono::minutes(30);
constexpr const char* opened_name = "disk.img";

void say(const Workshop& workshop, const std::string& line) {
    if (workshop.progress) workshop.progress(line);
}

struct Partitions {
    std::optional<Partition> boot;
    std::optional<Partition> root;
    Filesystem root_is = Filesystem::unknown;
};

// As the kernel calls it.
std::string_view name_of(Filesystem filesystem) {
    switch (filesystem) {
        case Filesystem::fat:
            return "FAT";
        case Filesystem::ext:
            return "ext4";
        case Filesystem::squashfs:
            return "squashfs";
        case Filesystem::erofs:
            return "erofs";
        case Filesystem::unknown:
            break;
    }
    return "unknown";
}

Result<Disk> open_disk(const Path& file, const Fd& opened) {
    struct stat status {};

    if (::fstat(opened.get(), &status) != 0) return failure("read", file);
    if (!S_ISREG(status.st_mode)) return fail("it is no regular file");
    const auto size = static_cast<std::uint64_t>(status.st_size);
    return Disk{size, [&opened, file](std::uint64_t offset, std::size_t count) {
                    std::string bytes(count, '\0');
                    const ssize_t got =
                        ::pread(opened.get(), bytes.data(), count, static_cast<off_t>(offset));
                    if (got < 0) return Result<std::string>(failure("read", file));
                    if (static_cast<std::size_t>(got) != count) {
                        return Result<std::string>(fail("it ends early: it is cut short"));
                    }
                    return Result<std::string>(std::move(bytes));
                }};
}

Result<void> choose(
    std::optional<Partition>& chosen, const Partition& one, std::string_view purpose
) {
    if (chosen) {
        return fail(fmt::format(
            "its partitions {} and {} could both be {}: pack the ones that are meant into a tar "
            "archive "
            "with boot/ and root/",
            chosen->number,
            one.number,
            purpose
        ));
    }
    chosen = one;
    return {};
}

Result<Partitions> find_partitions(const Disk& disk) {
    const auto table = read_partitions(disk);
    if (!table) return tl::unexpected(table.error());
    Partitions found;
    for (const Partition& partition : *table) {
        const auto filesystem = filesystem_of(disk, partition);
        if (!filesystem) return tl::unexpected(filesystem.error());
        if (*filesystem == Filesystem::unknown) continue;
        Result<void> done;
        if (*filesystem == Filesystem::fat) {
            done = choose(found.boot, partition, "the boot files (FAT)");
        } else {
            done = choose(found.root, partition, "the root");
            found.root_is = *filesystem;
        }
        if (!done) return tl::unexpected(done.error());
    }
    if (!found.boot && !found.root)
        return fail("none of its partitions is FAT, ext4, squashfs or erofs");
    return found;
}

// Whether there was anything: to mcopy an empty partition is an error like any other. It follows
// whatever chain a directory gives it, so the directories are looked through first.
Result<bool> copy_fat(
    const Disk& disk, const Partition& partition, const Path& to, const Workshop& workshop
) {
    const auto listing = list_fat(disk, partition);
    if (!listing) return tl::unexpected(listing.error());
    if (listing->empty()) return false;
    host::Host& host = workshop.host;
    if (!host.has_program("mcopy")) {
        return fail("reading its FAT partition needs `mcopy`: install the package mtools");
    }
    // mtools takes "@@" in a name for an offset, so the file gets a name of ours.
    const std::string source = fmt::format("{}@@{}", opened_name, partition.begin);
    const host::Command copy{
        .argv = {"mcopy", "-i", source, "-s", "-n", "-Q", "-m", "::/*", to.string()},
        .environment = {{"MTOOLSRC", "/dev/null"}, {"MTOOLS_SKIP_CHECK", "1"}},
        .directory = workshop.staging,
        .log = workshop.log,
        .stop = workshop.stop,
        .limit = copy_limit};
    return run_or_fail(host, copy).map([](const auto&) { return true; });
}

Result<void> copy_root(
    const Path& disk_file, const Partitions& found, const Path& root, const Workshop& workshop
) {
    if (found.root_is != Filesystem::ext)
        return copy_mounted_tree({disk_file, *found.root, name_of(found.root_is), root}, workshop);
    return copy_ext_tree(
        {disk_file, found.root->begin, found.root->size, root, workshop.progress, workshop.stop}
    );
}

Result<Ingested> take(const Path& disk_file, const Workshop& workshop) {
    const Fd opened(::open(disk_file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) return failure("open", disk_file);
    const auto disk = open_disk(disk_file, opened);
    if (!disk) return tl::unexpected(disk.error());
    const auto found = find_partitions(*disk);
    if (!found) return tl::unexpected(found.error());
    Ingested ingested;
    if (found->boot) {
        say(workshop, fmt::format("reading the boot files of partition {}", found->boot->number));
        const Path boot = workshop.staging / "boot";
        const auto copied = workshop.host.make_directories(boot).and_then([&] {
            return copy_fat(*disk, *found->boot, boot, workshop);
        });
        if (!copied) return tl::unexpected(copied.error());
        if (*copied) {
            ingested.boot = boot;
        } else {
            say(workshop,
                fmt::format("partition {} is empty: it gives no boot files", found->boot->number));
        }
    }
    if (!found->root) return ingested;
    say(workshop, fmt::format("reading the root of partition {}", found->root->number));
    const Path root = workshop.staging / "root";
    return workshop.host.make_directories(root)
        .and_then([&] { return copy_root(disk_file, *found, root, workshop); })
        .map([&] {
            ingested.root = root;
            ingested.kernel_release = kernel_release_of(workshop.host, root);
            return ingested;
        });
}

}  // namespace

Result<Ingested> ingest_disk_image(const Path& file, const Workshop& workshop) {
    const Path disk_file = workshop.staging / opened_name;
    Result<void> ready;
    if (is_plain_disk_image(file.string())) {
        ready = workshop.host.replace_symlink(std::filesystem::absolute(file), disk_file);
    } else {
        say(workshop, fmt::format("unpacking {}", file.string()));
        ready = expand_disk({file, disk_file, workshop.progress, workshop.stop});
    }
    if (!ready) return tl::unexpected(ready.error());
    auto ingested = take(disk_file, workshop).map_error([&](const Error& error) {
        return Error{fmt::format("disk image '{}': {}", file.string(), error.message)};
    });
    if (!ingested) return ingested;
    // As large as the disk, and of no use from here on.
    return workshop.host.remove_all(disk_file).map([&] { return *ingested; });
}

}  // namespace bramble::image
