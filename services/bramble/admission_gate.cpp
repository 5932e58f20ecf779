#include "services/bramble/admission_gate.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "services/rehearsal/boot_files.hpp"

namespace bramble::program {

void AdmissionGate::set_generation(io::GenerationPtr generation) {
    generation_ = generation;
    files_.clear();
    provisioned_.set_generation(std::move(generation));
}

const std::vector<admission::PlannedFile>& AdmissionGate::files_of(const std::string& board) {
    const auto found = files_.find(board);
    if (found != files_.end()) return found->second;
    const layout::BoardEntry* entry = generation_->manifest().find_board(board);
    return files_
        .emplace(
            board,
            entry != nullptr ? rehearsal::boot_files_of(generation_->manifest(), *entry)
                             : std::vector<admission::PlannedFile>{}
        )
        .first->second;
}

dhcp::GateAnswer AdmissionGate::ask(const dhcp::BootCandidate& candidate, TimePoint now) {
    dhcp::GateAnswer provisioned = provisioned_.ask(candidate, now);
    if (!enabled_ || !std::holds_alternative<dhcp::Admit>(provisioned)) return provisioned;
    const fleet::Board& board = *candidate.board;  // only the fleet's boards are provisioned
    const bool own_group = !board.group.empty() || candidate.profile == nullptr;
    const auto decision = doorman_.ask(
        {board.name, own_group ? board.group : candidate.profile->group, files_of(board.name)}, now
    );
    if (decision.admitted()) return dhcp::Admit{};
    return dhcp::Wait{describe(*decision.waiting, now)};
}

std::string describe(const admission::Waiting& waiting, TimePoint now) {
    const auto seconds = std::max<std::int64_t>(
        1, std::chrono::ceil<std::chrono::seconds>(waiting.expected_start - now).count()
    );
    return fmt::format(
        "number {} in the queue, its turn comes in about {} s", waiting.position, seconds
    );
}

}  // namespace bramble::program
