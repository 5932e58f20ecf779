// Lets a board begin its boot when the published generation has something for it and the doorman
// says that it is its turn. It refuses to know what a board has fetched.
#pragma once

#include <map>
#include <string>

#include "services/admission/doorman.hpp"
#include "services/bramble/provisioned_gate.hpp"

namespace bramble::program {

class AdmissionGate final : public dhcp::BootGate {
public:
    explicit AdmissionGate(admission::Doorman& doorman) : doorman_(doorman) {}

    void set_generation(io::GenerationPtr generation);

    // False: whoever asks is let in, and the doorman is not asked.
    void set_enabled(bool enabled) { enabled_ = enabled; }

    dhcp::GateAnswer ask(const dhcp::BootCandidate& candidate, TimePoint now) override;

    dhcp::BootParameters parameters(const dhcp::BootCandidate& candidate) const override {
        return provisioned_.parameters(candidate);
    }

private:
    const std::vector<admission::PlannedFile>& files_of(const std::string& board);

    admission::Doorman& doorman_;
    ProvisionedGate provisioned_;
    io::GenerationPtr generation_;
    bool enabled_ = true;
    // Of the published generation's boards that have asked.
    std::map<std::string, std::vector<admission::PlannedFile>> files_;
};

// For people: "number 12 in the queue, its turn comes in about 40 s".
std::string describe(const admission::Waiting& waiting, TimePoint now);

}  // namespace bramble::program
