// Findings as text: for people, and for scripts.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "services/doctor/diagnose.hpp"

namespace bramble::doctor {
namespace {

const char* mark(Severity severity) {
    switch (severity) {
        case Severity::good:
            return "ok  ";
        case Severity::unknown:
            return "?   ";
        case Severity::warning:
            return "warn";
        case Severity::bad:
            break;
    }
    return "BAD ";
}

}  // namespace

std::string_view to_string(Severity severity) {
    switch (severity) {
        case Severity::good:
            return "good";
        case Severity::unknown:
            return "unknown";
        case Severity::warning:
            return "warning";
        case Severity::bad:
            break;
    }
    return "bad";
}

std::string render(const std::vector<Finding>& findings) {
    std::vector<Finding> sorted = findings;
    std::stable_sort(sorted.begin(), sorted.end(), [](const Finding& a, const Finding& b) {
        return a.severity > b.severity;
    });
    std::string out;
    for (const Finding& finding : sorted) {
        out += fmt::format("{}  {}: {}\n", mark(finding.severity), finding.subject, finding.text);
        if (!finding.remedy.empty()) out += fmt::format("      -> {}\n", finding.remedy);
    }
    return out;
}

std::string render_json(const std::vector<Finding>& findings) {
    boost::json::array items;
    for (const Finding& finding : findings) {
        items.push_back(boost::json::object{
            {"severity", std::string(to_string(finding.severity))},
            {"subject", finding.subject},
            {"text", finding.text},
            {"remedy", finding.remedy},
        });
    }
    return boost::json::serialize(boost::json::object{
        {"ok", !any_bad(findings)}, {"findings", std::move(items)}});
}

bool any_bad(const std::vector<Finding>& findings) {
    return std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
        return finding.severity == Severity::bad;
    });
}

}  // namespace bramble::doctor
