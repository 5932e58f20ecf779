#include "services/bramble/line_origins.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

namespace bramble::program {
namespace {

// Who may have said a line, in words and with its place.
struct Sources {
    OriginLine bramble;
    OriginLine image;
    OriginLine profile;
    OriginLine board;
};

Sources sources_of(const fleet::Fleet& fleet, const fleet::Board& board) {
    Sources out;
    out.bramble.from = "Bramble";
    out.board = {"", fmt::format("board '{}'", board.name), file_and_line(fleet, board.where)};
    const fleet::Profile* profile = fleet.find_profile(board.profile);
    if (profile == nullptr) return out;
    out.profile = {
        "", fmt::format("profile '{}'", profile->name), file_and_line(fleet, profile->where)};
    const fleet::Image* image = fleet.find_image(profile->image);
    if (image == nullptr) return out;
    out.image = {"", fmt::format("image '{}'", image->name), file_and_line(fleet, image->where)};
    return out;
}

OriginLine said(OriginLine source, std::string_view text) {
    source.text = text;
    return source;
}

std::vector<std::string_view> split(std::string_view text, char by) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto end = std::min(text.find(by), text.size());
        out.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

// As boot::make_config_txt writes it: "key=value", "key value", or a filter alone.
bool is_line_of(const fleet::ConfigEntry& entry, std::string_view line) {
    if (entry.key.starts_with('[')) return line == entry.key;
    return line.starts_with(entry.key) && line.size() > entry.key.size() &&
           (line[entry.key.size()] == '=' || line[entry.key.size()] == ' ') &&
           line.substr(entry.key.size() + 1) == entry.value;
}

bool has_line(const std::vector<fleet::ConfigEntry>& entries, std::string_view line) {
    return std::ranges::any_of(entries, [&](const auto& e) { return is_line_of(e, line); });
}

bool has_word(const std::vector<std::string>& parameters, std::string_view word) {
    return std::ranges::any_of(parameters, [&](const std::string& parameter) {
        return std::ranges::count(split(parameter, ' '), word) != 0;
    });
}

// Whether "[all]" stands between profile's and board's entries, because a filter of the profile's
// would catch the board's.
bool is_parted(const std::vector<fleet::ConfigEntry>& profile, const fleet::Board& board) {
    std::string_view section = "[all]";
    for (const fleet::ConfigEntry& entry : profile) {
        if (entry.key.starts_with('[')) section = entry.key;
    }
    return section != "[all]" && !board.config_txt.empty();
}

// A filter of the fleet file is ended by a line "[all]", which is never left out.
std::ptrdiff_t ends_of_filters(const std::vector<fleet::ConfigEntry>& entries) {
    return std::ranges::count(entries, "[all]", &fleet::ConfigEntry::key);
}

// What Bramble writes itself behind everybody else's words.
bool is_for_the_root(std::string_view word) {
    constexpr std::array<std::string_view, 3> starts = {"root=", "nfsroot=", "ip="};
    constexpr std::array<std::string_view, 3> words = {"ro", "rw", "rootwait"};
    return std::ranges::any_of(starts, [&](auto start) { return word.starts_with(start); }) ||
           std::ranges::count(words, word) != 0;
}

}  // namespace

std::string file_and_line(const fleet::Fleet& fleet, const fleet::SourceLocation& where) {
    if (where.line == 0) return "";
    std::string place = fleet.place(where);  // "lab.yaml:12:3: "
    for (int i = 0; i < 2 && place.find(':') != std::string::npos; ++i) {
        place.erase(place.rfind(':'));
    }
    return place;
}

std::vector<OriginLine> origins_of_config_txt(
    const fleet::Fleet& fleet, const fleet::Board& board, std::string_view text
) {
    static const std::vector<fleet::ConfigEntry> none;
    const Sources sources = sources_of(fleet, board);
    const fleet::Profile* profile = fleet.find_profile(board.profile);
    const auto& of_profile = profile == nullptr ? none : profile->config_txt;
    std::vector<OriginLine> out;
    // From the end: entries follow the image's own text, which may say the same above.
    bool in_entries = true;
    bool is_between = is_parted(of_profile, board);
    auto of_board_left = ends_of_filters(board.config_txt);
    auto of_profile_left = ends_of_filters(of_profile);
    const auto end_of_filters = [&]() -> const OriginLine& {
        if (of_board_left > 0) return --of_board_left, sources.board;
        if (std::exchange(is_between, false)) return sources.bramble;
        if (of_profile_left > 0) return --of_profile_left, sources.profile;
        in_entries = false;
        return out.empty() ? sources.image : sources.bramble;
    };
    for (const std::string_view line : split(text, '\n') | std::views::reverse) {
        if (line.starts_with("# Written by Bramble")) {
            out.push_back(said(sources.bramble, line));
        } else if (in_entries && line == "[all]") {
            out.push_back(said(end_of_filters(), line));
        } else if (in_entries && has_line(board.config_txt, line)) {
            out.push_back(said(sources.board, line));
        } else if (in_entries && has_line(of_profile, line)) {
            out.push_back(said(sources.profile, line));
        } else {
            out.push_back(said(sources.image, line));
            in_entries = false;
        }
    }
    std::ranges::reverse(out);
    return out;
}

std::vector<OriginLine> origins_of_cmdline_txt(
    const fleet::Fleet& fleet, const fleet::Board& board, std::string_view text
) {
    const Sources sources = sources_of(fleet, board);
    const fleet::Profile* profile = fleet.find_profile(board.profile);
    if (text.ends_with('\n')) text.remove_suffix(1);
    std::vector<OriginLine> out;
    for (const std::string_view word : split(text, ' ')) {
        if (word.empty()) continue;
        if (has_word(board.cmdline, word)) {
            out.push_back(said(sources.board, word));
        } else if (profile != nullptr && has_word(profile->cmdline, word)) {
            out.push_back(said(sources.profile, word));
        } else {
            out.push_back(said(is_for_the_root(word) ? sources.bramble : sources.image, word));
        }
    }
    return out;
}

}  // namespace bramble::program
