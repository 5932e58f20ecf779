#include "services/bramble/board_text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "config/types/text.hpp"
#include "services/bramble/json_reading.hpp"

namespace bramble::program {
namespace {

namespace json = boost::json;
using Row = std::vector<std::string>;

constexpr std::size_t bar_width = 20;
constexpr std::size_t path_width = 22;

Duration span(double seconds) {
    constexpr double longest = 1e9;  // thirty years: a Duration holds it in nanoseconds
    seconds = std::clamp(seconds, -longest, longest);
    return std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

std::string size_of(double bytes) {
    return describe_bytes(static_cast<std::uint64_t>(std::max(bytes, 0.0)));
}

// "...ays/vc4-kms-v3d.dtbo": the end of a path says more than its beginning.
std::string shortened(const std::string& path) {
    if (path.size() <= path_width) return path;
    return "..." + path.substr(path.size() - path_width + 3);
}

// From `at` to `until` of `total` seconds, at least one mark.
std::string bar(double at, double until, double total, char mark) {
    if (total <= 0) total = 1;
    const auto place = [&](double seconds) {
        const double share = std::clamp(seconds / total, 0.0, 1.0);
        return static_cast<std::size_t>(std::lround(share * static_cast<double>(bar_width)));
    };
    const std::size_t from = std::min(place(at), bar_width - 1);
    const std::size_t to = std::max(place(until), from + 1);
    return std::string(from, ' ') + std::string(to - from, mark);
}

std::string trimmed(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

char mark_of(const std::string& outcome) {
    if (outcome == "loaded") return '=';
    if (outcome == "probed") return '?';
    if (outcome == "missing") return '.';
    return '!';
}

std::string describe_outcome(const json::object& file) {
    const std::string outcome = text_of(file, "outcome");
    std::string out = outcome == "loaded" ? size_of(number_of(file, "bytes")) : outcome;
    if (const double probes = number_of(file, "probes"); probes > 0 && outcome == "loaded") {
        out += fmt::format(", {:.0f} probe{}", probes, probes == 1 ? "" : "s");
    }
    if (const double again = number_of(file, "retransmissions"); again > 0) {
        out += fmt::format(", {:.0f} sent again", again);
    }
    return out;
}

std::string state_words(const json::object& boot) {
    const std::string state = text_of(boot, "state");
    const std::string took = describe(span(number_of(boot, "seconds")));
    if (state == "up") return "up after " + took;
    if (state == "booting") return "at " + text_of(boot, "phase") + " for " + took;
    return state + " at " + text_of(boot, "phase") + " after " + took;
}

std::string waterfall(const json::object& boot) {
    const double total = number_of(boot, "seconds");
    std::string out = fmt::format(
        "{:<{}}  {:>7}  {:>7}  0{:>{}}\n",
        "phase",
        path_width,
        "at",
        "took",
        describe(span(total)),
        bar_width - 1
    );
    const auto line = [&](const std::string& name, double at, double took, char mark) {
        return fmt::format(
            "{:<{}}  {:>7}  {:>7}  {:<{}}",
            name,
            path_width,
            describe(span(at)),
            describe(span(took)),
            bar(at, at + took, total, mark),
            bar_width
        );
    };
    for_each_object(boot, "phases", [&](const json::object& phase) {
        const double at = number_of(phase, "at");
        const double took = number_of(phase, "seconds");
        out += trimmed(line(text_of(phase, "phase"), at, took, '#')) + "\n";
    });
    std::string files;
    for_each_object(boot, "files", [&](const json::object& file) {
        const double at = number_of(file, "at");
        const double took = number_of(file, "until") - at;
        const char mark = mark_of(text_of(file, "outcome"));
        files += line(shortened(text_of(file, "path")), at, took, mark) + "  " +
                 describe_outcome(file) + "\n";
    });
    if (!files.empty()) {
        out += "\nfiles    = loaded  ? probed  . missing  ! failed\n" + files;
    }
    if (const double dropped = number_of(boot, "files_dropped"); dropped > 0) {
        out += fmt::format("and {:.0f} requests for further files\n", dropped);
    }
    return out;
}

std::string what_for(const json::object& boot) {
    for (const std::string_view key : {"diagnosis", "waiting_for"}) {
        if (find(boot, key) != nullptr) return text_of(boot, key);
    }
    return "";
}

// The last lines of its console.
std::string console_end(const json::object& board) {
    const json::value* tail = find(board, "console_tail");
    if (tail == nullptr || !tail->is_array() || tail->get_array().empty()) return "";
    std::string out = fmt::format(
        "\nconsole, the end of {} lines (`bramble logs {}` has all)\n",
        text_of(board, "console_lines"),
        text_of(board, "name")
    );
    for (const json::value& line : tail->get_array()) {
        if (line.is_string()) out += "  " + std::string(line.get_string()) + "\n";
    }
    return out;
}

struct LogLine {
    double at = 0;
    std::string text;
};

std::vector<LogLine> log_of(const json::object& boot) {
    std::vector<LogLine> lines;
    for_each_object(boot, "phases", [&](const json::object& phase) {
        lines.push_back(
            {number_of(phase, "at"), fmt::format("{:<10}begins", text_of(phase, "phase"))}
        );
    });
    for_each_object(boot, "files", [&](const json::object& file) {
        const double took = number_of(file, "seconds");
        std::string text =
            fmt::format("{:<10}{}, {}", "", text_of(file, "path"), describe_outcome(file));
        if (took > 0) text += " in " + describe(span(took));
        lines.push_back({number_of(file, "until"), std::move(text)});
    });
    return lines;
}

// "   12.042  text", as serve sends the console; what has another form has no time of its own.
void add_console(const json::object& document, std::vector<LogLine>& lines) {
    if (find(document, "console") == nullptr) return;
    const std::string console = text_of(document, "console");
    std::string_view rest = console;
    double at = 0;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        const auto begin = line.find_first_not_of(' ');
        if (begin == std::string_view::npos) continue;
        line.remove_prefix(begin);
        const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), at);
        if (!std::isfinite(at)) at = 0;
        if (error == std::errc()) {
            line.remove_prefix(static_cast<std::size_t>(stop - line.data()));
            line.remove_prefix(std::min(line.size(), std::size_t{2}));
        }
        lines.push_back({at, fmt::format("{:<10}{}", "console", line)});
    }
}

std::vector<LogLine> in_order(std::vector<LogLine> lines) {
    std::stable_sort(lines.begin(), lines.end(), [](const LogLine& a, const LogLine& b) {
        return a.at < b.at;
    });
    return lines;
}

}  // namespace

