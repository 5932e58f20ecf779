#include "provisioning/nfs/nas.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <mutex>

#include "provisioning/nfs/export_files.hpp"
#include "provisioning/nfs/session.hpp"
#include "provisioning/nfs/source_tree.hpp"
#include "provisioning/nfs/tree_writer.hpp"

namespace bramble::nfs {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t probe_owner = 54321;  // nobody's: not ours, and not what root is taken for

// Of this machine: another one may try the same export at the same moment.
std::string probe_name() {
    std::string id;
    std::ifstream("/etc/machine-id") >> id;
    return ".bramble-probe." + id.substr(0, 32);
}

// Steps of one apply, and a doctor beside it, open the export at once: they try it one after the
// other.
class ProbeTurn {
public:
    ProbeTurn()
        : alone_(steps()), file_(::open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600)) {
        if (file_ >= 0) ::flock(file_, LOCK_EX);
    }

    ProbeTurn(const ProbeTurn&) = delete;
    ProbeTurn& operator=(const ProbeTurn&) = delete;

    ~ProbeTurn() {
        if (file_ >= 0) ::close(file_);
    }

private:
    static constexpr const char* path = "/run/lock/bramble-nas-probe";

    static std::mutex& steps() {
        static std::mutex mutex;
        return mutex;
    }

    std::lock_guard<std::mutex> alone_;
    int file_;  // negative: where there is no /run/lock nobody else is waited for
};

NasKind kind_of(ftype3 type) {
    switch (type) {
        case NF3REG:
            return NasKind::file;
        case NF3DIR:
            return NasKind::directory;
        case NF3LNK:
            return NasKind::symlink;
        default:
            break;
    }
    return NasKind::other;
}

NasStatus status_of(const fattr3& there) {
    return {kind_of(there.type), there.size, there.mode & 07777U, there.uid, there.gid};
}

class LibnfsNas final : public Nas {
public:
    explicit LibnfsNas(std::unique_ptr<Session> session)
        : session_(std::move(session)), files_(*session_) {}

    Result<void> probe() {
        const ProbeTurn turn;
        const Handle& root = session_->root();
        const std::string name = probe_name();
        // What a killed run left.
        if (auto gone = remove_tree(*session_, root, name, {}); !gone)
            return tl::unexpected(gone.error());
        NasStatus given;
        given.mode = 04711;
        given.uid = given.gid = probe_owner;
        if (auto made = files_.create(root, name, "probe", given); !made) return made;
        const auto there = files_.look(root, name);
        if (!there) return tl::unexpected(there.error());
        auto gone = remove_tree(*session_, root, name, {});
        if (!gone) return tl::unexpected(gone.error());
        if (!*there) return fail(session_->where() + ": a file made there is not there");
        const fattr3& found = (*there)->attributes;
        if (found.uid == probe_owner && found.gid == probe_owner && (found.mode & 07777U) == 04711)
            return {};
        return fail(fmt::format(
            "{}: a file that was given to {}:{} with mode 4711 belongs to {}:{} with mode {:o} "
            "there: export it with no_root_squash (on a NAS: \"map root to root\", \"no "
            "mapping\"), "
            "or boards cannot run from it",
            session_->where(),
            probe_owner,
            probe_owner,
            found.uid,
            found.gid,
            found.mode & 07777U
        ));
    }

    Result<WriteReport> write_tree(
        const fs::path& from, const fs::path& to, const WriteOptions& options
    ) override {
        auto directory = files_.make_all(to);
        if (!directory) return tl::unexpected(directory.error());
        const auto source = read_source_tree(from);
        if (!source) return tl::unexpected(source.error());
        Handle before;
        if (options.before) {
            const auto spot = files_.resolve("", options.before->there, ExportFiles::Last::itself);
            if (!spot) return tl::unexpected(spot.error());
            if (*spot && (*spot)->there) before = (*spot)->there->handle;
        }
        return TreeWriter(*session_, *source, *directory, options).write(before);
    }

    Result<std::optional<NasStatus>> status(const fs::path& root, const fs::path& relative)
        override {
        return files_.resolve(root, relative, ExportFiles::Last::itself)
            .map([](const std::optional<ExportFiles::Spot>& spot) {
                if (!spot || !spot->there) return std::optional<NasStatus>();
                return std::optional(status_of(spot->there->attributes));
            });
    }

    Result<std::string> read_file(const fs::path& root, const fs::path& relative) override {
        const auto spot = files_.resolve(root, relative, ExportFiles::Last::followed);
        if (!spot) return tl::unexpected(spot.error());
        if (!*spot || !(*spot)->there || (*spot)->there->attributes.type != NF3REG)
            return fail(
                fmt::format("{}: '{}' is no regular file", files_.where(root), relative.string())
            );
        return files_.read(*(*spot)->there);
    }

