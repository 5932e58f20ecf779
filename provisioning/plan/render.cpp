#include <fmt/format.h>

#include <boost/json.hpp>

#include "provisioning/plan/copy_on_write.hpp"
#include "provisioning/plan/plan.hpp"

namespace bramble::plan {
std::string render(const Plan& plan, const fleet::Fleet& fleet) {
    std::string text;
    for (const Problem& problem : plan.problems) {
        text += fmt::format(
            "{}{}: {}\n",
            fleet.place(problem.where),
            problem.fatal ? "error" : "warning",
            problem.message
        );
    }
    for (const std::string& note : plan.notes) text += note + "\n";
    if (plan.refused()) return text + "the fleet cannot be applied as it is\n";
    if (plan.nothing_to_do()) {
        return text + fmt::format("nothing to do; generation {} is current\n", plan.current);
    }
    text += plan.current == 0 ? "nothing is published yet\n"
                              : fmt::format("generation {} is current\n", plan.current);
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        const Step& step = plan.steps[i];
        text += fmt::format(
            "{:>3}. {} {}: {}{}\n",
            i + 1,
            to_string(step.kind),
            step.subject,
            step.reason,
            !step.place.empty()                ? fmt::format(" (written to {})", step.place)
            : step.kind == StepKind::copy_root ? fmt::format(" ({})", name_of(step.copy_on_write))
                                               : ""
        );
    }
    for (const std::string& cost : plan.costs) text += "     " + cost + "\n";
    return text;
}

std::string render_json(const Plan& plan, const fleet::Fleet& fleet) {
    namespace json = boost::json;
    json::array steps;
    for (const Step& step : plan.steps) {
        json::array after;
        for (const std::size_t index : step.after) after.emplace_back(index + 1);
        steps.push_back(json::object{
            {"step", steps.size() + 1},
            {"kind", to_string(step.kind)},
            {"subject", step.subject},
            {"reason", step.reason},
            {"key", step.key.to_string()},
            {"after", std::move(after)}});
        if (step.kind == StepKind::copy_root) {
            steps.back().as_object()["copy_on_write"] = name_of(step.copy_on_write);
        }
    }
    json::array problems;
    for (const Problem& problem : plan.problems) {
        json::object one{{"message", problem.message}, {"fatal", problem.fatal}};
        if (problem.where.line != 0 && problem.where.file < fleet.sources.size()) {
            one["file"] = fleet.sources[problem.where.file].path.string();
            one["line"] = problem.where.line;
            one["column"] = problem.where.column;
        }
        problems.push_back(std::move(one));
    }
    const json::object written = {
        {"current", plan.current},
        {"refused", plan.refused()},
        {"nothing_to_do", plan.nothing_to_do()},
        {"notes", json::value_from(plan.notes)},
        {"steps", std::move(steps)},
        {"costs", json::array(plan.costs.begin(), plan.costs.end())},
        {"problems", std::move(problems)}};
    return json::serialize(written) + "\n";
}

}  // namespace bramble::plan
