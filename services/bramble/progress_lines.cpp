#include "services/bramble/progress_lines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/types/text.hpp"

namespace bramble::program {
namespace {

// A room of boards is copied in a blink each: they are counted, not listed.
constexpr Duration worth_a_line = std::chrono::seconds(1);

// What a terminal would act upon is shown as '?': control characters, those too that UTF-8 writes
// as two bytes (U+0080 to U+009F). Lines stay lines.
std::string harmless(std::string_view text) {
    std::string shown;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
        const bool of_two = byte == 0xc2U && next >= 0x80U && next <= 0x9fU;
        const bool control = (byte < 0x20U && byte != '\n') || byte == 0x7fU;
        shown += of_two || control ? '?' : text[i];
        if (of_two) ++i;
    }
    return shown;
}

// By characters, not bytes: names and texts may hold others than ASCII.
std::string cut(std::string_view text, std::size_t columns) {
    std::string line;
    std::size_t characters = 0;
    for (const char c : harmless(text)) {
        const bool continues = (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
        if (!continues && ++characters > columns) break;
        line += c == '\n' ? '?' : c;
    }
    return line;
}

}  // namespace

std::string ProgressLines::on_event(const apply::Event& event, TimePoint now) {
    using apply::EventKind;
    steps_ = event.steps;
    if (event.ends_step()) {
        ++done_;
        running_.erase(event.step);
        const bool short_one = event.kind == EventKind::finished && event.took < worth_a_line;
        return short_one ? "" : harmless(apply::render(event)) + "\n";
    }
    if (event.kind == EventKind::warning || event.step == 0) {
        return harmless(apply::render(event)) + "\n";
    }
    if (event.kind == EventKind::started) {
        running_[event.step] = {event.name, event.text, now};
        return {};
    }
    const auto running = running_.find(event.step);
    // "12 s so far" stands there anyway.
    if (running != running_.end() && !event.text.ends_with(" so far")) {
        running->second.said = event.text;
    }
    return {};
}

std::vector<std::string> ProgressLines::lines(TimePoint now, std::size_t columns) const {
    std::vector<std::string> shown;
    for (const auto& [step, running] : running_) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - running.begun);
        shown.push_back(cut(
            fmt::format(
                "[{}/{}] {}  {}  {}", step, steps_, running.name, describe(seconds), running.said
            ),
            columns
        ));
    }
    if (steps_ != 0) {
        shown.push_back(
            cut(fmt::format("{} of {} steps done, {} under way", done_, steps_, running_.size()),
                columns)
        );
    }
    return shown;
}

}  // namespace bramble::program
