#include "provisioning/plan/generations_text.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "provisioning/plan/difference.hpp"

namespace bramble::plan {
namespace {

namespace json = boost::json;

std::string plural(std::size_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// "2026-11-27T00:12:01Z" as a person reads it.
std::string moment(std::string created) {
    if (created.size() == 20 && created[10] == 'T' && created[19] == 'Z') {
        created[10] = ' ';
        created.resize(16);
    }
    return created;
}

std::string use_of(const GenerationUse& use) {
    std::string text;
    const auto add = [&text](const std::string& part) {
        text += (text.empty() ? "" : ", ") + part;
    };
    if (use.served) add("served");
    if (!use.booting.empty()) add(plural(use.booting.size(), "boot"));
    if (!use.running.empty()) add(fmt::format("{} up", plural(use.running.size(), "board")));
    return text.empty() ? "-" : text;
}

std::string changes_of(const GenerationLine& line) {
    if (line.before == 0) return "the first one that is kept";
    if (line.changes.empty()) return fmt::format("as generation {}", line.before);
    return summary(line.changes);
}

json::array names(const std::vector<std::string>& texts) {
    return json::array(texts.begin(), texts.end());
}

}  // namespace

std::string ranges(const std::vector<std::uint64_t>& numbers) {
    std::string text;
    for (std::size_t i = 0; i < numbers.size();) {
        std::size_t last = i;
        while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
        text += text.empty() ? "" : ", ";
        text += std::to_string(numbers[i]);
        if (last > i) text += fmt::format("{}{}", last > i + 1 ? " to " : ", ", numbers[last]);
        i = last + 1;
    }
    return text.empty() ? "none" : text;
}

std::string render(const GenerationList& list) {
    if (list.lines.empty()) return "no generation yet: `bramble apply` publishes the first one\n";
    std::string text = fmt::format(
        "  {:>6}  {:<16}  {:>6}  {:<28}  {}\n",
        "number",
        "published, UTC",
        "boards",
        "in use",
        "changed"
    );
    for (const GenerationLine& line : list.lines) {
        const char* mark = line.current ? "*" : " ";
        if (!line.problem.empty()) {
            text += fmt::format("{} {:>6}  cannot be read: {}\n", mark, line.number, line.problem);
            continue;
        }
        text += fmt::format(
            "{} {:>6}  {:<16}  {:>6}  {:<28}  {}\n",
            mark,
            line.number,
            moment(line.created),
            line.boards,
            list.use_unknown.empty() ? use_of(line.use) : "unknown",
            changes_of(line)
        );
    }
    text += "* is current: boards that begin to boot now get it\n";
    if (!list.use_unknown.empty()) {
        text += fmt::format("who uses them is not known: {}\n", list.use_unknown);
    }
    return text;
}

std::string render_json(const GenerationList& list) {
    json::array lines;
    for (const GenerationLine& line : list.lines) {
        json::object one{{"generation", line.number}, {"current", line.current}};
        if (!line.problem.empty()) {
            one["problem"] = line.problem;
        } else {
            one["created"] = line.created;
            one["boards"] = line.boards;
            one["profiles"] = line.profiles;
            one["changes"] = names(line.changes);
            one["before"] = line.before == 0 ? json::value() : json::value(line.before);
        }
        if (list.use_unknown.empty()) {
            one["served"] = line.use.served;
            one["booting"] = names(line.use.booting);
            one["running"] = names(line.use.running);
        }
        lines.push_back(std::move(one));
    }
    return json::serialize(json::object{{"generations", std::move(lines)}}) + "\n";
}

}  // namespace bramble::plan
