// The word that an apply leaves in the store, from its events and for the metrics. It refuses to
// know how an apply works.
#pragma once

#include <optional>

#include "config/layout/apply_record.hpp"
#include "provisioning/apply/apply.hpp"
#include "provisioning/host/host.hpp"
#include "services/metrics/render.hpp"

namespace bramble::program {

// Counts what one run tells; its events come one at a time.
class ApplyObserver {
public:
    explicit ApplyObserver(TimePoint begun) : begun_(begun) {}

    void on_event(const apply::Event& event);

    layout::ApplyRecord record(bool succeeded, TimePoint now) const;

private:
    TimePoint begun_;
    layout::ApplyRecord counted_;
};

// What the last apply left; nothing when none did, or when it cannot be read.
std::optional<metrics::ApplyFigures> last_apply(const layout::StorePaths& store);

}  // namespace bramble::program
