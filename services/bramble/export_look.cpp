#include "services/bramble/export_look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "config/layout/store_paths.hpp"
#include "provisioning/host/real_host.hpp"
#include "provisioning/store/store.hpp"
#include "services/bramble/generations.hpp"
#include "services/bramble/mounted_root.hpp"
#include "services/bramble/rehearsal_evidence.hpp"
#include "services/rehearsal/export_check.hpp"
#include "services/rehearsal/rehearsal.hpp"

namespace bramble::program {
namespace {

using rehearsal::Phase;

// A rehearsal up to the mount: that is made later, beside others.
class BeforeTheMount final : public rehearsal::Evidence {
public:
    explicit BeforeTheMount(StoreEvidence& store) : store_(store) {}

    Result<std::shared_ptr<const tftp::Content>> open(const layout::ObjectFile& object) override {
        return store_.open(object);
    }

    Result<std::string> unpacked(const tftp::Content& kernel) override {
        return store_.unpacked(kernel);
    }

    Result<rehearsal::InitramfsFacts> initramfs(const tftp::Content& archive) override {
        return store_.initramfs(archive);
    }

    Result<std::unique_ptr<rehearsal::RootTree>> mount(const rehearsal::RootWanted&) override {
        return fail("not yet");
    }

private:
    StoreEvidence& store_;
};

struct Subject {
    rehearsal::RootAsked asked;
    bool read_only = false;
    std::string remedy{};  // where it cannot be mounted
};

// An apply writes to a NAS only what no mark of the store says to be there.
std::string remedy_for(const rehearsal::RootWanted& wanted, const fleet::Fleet& fleet) {
    const auto* nas = std::get_if<fleet::NfsExternal>(&fleet.appliance.nfs);
    if (nas == nullptr || nas->server != wanted.server) {
        return "run `bramble apply`, which exports it, as root (servers want a privileged port); "
               "the NFS server's log says more";
    }
    const auto below = std::filesystem::path(wanted.path).lexically_relative(nas->path);
    return fmt::format(
        "look whether {} exports it to this machine, and run this as root (servers want a "
        "privileged port); when the tree is gone there, remove '{}.nas' and run `bramble apply`, "
        "which writes it anew",
        wanted.server,
        (fleet.appliance.store / below).string()
    );
}

// What the boot asks for, or what the generation says where the boot does not come so far.
std::optional<Subject> subject_of(
    const layout::BoardEntry& board, std::optional<rehearsal::RootAsked> asked
) {
    if (!asked && !board.root) return std::nullopt;
    if (!asked) {
        asked = rehearsal::RootAsked{
            {board.root->server, board.root->path.string(), board.root->nfs_version},
            "",
            board.kernel_release};
    }
    return Subject{std::move(*asked), board.root && board.root->read_only};
}

// Releases of kernels that were built without a single module.
std::set<std::string> without_modules(const layout::StorePaths& paths, host::Host& host) {
    std::set<std::string> releases;
    const auto kernels = store::Store(host, paths).kernels();
    if (!kernels) return releases;
    for (const plan::KernelRecord& kernel : *kernels) {
        if (!kernel.has_modules) releases.insert(kernel.release);
    }
    return releases;
}

// Ports as a board without mount options asks for them: the portmapper's for version 3.
nfs::MountOptions options_for(const rehearsal::RootWanted& wanted) {
    nfs::MountOptions options;
    options.version = wanted.version.starts_with('4') ? 4 : 3;
    if (options.version == 3) options.port = 0;
    options.beside_others = true;
    return options;
}

void look(const Subject& subject, rehearsal::Report& report) {
    const rehearsal::RootWanted& wanted = subject.asked.root;
    const nfs::MountOptions options = options_for(wanted);
    auto client = nfs::Client::mount(wanted.server, wanted.path, options);
    if (!client) {
        return report.stop(Phase::root, client.error().message, subject.remedy);
    }
    MountedRoot root(
        std::move(*client),
        fmt::format("{}:{} mounted by NFS {}", wanted.server, wanted.path, options.version)
    );
    rehearsal::check_export(
        root, {subject.asked.cmdline, subject.asked.kernel_release, subject.read_only}, report
    );
}

class Look {
public:
    Look(
        const fleet::Fleet& fleet,
        const layout::Manifest& manifest,
        const ExportLookOptions& options
    )
        : paths_(fleet.appliance.store), options_(options), evidence_(paths_, host_) {
        gather(fleet, manifest);
    }

    ExportLooks run() {
        refuse_silent_servers();
        std::atomic<std::size_t> next = 0;
        std::atomic<std::size_t> done = 0;
        const std::size_t count = subjects_.size();
        const auto work = [&] {
            for (std::size_t i = next++; i < count; i = next++) {
                if (!silent_.contains(subjects_[i].asked.root.server)) {
                    look(subjects_[i], result_.reports[i]);
                }
                const std::size_t now = ++done;
                if (options_.on_progress) options_.on_progress(now, count);
            }
        };
        std::vector<std::jthread> workers;
        for (std::size_t i = 0; i < std::min(export_looks_max, count); ++i) {
            workers.emplace_back(work);
        }
        workers.clear();  // waits for them
        return std::move(result_);
    }

private:
    void gather(const fleet::Fleet& fleet, const layout::Manifest& manifest) {
        BeforeTheMount before(evidence_);
        rehearsal::Rehearsal stage(fleet, manifest, before, std::nullopt);
        const std::set<std::string> bare = without_modules(paths_, host_);
        const auto& named = options_.boards;
        for (const layout::BoardEntry& board : manifest.boards) {
            const bool asked = named.empty() || std::ranges::find(named, board.name) != named.end();
            if (!asked) continue;
            auto subject = subject_of(board, stage.rehearse(board).asked);
            if (!subject) {
                result_.without_root.push_back(board.name);
                continue;
            }
            if (bare.contains(subject->asked.kernel_release)) {
                subject->asked.kernel_release.clear();
            }
            subject->remedy = remedy_for(subject->asked.root, fleet);
            subjects_.push_back(std::move(*subject));
            rehearsal::Report report;
            report.board = board.name;
            report.generation = manifest.generation;
            report.asked = subjects_.back().asked;
            result_.reports.push_back(std::move(report));
        }
    }

    // Else each of a thousand boards would wait for its own time-out.
    void refuse_silent_servers() {
        for (std::size_t i = 0; i < subjects_.size(); ++i) {
            const std::string& server = subjects_[i].asked.root.server;
            if (evidence_.server_answers(server)) continue;
            silent_.insert(server);
            result_.reports[i].stop(
                Phase::root,
                fmt::format("no NFS server answers at {} (TCP port 2049)", server),
                "start it: `systemctl status bramble-nfs` here, or look at that machine; "
                "`bramble doctor` looks at the network"
            );
        }
    }

    host::RealHost host_;
    layout::StorePaths paths_;
    const ExportLookOptions& options_;
    StoreEvidence evidence_;
    std::vector<Subject> subjects_;
    std::set<std::string> silent_;
    ExportLooks result_;
};

}  // namespace

Result<ExportLooks> look_at_exports(
    const fleet::Fleet& fleet, const layout::Manifest& manifest, const ExportLookOptions& options
) {
    for (const std::string& board : options.boards) {
        if (manifest.find_board(board) == nullptr) return fail(unknown_board(board, manifest));
    }
    return Look(fleet, manifest, options).run();
}

}  // namespace bramble::program