    Result<std::vector<std::pair<std::string, NasKind>>> list(
        const fs::path& root, const fs::path& relative
    ) override {
        const auto spot = files_.resolve(root, relative, ExportFiles::Last::followed);
        if (!spot) return tl::unexpected(spot.error());
        if (!*spot || !(*spot)->there || (*spot)->there->attributes.type != NF3DIR)
            return fail(
                fmt::format("{}: '{}' is no directory", files_.where(root), relative.string())
            );
        Listing listing;
        Crew crew;
        std::string error;
        list_all(*session_, crew, (*spot)->there->handle, listing, error);
        if (auto done = session_->finish(crew, {}); !done) return tl::unexpected(done.error());
        if (!error.empty()) return fail(error);
        std::vector<std::pair<std::string, NasKind>> names;
        for (const auto& [name, listed] : listing)
            names.emplace_back(name, kind_of(listed.attributes.type));
        return names;
    }

    Result<void> write_file(
        const fs::path& root,
        const fs::path& relative,
        std::string_view bytes,
        const NasStatus& like
    ) override {
        const auto in = files_.parent_of(root, relative);
        if (!in) return tl::unexpected(in.error());
        const std::string name = relative.filename().string();
        // Aside, then in its place: a board that runs sees the old file or the new one.
        const std::string aside = ".bramble-new." + name.substr(0, 200);
        const auto cleared = remove_tree(*session_, *in, aside, {});
        if (!cleared) return tl::unexpected(cleared.error());
        if (auto made = files_.create(*in, aside, bytes, like); !made) return made;
        return files_.move(*in, aside, *in, name);
    }

    Result<bool> create_file(const std::string& name, std::string_view bytes, const NasStatus& like)
        override {
        return files_.create_new(session_->root(), name, bytes, like);
    }

    Result<void> make_directories(
        const fs::path& root, const fs::path& relative, const NasStatus& like
    ) override {
        const auto in = files_.parent_of(root, relative);
        if (!in) return tl::unexpected(in.error());
        return files_.make_directory(*in, relative.filename().string(), like)
            .map([](const Handle&) {});
    }

    Result<void> symlink(const fs::path& root, const fs::path& relative, const fs::path& target)
        override {
        const auto in = files_.parent_of(root, relative);
        if (!in) return tl::unexpected(in.error());
        const std::string name = relative.filename().string();
        const auto gone = remove_tree(*session_, *in, name, {});
        if (!gone) return tl::unexpected(gone.error());
        const std::string text = target.string();
        SYMLINK3args args{};
        args.where = place(*in, name);
        args.symlink.symlink_data = const_cast<char*>(text.c_str());
        return files_.expect<SYMLINK3res>(
            "link", name, rpc_nfs3_symlink_async, args, [](const auto&) {}
        );
    }

    Result<void> remove(const fs::path& root, const fs::path& relative) override {
        const auto spot = files_.resolve(root, relative, ExportFiles::Last::itself);
        if (!spot) return tl::unexpected(spot.error());
        if (!*spot || !(*spot)->there) return {};
        return remove_tree(*session_, (*spot)->in, (*spot)->name, {}).map([](std::uint64_t) {});
    }

    Result<void> rename(const fs::path& from, const fs::path& to) override {
        const auto source = files_.resolve("", from, ExportFiles::Last::itself);
        if (!source) return tl::unexpected(source.error());
        if (!*source || !(*source)->there)
            return fail(fmt::format("{}: there is no '{}'", session_->where(), from.string()));
        const auto in = files_.make_all(to.parent_path());
        if (!in) return tl::unexpected(in.error());
        return files_.move((*source)->in, (*source)->name, *in, to.filename().string());
    }

private:
    std::unique_ptr<Session> session_;
    ExportFiles files_;
};

}  // namespace

Result<std::unique_ptr<Nas>> Nas::open(
    const std::string& server, const fs::path& path, const NasPatience& patience
) {
    SessionLimits limits;
    limits.put_off_max = patience.put_off_max;
    auto session = Session::open(server, path.string(), limits, patience.stop);
    if (!session) return tl::unexpected(session.error());
    auto nas = std::make_unique<LibnfsNas>(std::move(*session));
    if (auto tried = nas->probe(); !tried) return tl::unexpected(tried.error());
    return nas;
}

Result<std::string> what_is_lost(const fs::path& tree) {
    return read_source_tree(tree).map([](const SourceTree& source) {
        return describe(source.not_held);
    });
}

}  // namespace bramble::nfs
