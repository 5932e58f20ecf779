#include "provisioning/plan/costs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/types/text.hpp"
#include "provisioning/plan/copy_on_write.hpp"

namespace bramble::plan {
namespace {

bool may_take_long(StepKind kind) {
    switch (kind) {
        case StepKind::ingest_image:
        case StepKind::customize_image:
        case StepKind::build_kernel:
        case StepKind::install_kernel:
        case StepKind::write_shared_root:
        case StepKind::copy_root:
            return true;
        case StepKind::store_file:
        case StepKind::make_initramfs:
        case StepKind::write_identity:
        case StepKind::pack_identity:
        case StepKind::export_roots:
        case StepKind::publish:
            break;
    }
    return false;
}

}  // namespace

Total total_of(const std::vector<Step>& steps, const Observed& observed) {
    Total total;
    total.free_bytes = observed.free_bytes;
    total.processors = std::max(1U, observed.processors);
    std::vector<Duration> done(steps.size());
    Duration work{};
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const Estimate& estimate = steps[i].estimate;
        for (const std::size_t earlier : steps[i].after) done[i] = std::max(done[i], done[earlier]);
        const Duration time = estimate.time.value_or(Duration{});
        done[i] += time;
        work += time;
        total.time = std::max(total.time, done[i]);
        total.bytes += estimate.bytes.value_or(0);
        if (may_take_long(steps[i].kind) && !estimate.time) total.unknown.push_back(i);
    }
    total.time = std::max(total.time, work / total.processors);
    return total;
}

Problem lack_of_space(const Total& total) {
    return {
        {},
        fmt::format(
            "the store has {} free, and what is to be made takes some {}: make room (`bramble gc` "
            "takes away what no kept generation needs) or put the store on a larger disk",
            describe_bytes(total.free_bytes.value_or(0)),
            describe_bytes(total.bytes)
        ),
        false};
}

std::vector<std::string> describe_roots(
    const std::vector<Step>& steps, const fleet::Fleet& fleet, const Observed& observed
) {
    std::map<fleet::CopyOnWrite, std::size_t> roots;
    std::size_t written = 0;
    for (const Step& step : steps) {
        written += step.place.empty() ? 0 : 1;
        if (step.kind == StepKind::copy_root && step.place.empty()) ++roots[step.copy_on_write];
    }
    std::vector<std::string> costs;
    for (const auto& [kind, count] : roots) {
        costs.push_back(describe_roots(kind, count, fleet, observed));
    }
    const auto* nas = std::get_if<fleet::NfsExternal>(&fleet.appliance.nfs);
    if (written > 0 && nas != nullptr) {
        costs.push_back(fmt::format(
            "{} root{} over NFS to {}: each takes the whole space of its base there; the link says "
            "how long, some 10 s for each GB at 1 Gb/s",
            written,
            written == 1 ? "" : "s",
            nas->place()
        ));
    }
    return costs;
}

}  // namespace bramble::plan
