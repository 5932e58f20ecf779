#include "services/rehearsal/manifest_gate.hpp"

namespace bramble::rehearsal {

dhcp::GateAnswer ManifestGate::ask(const dhcp::BootCandidate& candidate, TimePoint /*now*/) {
    if (candidate.board == nullptr || manifest_.find_board(candidate.board->name) == nullptr) {
        return dhcp::Wait{"this generation has nothing for it"};
    }
    return dhcp::Admit{};
}

dhcp::BootParameters ManifestGate::parameters(const dhcp::BootCandidate& candidate) const {
    dhcp::BootParameters out;
    const layout::BoardEntry* entry =
        candidate.board == nullptr ? nullptr : manifest_.find_board(candidate.board->name);
    if (entry == nullptr) return out;
    if (entry->bootfile) out.bootfile = *entry->bootfile;
    if (entry->root) out.root_path = entry->root->server + ":" + entry->root->path.string();
    return out;
}

}  // namespace bramble::rehearsal
