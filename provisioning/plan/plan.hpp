// What an apply would do: the fleet as it should be, held against the store as it is, gives steps
// with reasons. It refuses to know disks, clocks and how any step is carried out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/digest.hpp"
#include "provisioning/plan/estimate.hpp"
#include "provisioning/plan/observed.hpp"
#include "provisioning/plan/step_kind.hpp"

namespace bramble::plan {

struct Step {
    StepKind kind = StepKind::publish;
    std::string subject;             // the image, file or board; "generation 8"
    std::string reason;              // "not in the store", "pi-03: cmdline.txt changed"
    Digest key;                      // of all that goes into it
    std::vector<std::size_t> after;  // indices of the steps that must be done before
    // Of copy_root: how, once the store's filesystem has been asked.
    fleet::CopyOnWrite copy_on_write = fleet::CopyOnWrite::copy;
    std::string place{};  // of a root that is written to another machine
    Estimate estimate{};

    friend bool operator==(const Step&, const Step&) = default;
};

struct Plan {
    std::vector<Step> steps;  // in an order in which they can be done
    std::vector<Problem> problems;
    std::vector<std::string> notes{};  // what is known of the images in use
    std::vector<std::string> costs;    // of the roots that it makes, in words: one line a kind
    Total total{};
    std::uint64_t current = 0;  // the generation that is published; 0: none

    bool nothing_to_do() const { return steps.empty(); }

    bool refused() const;  // whether a problem forbids it
};

// Pure and total: every problem is listed, none throws.
Plan make(const fleet::Fleet& fleet, const Observed& observed, const layout::StorePaths& store);

// The key of the step that makes the initramfs of a shared base root.
Digest initramfs_step_key(std::string_view base);
// Likewise of the one that writes such a root to another machine, "172.16.1.9:/volume1/bramble".
Digest shared_root_step_key(std::string_view place, std::string_view base);

// For people, one line a step with its reason, and for scripts.
std::string render(const Plan& plan, const fleet::Fleet& fleet);
std::string render_json(const Plan& plan, const fleet::Fleet& fleet);

}  // namespace bramble::plan
