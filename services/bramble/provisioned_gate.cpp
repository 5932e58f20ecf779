#include "services/bramble/provisioned_gate.hpp"

#include <fmt/core.h>

namespace bramble::program {

const layout::BoardEntry* ProvisionedGate::entry_of(const dhcp::BootCandidate& candidate) const {
    if (candidate.board == nullptr || !generation_) return nullptr;
    return generation_->manifest().find_board(candidate.board->name);
}

dhcp::GateAnswer ProvisionedGate::ask(
    const dhcp::BootCandidate& candidate, TimePoint /*now*/
) {
    if (!generation_) return dhcp::Wait{"nothing is published yet: run `bramble apply`"};
    if (candidate.board == nullptr) {
        return dhcp::Wait{"being enrolled: `bramble apply` makes its tree"};
    }
    if (entry_of(candidate) == nullptr) {
        return dhcp::Wait{fmt::format(
            "generation {} has nothing for it: run `bramble apply`",
            generation_->manifest().generation
        )};
    }
    return dhcp::Admit{};
}

dhcp::BootParameters ProvisionedGate::parameters(const dhcp::BootCandidate& candidate) const {
    dhcp::BootParameters out;
    const layout::BoardEntry* entry = entry_of(candidate);
    if (entry == nullptr) return out;
    if (entry->bootfile) out.bootfile = *entry->bootfile;
    if (entry->root) out.root_path = entry->root->server + ":" + entry->root->path.string();
    return out;
}

}  // namespace bramble::program
