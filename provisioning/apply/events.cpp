#include <fmt/format.h>

#include <boost/json.hpp>

#include "config/types/text.hpp"
#include "provisioning/apply/apply.hpp"

namespace bramble::apply {
namespace {

std::string_view name_of(EventKind kind) {
    switch (kind) {
        case EventKind::started:
            return "started";
        case EventKind::progress:
            return "progress";
        case EventKind::finished:
            return "finished";
        case EventKind::failed:
            return "failed";
        case EventKind::skipped:
            return "skipped";
        case EventKind::warning:
            break;
    }
    return "warning";
}

}  // namespace

std::string render(const Event& event) {
    const std::string at = event.step == 0 ? "" : fmt::format("[{}/{}] ", event.step, event.steps);
    switch (event.kind) {
        case EventKind::started:
            return fmt::format("{}{}: {}", at, event.name, event.text);
        case EventKind::progress:
            return fmt::format("{}  {}", at, event.text);
        case EventKind::finished:
            return fmt::format("{}{} done in {}", at, event.name, describe(event.took));
        case EventKind::failed:
            return fmt::format("{}{} failed: {}", at, event.name, event.text);
        case EventKind::skipped:
            return fmt::format("{}{} left out: {}", at, event.name, event.text);
        case EventKind::warning:
            break;
    }
    return "warning: " + event.text;
}

std::string render_json(const Event& event) {
    boost::json::object written{{"event", name_of(event.kind)}};
    if (event.step != 0) {
        written["step"] = event.step;
        written["steps"] = event.steps;
    }
    if (!event.name.empty()) written["name"] = event.name;
    if (!event.text.empty()) written["text"] = event.text;
    if (event.kind == EventKind::finished || event.kind == EventKind::failed) {
        written["seconds"] = std::chrono::duration<double>(event.took).count();
    }
    return boost::json::serialize(written);
}

}  // namespace bramble::apply
