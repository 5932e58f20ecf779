// The DHCP server's questions answered from one manifest, published or not: every board that it has
// may begin at once. It refuses to know queues.
#pragma once

#include "config/layout/manifest.hpp"
#include "services/dhcp/boot_gate.hpp"

namespace bramble::rehearsal {

class ManifestGate final : public dhcp::BootGate {
public:
    // `manifest` outlives it.
    explicit ManifestGate(const layout::Manifest& manifest) : manifest_(manifest) {}

    dhcp::GateAnswer ask(const dhcp::BootCandidate& candidate, TimePoint now) override;
    dhcp::BootParameters parameters(const dhcp::BootCandidate& candidate) const override;

private:
    const layout::Manifest& manifest_;
};

}  // namespace bramble::rehearsal
