#include "services/boards/story.hpp"

#include <fmt/format.h>

#include "config/types/text.hpp"

namespace bramble::boards {

std::string printable(std::string_view text, std::size_t bytes_max) {
    std::string shown(text.substr(0, bytes_max));
    for (char& c : shown) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return shown;
}

std::string render(const StoryLine& line, std::size_t board_width) {
    return fmt::format(
        "{:<{}}  {:<9}  {}", printable(line.board), board_width, line.phase, line.text
    );
}

std::string describe_file(const FileEnded& file, TimePoint ended) {
    const std::string path = printable(file.path);
    switch (file.outcome) {
        case FileOutcome::probed:
            return path + " is there";
        case FileOutcome::missing:
            return path + " is not there";
        case FileOutcome::refused:
            return path + " is not its own";
        case FileOutcome::failed:
            return fmt::format(
                "{} broke off after {} of {}",
                path,
                describe_bytes(file.bytes),
                describe_bytes(file.file_bytes)
            );
        case FileOutcome::loaded:
            break;
    }
    std::string text = fmt::format(
        "{} {} in {}", path, describe_bytes(file.bytes), describe(ended - file.started)
    );
    if (file.retransmissions > 0) {
        text += fmt::format(
            ", {} {} sent again",
            file.retransmissions,
            file.retransmissions == 1 ? "datagram" : "datagrams"
        );
    }
    return text;
}

std::string describe_boot(const Boot& boot) {
    if (boot.partial) return "its beginning was not seen";
    std::string phases;
    for (std::size_t i = 0; i < phase_count; ++i) {
        const auto phase = static_cast<Phase>(i);
        const auto took = boot.duration(phase);
        if (!took) continue;
        phases +=
            fmt::format("{}{} {}", phases.empty() ? "" : ", ", to_string(phase), describe(*took));
    }
    return fmt::format(
        "{} ({}), {} loaded", describe(boot.total()), phases, describe_bytes(boot.bytes_loaded())
    );
}

std::string describe_end(const Boot& boot) {
    const std::string in_phase = fmt::format("in {}", to_string(boot.phase));
    const std::string why = boot.diagnosis.empty() ? "" : ": " + boot.diagnosis;
    switch (boot.state) {
        case BootState::up:
            return boot.partial ? "up" : "up after " + describe(boot.total());
        case BootState::superseded:
            return "gave way to another boot " + in_phase + why;
        case BootState::stuck:
        case BootState::abandoned:
            return "stopped " + in_phase + why;
        case BootState::waiting:
            return "waits: " + boot.hold_reason;
        case BootState::running:
            break;
    }
    return in_phase;
}

}  // namespace bramble::boards
