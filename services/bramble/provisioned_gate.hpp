// Lets a board begin its boot when the published generation has something for it, and tells it what
// to load. It refuses to know queues.
#pragma once

#include "config/fleet/fleet.hpp"
#include "services/dhcp/boot_gate.hpp"
#include "services/io/catalog.hpp"

namespace bramble::program {

class ProvisionedGate final : public dhcp::BootGate {
public:
    void set_generation(io::GenerationPtr generation) { generation_ = std::move(generation); }

    dhcp::GateAnswer ask(const dhcp::BootCandidate& candidate, TimePoint now) override;
    dhcp::BootParameters parameters(const dhcp::BootCandidate& candidate) const override;

private:
    const layout::BoardEntry* entry_of(const dhcp::BootCandidate& candidate) const;

    io::GenerationPtr generation_;  // shared with the catalog; nullptr: nothing is published
};

}  // namespace bramble::program