Result<std::string> render_boards(std::string_view text) {
    const auto document = parse_object(text);
    if (!document) return tl::unexpected(document.error());
    std::vector<Row> rows = {
        {"board", "condition", "phase", "gen", "since", "address", "profile", "serial"}};
    for_each_object(*document, "boards", [&](const json::object& board) {
        const json::object* boot = find_object(board, "boot");
        const bool is_up = text_of(board, "condition") == "up";
        rows.push_back(
            {text_of(board, "name"),
             text_of(board, "condition"),
             boot == nullptr || is_up ? "-" : text_of(*boot, "phase"),
             boot == nullptr ? "-" : text_of(*boot, "generation"),
             boot == nullptr ? "-" : text_of(*boot, is_up ? "ended" : "started"),
             text_of(board, "address"),
             text_of(board, "profile"),
             text_of(board, "serial")}
        );
    });
    std::string out = render_table(rows);
    std::vector<Row> strangers = {{"stranger", "mac", "kind", "asked", "last", "why it is held"}};
    for_each_object(*document, "strangers", [&](const json::object& stranger) {
        strangers.push_back(
            {text_of(stranger, "serial"),
             text_of(stranger, "mac"),
             text_of(stranger, "kind"),
             text_of(stranger, "requests"),
             text_of(stranger, "last_seen"),
             text_of(stranger, "reason")}
        );
    });
    if (strangers.size() > 1) out += "\n" + render_table(strangers);
    return out;
}

Result<std::string> render_board(std::string_view text) {
    const auto document = parse_object(text);
    if (!document) return tl::unexpected(document.error());
    const json::object& board = *document;
    std::string out = fmt::format(
        "{}  {}\nserial {}  mac {}  address {}  profile {}  {}\n\n",
        text_of(board, "name"),
        text_of(board, "condition"),
        text_of(board, "serial"),
        text_of(board, "mac"),
        text_of(board, "address"),
        text_of(board, "profile"),
        text_of(board, "model")
    );
    const json::object* boot = find_object(board, "boot");
    const std::string of_board =
        find(board, "diagnosis") != nullptr ? text_of(board, "diagnosis") : "";
    if (boot == nullptr) {
        return out + "It has not asked for anything yet.\n" +
               (of_board.empty() ? "" : "-> " + of_board + "\n");
    }
    out += fmt::format(
        "boot of {}: {}, generation {}, {}{} loaded\n",
        text_of(*boot, "started"),
        state_words(*boot),
        text_of(*boot, "generation"),
        find(*boot, "kernel") != nullptr ? "kernel " + text_of(*boot, "kernel") + ", " : "",
        size_of(number_of(*boot, "bytes"))
    );
    if (text_of(*boot, "partial") == "true")
        out += "Its beginning was not seen: serve began later.\n";
    const std::string why = of_board.empty() ? what_for(*boot) : of_board;
    if (!why.empty()) out += "-> " + why + "\n";
    out += "\n" + waterfall(*boot);
    out += console_end(board);
    std::vector<Row> earlier;
    for_each_object(board, "history", [&](const json::object& past) {
        earlier.push_back(
            {fmt::format("{:>3}", earlier.size() + 1),
             text_of(past, "started"),
             "generation " + text_of(past, "generation"),
             state_words(past),
             what_for(past)}
        );
    });
    if (!earlier.empty()) {
        out += fmt::format(
            "\nearlier boots (`bramble logs {} --boot N`)\n{}",
            text_of(board, "name"),
            render_table(earlier)
        );
    }
    return out;
}

Result<std::string> render_boot_log(std::string_view text) {
    const auto document = parse_object(text);
    if (!document) return tl::unexpected(document.error());
    const json::object* boot = find_object(*document, "boot");
    if (boot == nullptr) return fail("serve's answer has no boot in it (another version?)");
    std::string out = fmt::format(
        "{}, boot of {}, generation {}\n",
        text_of(*document, "name"),
        text_of(*boot, "started"),
        text_of(*boot, "generation")
    );
    std::vector<LogLine> lines = log_of(*boot);
    add_console(*document, lines);
    const LogLine end{
        number_of(*boot, "seconds"),
        fmt::format("{:<10}{}", text_of(*boot, "state"), what_for(*boot))};
    // A kernel speaks on after its boot; of a boot that failed, why is read last.
    const bool is_up = text_of(*boot, "state") == "up";
    if (is_up) lines.push_back(end);
    lines = in_order(std::move(lines));
    if (!is_up) lines.push_back(end);
    for (const LogLine& line : lines) {
        out += trimmed(fmt::format("{:>9.3f} s  {}", line.at, line.text)) + "\n";
    }
    return out;
}

}  // namespace bramble::program
