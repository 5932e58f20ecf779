#include "services/rehearsal/export_check.hpp"

#include <fmt/format.h>

#include <array>

#include "config/types/text.hpp"
#include "services/rehearsal/root_check.hpp"

namespace bramble::rehearsal {
namespace {

constexpr std::uint32_t anyone_reads = 0004;
constexpr const char* squash_remedy =
    "export it with no_root_squash (on a NAS: \"map root to root\", \"no mapping\"), or no board "
    "can run from it";

// Files that only root may read: a server that takes root for nobody refuses them.
constexpr std::array<const char*, 2> secret_files = {"/etc/shadow", "/etc/gshadow"};

bool check_squash(ExportTree& tree, Report& report) {
    for (const char* path : secret_files) {
        const auto status = tree.status(path);
        if (!status || !*status || (*status)->kind != EntryKind::file) continue;
        if (((*status)->mode & anyone_reads) != 0) continue;
        const auto access = tree.access(path);
        if (access && access->read) return true;
        report.stop(
            Phase::root,
            fmt::format("the server takes root for somebody else: root may not read {}", path),
            squash_remedy
        );
        return false;
    }
    return true;
}

void check_access(ExportTree& tree, const std::string& init, Report& report) {
    const auto access = tree.access(init);
    if (access && access->execute) return;
    report.stop(
        Phase::root,
        access ? fmt::format("the server does not let root execute {}", init)
               : fmt::format(
                     "the server does not say who may execute {}: {}", init, access.error().message
                 ),
        squash_remedy
    );
}

void check_room(ExportTree& tree, Report& report) {
    const auto room = tree.room();
    if (!room) {
        return report.stop(
            Phase::root,
            "its free space cannot be told: " + room.error().message,
            "look at the NFS server's log"
        );
    }
    const bool counts_files = room->files != 0;
    report.tell(
        Phase::root,
        fmt::format(
            "{} of {} free{}",
            describe_bytes(room->bytes_free),
            describe_bytes(room->bytes),
            counts_files ? fmt::format(", {} files", room->files_free) : ""
        )
    );
    constexpr const char* remedy =
        "make room there: `bramble gc` removes what no board needs any more, or give the "
        "filesystem more space";
    if (room->bytes_free < room_bytes_min) {
        report.stop(
            Phase::root,
            fmt::format(
                "its filesystem has {} left, and a board that runs wants {} at least",
                describe_bytes(room->bytes_free),
                describe_bytes(room_bytes_min)
            ),
            remedy
        );
    }
    if (counts_files && room->files_free < room_files_min) {
        report.stop(
            Phase::root,
            fmt::format(
                "its filesystem has room for {} files more, and a board that runs wants {} at "
                "least",
                room->files_free,
                room_files_min
            ),
            remedy
        );
    }
}

}  // namespace

void check_export(ExportTree& tree, const ExportLook& look, Report& report) {
    report.tell(Phase::root, tree.how());
    const auto init = check_init(tree, look.cmdline, report);
    if (check_squash(tree, report) && init) check_access(tree, *init, report);
    check_modules(tree, look.kernel_release, true, report);
    if (!look.read_only) check_room(tree, report);
}

}  // namespace bramble::rehearsal
