#include "provisioning/image/mounted_tree.hpp"

#include <fmt/format.h>

#include <chrono>
#include <sstream>

#include "config/types/text.hpp"

namespace bramble::image {
namespace {

constexpr auto copy_limit = std::chrono::minutes(30);

constexpr std::string_view mount_script =
    "mount -t \"$1\" -o \"ro,nodev,nosuid,noexec,loop,offset=$2,sizelimit=$3\" \"$4\" \"$5\" && ";

// Kind, inode, names and size of each entry, no more of them than $6: whoever makes directories
// that multiply each other is not waited for.
constexpr std::string_view measure_script =
    "find \"$5\" -xdev -mindepth 1 -printf '%y %i %n %s\\n' | head -n \"$6\" | "
    "awk '$1 == \"f\" && ($3 == 1 || !seen[$2]++) { bytes += $4 } "
    "END { printf \"%d %.0f\\n\", NR, bytes < 2 ^ 63 ? bytes : 2 ^ 63 }'";

constexpr std::string_view copy_script = "exec cp -a --sparse=always \"$5/.\" \"$6\"";

Result<std::string> run_mounted(
    const MountedCopy& copy,
    const Path& at,
    std::string_view script,
    const std::string& last,
    const Workshop& workshop
) {
    const host::Command command{
        .argv =
            {"unshare",
             "--mount",
             "--propagation",
             "slave",
             "sh",
             "-c",
             std::string(mount_script) + std::string(script),
             "sh",
             std::string(copy.filesystem),
             std::to_string(copy.partition.begin),
             std::to_string(copy.partition.size),
             copy.file.string(),
             at.string(),
             last},
        .log = workshop.log,
        .stop = workshop.stop,
        .limit = copy_limit};
    return run_or_fail(workshop.host, command)
        .map([](const host::CommandOutcome& outcome) { return outcome.output; })
        .map_error([&](const Error& error) {
            return Error{fmt::format(
                "its root is {}, which is read by a loop mount (as root, with that filesystem in "
                "the kernel): {}",
                copy.filesystem,
                error.message
            )};
        });
}

Result<TreeSize> parse_size(const std::string& output) {
    TreeSize size;
    std::istringstream words(output);
    if (!(words >> size.entries >> size.bytes))
        return fail("how large its root is was not found out");
    return size;
}

// Not known: as if there were no end of it. The copy would say so.
std::uint64_t free_bytes_of(const Path& directory) {
    std::error_code error;
    const auto space = std::filesystem::space(directory, error);
    return error ? UINT64_MAX : space.available;
}

}  // namespace

Result<void> check_tree_size(const TreeSize& size, std::uint64_t free_bytes) {
    if (size.entries > mounted_entries_max) {
        return fail(fmt::format(
            "its root holds more than {} files: it is hostile or damaged, fetch the image again",
            mounted_entries_max
        ));
    }
    if (free_bytes >= mounted_free_bytes_min && size.bytes <= free_bytes - mounted_free_bytes_min) {
        return {};
    }
    return fail(fmt::format(
        "its root's files hold {}, and the store has {} free, of which {} are left to others: make "
        "room, or fetch the image again if it cannot be so large",
        describe_bytes(size.bytes),
        describe_bytes(free_bytes),
        describe_bytes(mounted_free_bytes_min)
    ));
}

Result<void> copy_mounted_tree(const MountedCopy& copy, const Workshop& workshop) {
    const Path at = workshop.staging / "mounted";
    const std::string entries = std::to_string(mounted_entries_max + 1);
    return workshop.host.make_directories(at)
        .and_then([&] { return run_mounted(copy, at, measure_script, entries, workshop); })
        .and_then(parse_size)
        .and_then([&](const TreeSize& size) {
            return check_tree_size(size, free_bytes_of(workshop.staging));
        })
        .and_then([&] {
            return run_mounted(copy, at, copy_script, copy.directory.string(), workshop);
        })
        .and_then([&](const std::string&) { return workshop.host.remove_all(at); });
}

}  // namespace bramble::image
