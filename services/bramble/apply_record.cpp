#include "services/bramble/apply_record.hpp"

#include <fstream>
#include <sstream>

namespace bramble::program {

void ApplyObserver::on_event(const apply::Event& event) {
    if (event.kind == apply::EventKind::warning) ++counted_.warnings;
    if (event.step == 0) return;
    counted_.steps = event.steps;
    if (event.kind == apply::EventKind::finished) ++counted_.steps_done;
}

layout::ApplyRecord ApplyObserver::record(bool succeeded, TimePoint now) const {
    layout::ApplyRecord record = counted_;
    record.succeeded = succeeded;
    record.ended = now;
    record.took = now - begun_;
    return record;
}

std::optional<metrics::ApplyFigures> last_apply(const layout::StorePaths& store) {
    std::ifstream file(layout::apply_record_path(store), std::ios::binary);
    if (!file) return std::nullopt;
    std::ostringstream text;
    text << file.rdbuf();
    const auto record = layout::parse_apply_record(text.view());
    if (!record) return std::nullopt;
    metrics::ApplyFigures figures;
    figures.succeeded = record->succeeded;
    figures.ended = record->ended;
    figures.took = record->took;
    figures.steps_done = record->steps_done;
    figures.steps_left =
        record->steps > record->steps_done ? record->steps - record->steps_done : 0;
    figures.warnings = record->warnings;
    return figures;
}

}  // namespace bramble::program
