// Another machine's NFSv3 export as a place where root trees are written without a mount: whole
// trees, many calls at once, and single files of a tree that is there. It refuses to know boards.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"

namespace bramble::nfs {

struct SeenTree {
    std::filesystem::path here;
    std::filesystem::path there;  // relative to the export
};

struct WriteOptions {
    std::size_t calls_max = 64;            // under way at once
    std::uint64_t bytes_max = 32U << 20U;  // read and not yet written there
    // A tree that is there and of which this machine has the source: its files are given another
    // name where both are the same, byte by byte. Only for trees that nobody writes to.
    std::optional<SeenTree> before{};
    std::function<void(std::uint64_t entries, std::uint64_t of, std::uint64_t bytes)> on_progress{};
    std::stop_token stop{};
};

struct WriteReport {
    std::uint64_t entries = 0;  // of the tree
    std::uint64_t made = 0;     // of these, made or made anew; the rest was there
    std::uint64_t linked = 0;   // of the made, other names of files that were there
    std::uint64_t removed = 0;
    std::uint64_t bytes = 0;   // sent
    std::uint64_t writes = 0;  // WRITE calls
    std::string lost;          // what NFS 3 cannot hold, in a sentence; empty: nothing
};

enum class NasKind { file, directory, symlink, other };

struct NasStatus {
    NasKind kind = NasKind::file;
    std::uint64_t size = 0;
    std::uint32_t mode = 0;  // 07777
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

struct NasPatience {
    std::stop_token stop{};  // every call looks at it while it waits, and fails after a stop
    // A server that has just started puts calls off (NFS3ERR_JUKEBOX), each for so long at most.
    std::chrono::seconds put_off_max{150};
};

// Paths are relative to the export. Errors are sentences for an operator, with the remedy.
class Nas {
public:
    // Errors: nobody answers, the path is not exported to us, root is not root there (tried with a
    // file that is given away).
    [[nodiscard]] static Result<std::unique_ptr<Nas>> open(
        const std::string& server, const std::filesystem::path& path, const NasPatience& patience
    );

    virtual ~Nas() = default;

    // Makes `to` (its parents too) equal to `from`. What an earlier call left there is gone on
    // with.
    [[nodiscard]] virtual Result<WriteReport> write_tree(
        const std::filesystem::path& from,
        const std::filesystem::path& to,
        const WriteOptions& options
    ) = 0;

    // ---- of one entry; links on the way are followed within `root`, as a board would

    [[nodiscard]] virtual Result<std::optional<NasStatus>> status(
        const std::filesystem::path& root, const std::filesystem::path& relative
    ) = 0;
    [[nodiscard]] virtual Result<std::string> read_file(
        const std::filesystem::path& root, const std::filesystem::path& relative
    ) = 0;
    [[nodiscard]] virtual Result<std::vector<std::pair<std::string, NasKind>>> list(
        const std::filesystem::path& root, const std::filesystem::path& relative
    ) = 0;
    // Replaces what stands there; missing directories are made.
    [[nodiscard]] virtual Result<void> write_file(
        const std::filesystem::path& root,
        const std::filesystem::path& relative,
        std::string_view bytes,
        const NasStatus& like
    ) = 0;
    // In the export itself, by its name. False: something stands there, and stays.
    [[nodiscard]] virtual Result<bool> create_file(
        const std::string& name, std::string_view bytes, const NasStatus& like
    ) = 0;
    [[nodiscard]] virtual Result<void> make_directories(
        const std::filesystem::path& root,
        const std::filesystem::path& relative,
        const NasStatus& like
    ) = 0;
    [[nodiscard]] virtual Result<void> symlink(
        const std::filesystem::path& root,
        const std::filesystem::path& relative,
        const std::filesystem::path& target
    ) = 0;
    // Whatever stands there, with all below it; nothing there is fine.
    [[nodiscard]] virtual Result<void> remove(
        const std::filesystem::path& root, const std::filesystem::path& relative
    ) = 0;
    // Both within the export; `to` must not be there.
    [[nodiscard]] virtual Result<void> rename(
        const std::filesystem::path& from, const std::filesystem::path& to
    ) = 0;
};

// What opens one.
using NasOpener = std::function<Result<std::unique_ptr<Nas>>(
    const std::string& server, const std::filesystem::path& path, const NasPatience& patience
)>;

// "12 files have extended attributes, which NFS version 3 cannot hold …" of a tree of this machine;
// empty: nothing is lost.
[[nodiscard]] Result<std::string> what_is_lost(const std::filesystem::path& tree);

}  // namespace bramble::nfs
