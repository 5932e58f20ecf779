// The kernels of a fleet as they are now: what their sources hold, what their moving wishes were
// pinned to, and the steps that build one and lay it over an image. It refuses to know boards and
// generations.
#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/types/digest.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/plan/bases.hpp"
#include "provisioning/plan/observed.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {

struct KernelLook {
    std::map<std::string, Digest> keys;    // kernel -> key, of those that boards run
    std::map<std::string, Inputs> inputs;  // likewise
    std::vector<plan::Problem> problems;   // a source that is not there, a wish that is not pinned
};

// Changes nothing. Of a wish that is not pinned yet the key is provisional. A kernel that is built
// needs its compiler no more: where there is none, or it does not answer, it is as it was built.
KernelLook look_at_kernels(const fleet::Fleet& fleet, const store::Store& store);

struct PinStep {
    const fleet::Fleet& fleet;
    bool update = false;  // what is pinned is looked up anew
    std::function<void(std::string_view)> progress;
    std::stop_token stop;
};

// Looks up what is not pinned and writes it beside the fleet file. Nothing to look up: nothing is
// written.
[[nodiscard]] Result<void> pin_kernels(store::Changes& changes, const PinStep& step);

struct KernelStep {
    const fleet::Fleet& fleet;
    const fleet::Kernel& kernel;
    Digest key;                                         // as it was observed
    const std::map<Digest, plan::KernelRecord>& built;  // what there is, for an estimate
    std::function<void(std::string_view)> progress;
    std::stop_token stop;
};

// The record is written with the kernel's directory, last of all. Errors also when the source
// changed meanwhile. Nothing stays behind but the log.
[[nodiscard]] Result<plan::KernelRecord> build_kernel(
    store::Changes& changes, const KernelStep& step
);

struct InstallStep {
    const fleet::Kernel& kernel;
    plan::Base base;
    plan::ImageRecord image;  // an empty one for boards without an image
    plan::KernelRecord built;
    std::function<void(std::string_view)> progress;
    std::stop_token stop;
};

// A base with the kernel's modules in the image's root, and the boot files of both.
[[nodiscard]] Result<plan::ImageRecord> install_kernel(
    store::Changes& changes, const InstallStep& step
);

}  // namespace bramble::apply
