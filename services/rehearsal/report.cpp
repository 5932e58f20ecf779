#include "services/rehearsal/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <unordered_map>
#include <utility>

namespace bramble::rehearsal {
namespace {

constexpr std::size_t boards_named_max = 5;

// Sentences that several boards share, in the order in which they were first met. A path that has
// the board's own name in it makes no sentence of its own.
struct Shared {
    const Finding* finding = nullptr;
    std::vector<std::string> boards;
};

std::string without_name(const Finding& finding, const std::string& board) {
    std::string text = finding.sentence;
    for (auto at = text.find(board); !board.empty() && at != std::string::npos;
         at = text.find(board, at + 1)) {
        text.replace(at, board.size(), "*");
    }
    return fmt::format(
        "{} {} {}\n{}", finding.stops, to_string(finding.phase), text, finding.remedy
    );
}

std::vector<Shared> shared_findings(std::span<const Report> reports) {
    std::vector<Shared> out;
    std::unordered_map<std::string, std::size_t> known;
    for (const Report& report : reports) {
        for (const Finding& finding : report.findings) {
            const auto [place, is_new] =
                known.emplace(without_name(finding, report.board), out.size());
            if (is_new) out.push_back({&finding, {}});
            std::vector<std::string>& boards = out[place->second].boards;
            if (boards.empty() || boards.back() != report.board) boards.push_back(report.board);
        }
    }
    std::ranges::stable_sort(out, [](const Shared& a, const Shared& b) {
        if (a.finding->stops != b.finding->stops) return a.finding->stops;
        return a.finding->phase < b.finding->phase;
    });
    return out;
}

std::string names_of(const std::vector<std::string>& boards) {
    const std::size_t shown = std::min(boards.size(), boards_named_max);
    std::string text = fmt::format("{}", fmt::join(boards.begin(), boards.begin() + shown, ", "));
    if (shown < boards.size()) text += fmt::format(" and {} more", boards.size() - shown);
    return text;
}

std::string finding_text(const Finding& finding) {
    return fmt::format(
        "{}  {}: {}\n    {}\n",
        finding.stops ? "STOPS" : "doubt",
        to_string(finding.phase),
        finding.sentence,
        finding.remedy
    );
}

boost::json::object to_json(const Report& report) {
    boost::json::array findings;
    for (const Finding& finding : report.findings) {
        findings.push_back(boost::json::object{
            {"stops", finding.stops},
            {"phase", std::string(to_string(finding.phase))},
            {"sentence", finding.sentence},
            {"remedy", finding.remedy},
        });
    }
    boost::json::array story;
    for (const Line& line : report.story) {
        story.push_back(boost::json::object{
            {"phase", std::string(to_string(line.phase))}, {"text", line.text}});
    }
    const Finding* first = report.first();
    return {
        {"board", report.board},
        {"firmware", report.firmware},
        {"boots", report.boots()},
        {"first", first == nullptr ? boost::json::value() : boost::json::value(first->sentence)},
        {"findings", std::move(findings)},
        {"story", std::move(story)},
    };
}

}  // namespace

std::string_view to_string(Phase phase) {
    static constexpr std::array<std::string_view, 6> names = {
        "address", "firmware", "config", "kernel", "root", "userspace"};
    return names[static_cast<std::size_t>(phase)];
}

void Report::stop(Phase phase, std::string sentence, std::string remedy) {
    findings.push_back({true, phase, std::move(sentence), std::move(remedy)});
}

void Report::doubt(Phase phase, std::string sentence, std::string remedy) {
    findings.push_back({false, phase, std::move(sentence), std::move(remedy)});
}

void Report::tell(Phase phase, std::string text) {
    story.push_back({phase, std::move(text)});
}

bool Report::boots() const {
    return std::ranges::none_of(findings, &Finding::stops);
}

const Finding* Report::first() const {
    const Finding* best = nullptr;
    for (const Finding& finding : findings) {
        const bool earlier = best == nullptr || (finding.stops && !best->stops) ||
                             (finding.stops == best->stops && finding.phase < best->phase);
        if (earlier) best = &finding;
    }
    return best;
}

std::string render(const Report& report) {
    std::string out = fmt::format(
        "{}  {}{}  {}\n",
        report.board,
        report.generation == 0 ? "unpublished generation"
                               : fmt::format("generation {}", report.generation),
        report.firmware.empty() ? "" : "  firmware " + report.firmware,
        report.boots() ? "would boot" : "would NOT boot"
    );
    const Finding* first = report.first();
    if (first != nullptr) out += finding_text(*first);
    Phase before = Phase::userspace;
    bool any = false;
    for (const Line& line : report.story) {
        const bool same = any && line.phase == before;
        out += fmt::format("  {:<10} {}\n", same ? "" : to_string(line.phase), line.text);
        before = line.phase;
        any = true;
    }
    for (const Finding& finding : report.findings) {
        if (&finding != first) out += finding_text(finding);
    }
    return out;
}

std::string render_findings(std::span<const Report> reports) {
    std::string out;
    for (const Shared& shared : shared_findings(reports)) {
        out += finding_text(*shared.finding);
        out += fmt::format(
            "    {} board{}: {}\n",
            shared.boards.size(),
            shared.boards.size() == 1 ? "" : "s",
            names_of(shared.boards)
        );
    }
    return out;
}

std::string render_all(std::span<const Report> reports) {
    const auto boots = std::ranges::count_if(reports, &Report::boots);
    return render_findings(reports) +
           fmt::format("{} of {} boards would boot\n", boots, reports.size());
}

std::string render_json(std::span<const Report> reports) {
    boost::json::array list;
    for (const Report& report : reports) list.push_back(to_json(report));
    return boost::json::serialize(boost::json::object{
        {"generation", reports.empty() ? 0 : reports.front().generation},
        {"boards", reports.size()},
        {"would_boot", std::ranges::count_if(reports, &Report::boots)},
        {"reports", std::move(list)},
    });
}

}  // namespace bramble::rehearsal
