// The steps of one run carried out: what each does to the store and to the NFS server, and what all
// of them know by now. It refuses to know their order and how many go on at once.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "provisioning/apply/apply.hpp"
#include "provisioning/apply/kernel_workshop.hpp"
#include "provisioning/apply/nas_roots.hpp"
#include "provisioning/plan/compose.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {

// The problems that forbid a plan, one a line with its place.
Error refusal(const std::vector<plan::Problem>& problems, const fleet::Fleet& fleet);

// Any number of steps may be performed at once, by as many threads: what a step takes from what the
// others have found out it copies first.
class StepRunner {
public:
    struct Settings {
        const fleet::Fleet& fleet;  // what is made
        const fleet::Fleet& whole;  // what is exported: all boards
        const Options& options;
        std::function<void(const std::vector<plan::Problem>&)> on_problems;  // that are warnings
        std::function<void(const std::string&)> on_warning;
    };

    StepRunner(Settings settings, store::Changes& changes)
        : settings_(std::move(settings)),
          changes_(changes),
          host_(changes.store().host()),
          paths_(changes.store().paths()) {}

    // What was seen before anything was done.
    void begin(plan::Observed seen);

    [[nodiscard]] Result<void> perform(const plan::Step& step, const Telling& telling);

    // Whose way to what the fleet file says goes through this step.
    std::set<std::string> boards_of(const plan::Step& step);
    // From now on they keep what they have.
    void hold(const std::set<std::string>& boards);

    // Before publishing also to boards that are about to go, or to move to another address.
    [[nodiscard]] Result<void> tell_nfs(bool with_current);

    // The generation that was published; none: none was.
    std::optional<std::uint64_t> published() const { return published_; }

private:
    Inputs inputs_of(const plan::Step& step);
    [[nodiscard]] Result<void> ingest(const plan::Step& step, const Telling& telling);
    [[nodiscard]] Result<void> customize(const plan::Step& step, const Telling& telling);
    [[nodiscard]] Result<void> build(const plan::Step& step, const Telling& telling);
    [[nodiscard]] Result<void> install(const plan::Step& step, const Telling& telling);
    [[nodiscard]] Result<void> store_file(const plan::Step& step);
    [[nodiscard]] Result<void> make_initramfs(const plan::Step& step, const Telling& telling);
    [[nodiscard]] Result<void> pack_identity(const plan::Step& step, const Telling& telling);
    [[nodiscard]] Result<void> copy_root(const plan::Step& step, const Telling& telling);
    [[nodiscard]] Result<void> write_identity(const plan::Step& step, const Telling& telling);
    [[nodiscard]] Result<void> write_shared_root(const plan::Step& step, const Telling& telling);
    [[nodiscard]] Result<void> publish(const Telling& telling);

    bool needs(const fleet::Profile& profile, const plan::Step& step) const;
    [[nodiscard]] Result<void> refuse_missing(const layout::Manifest& manifest) const;

    // Set where another machine has the roots.
    std::optional<NasWork> on_nas(const Telling& telling) const;
    [[nodiscard]] Result<void> learn(const plan::ImageRecord& record);
    template <typename Record>
    [[nodiscard]] Result<void> learn(std::map<Digest, Record>& records, const Record& record);
    [[nodiscard]] Result<void> recompose();
    std::optional<plan::WantedRoot> wanted_root(const std::string& board);
    [[nodiscard]] Result<void> give_identity(
        const std::string& board,
        const plan::WantedRoot& wanted,
        const host::Path& root,
        host::Sync sync
    );
    [[nodiscard]] Result<void> remember_identity(
        const std::string& board, const plan::WantedRoot& wanted
    );
    store::RootMaking making_of(fleet::CopyOnWrite kind, const std::string& board) const;
    bool is_current(const std::string& board, const std::string& base) const;
    [[nodiscard]] Result<std::optional<host::Path>> root_before(
        const std::string& board, const std::string& base
    );
    [[nodiscard]] Result<void> keep_changes(
        const std::string& board,
        const std::string& base,
        const host::Path& to,
        const Telling& telling
    );

    Settings settings_;
    store::Changes& changes_;
    host::Host& host_;
    layout::StorePaths paths_;
    std::mutex mutex_;  // guards the four below; of seen_ what does not change is read without it
    plan::Observed seen_;
    plan::Composition wanted_;
    bool stale_ = false;  // what is wanted names files that are made now by what stands for them
    std::optional<layout::Manifest> given_;  // what was published
    std::optional<std::uint64_t> published_;
};

}  // namespace bramble::apply
