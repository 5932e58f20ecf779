#include "services/bramble/examiner.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "config/layout/store_paths.hpp"
#include "provisioning/host/real_host.hpp"
#include "services/bramble/rehearsal_evidence.hpp"
#include "services/rehearsal/rehearsal.hpp"

namespace bramble::program {
namespace {

constexpr int niceness = 15;  // boards that boot come first

// What keeps the board from booting, the earliest of it and at most one phase ahead; else the doubt
// that is nearest to where it stopped.
const rehearsal::Finding* tell(const rehearsal::Report& report, int reached, bool without_root) {
    const rehearsal::Finding* best = nullptr;
    for (const rehearsal::Finding& finding : report.findings) {
        const int phase = static_cast<int>(finding.phase);
        if (phase > reached + (finding.stops ? 1 : 0)) continue;
        if (without_root && finding.phase > rehearsal::Phase::kernel) continue;
        const auto rank = [](const rehearsal::Finding& one) {
            const int at = static_cast<int>(one.phase);
            return one.stops ? 100 - at : at;
        };
        if (best == nullptr || rank(finding) > rank(*best)) best = &finding;
    }
    return best;
}

// What several boards of one generation share: files that one was sent need not be sent again.
struct Stage {
    explicit Stage(const Examiner::Case& one)
        : of(one),
          evidence(layout::StorePaths(one.fleet->appliance.store), host),
          rehearsal(*one.fleet, one.generation->manifest(), evidence) {}

    Examiner::Case of;
    host::RealHost host;
    StoreEvidence evidence;
    rehearsal::Rehearsal rehearsal;
};

boards::Examined look(const Examiner::Case& one, Stage& stage) {
    boards::Examined examined;
    const layout::BoardEntry* entry = one.generation->manifest().find_board(one.board);
    if (entry == nullptr) return examined;
    if (entry->root && one.reached >= boards::Phase::kernel) {
        // Asked anew: a server that was down may be back.
        StoreEvidence now(layout::StorePaths(one.fleet->appliance.store), stage.host);
        examined.nfs_is_silent = !now.server_answers(entry->root->server);
    }
    const rehearsal::Report report = stage.rehearsal.rehearse(*entry);
    const auto* finding = tell(report, static_cast<int>(one.reached), examined.nfs_is_silent);
    if (finding == nullptr) return examined;
    examined.phase = static_cast<int>(finding->phase);
    examined.stops = finding->stops;
    examined.finding = finding->sentence;
    examined.remedy = finding->remedy;
    return examined;
}

}  // namespace

Examiner::Examiner(OnExamined on_examined)
    : on_examined_(std::move(on_examined)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Examiner::examine(Case one) {
    if (one.generation == nullptr) return;
    {
        const std::lock_guard lock(mutex_);
        const bool waits = std::ranges::any_of(waiting_, [&one](const Case& other) {
            return other.board == one.board;
        });
        if (waits || waiting_.size() >= waiting_max) return;
        waiting_.push_back(std::move(one));
    }
    changed_.notify_one();
}

void Examiner::run(const std::stop_token& stop) {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
    std::unique_ptr<Stage> stage;
    while (true) {
        Case one;
        {
            std::unique_lock lock(mutex_);
            if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
            one = std::move(waiting_.front());
            waiting_.pop_front();
        }
        if (stage == nullptr || !stage->of.is_of(one)) stage = std::make_unique<Stage>(one);
        boards::Examined found = look(one, *stage);
        on_examined_(one.board, std::move(found));
    }
}

}  // namespace bramble::program
