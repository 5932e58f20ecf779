#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>

#include "provisioning/plan/copy_on_write.hpp"
#include "provisioning/plan/plan.hpp"

namespace bramble::plan {
namespace {

double seconds_of(Duration time) {
    return std::chrono::duration<double>(time).count();
}

constexpr std::size_t named_after_max = 3;

// What stands behind a step: how, where to, after which others, and what it takes.
std::string details_of(const Step& step) {
    std::vector<std::string> details;
    if (!step.place.empty()) {
        details.push_back("written to " + step.place);
    } else if (step.kind == StepKind::copy_root) {
        details.emplace_back(name_of(step.copy_on_write));
    }
    // Those wait for all that stand before them: nothing is said by naming a thousand.
    const bool last = step.kind == StepKind::export_roots || step.kind == StepKind::publish;
    if (!last && !step.after.empty() && step.after.size() <= named_after_max) {
        std::vector<std::size_t> numbers;
        for (const std::size_t earlier : step.after) numbers.push_back(earlier + 1);
        details.push_back(fmt::format("after {}", fmt::join(numbers, ", ")));
    }
    if (std::string cost = describe(step.estimate); !cost.empty()) {
        details.push_back(std::move(cost));
    }
    return details.empty() ? "" : fmt::format(" ({})", fmt::join(details, ", "));
}

boost::json::object write_total(const Total& total) {
    boost::json::array unknown;
    for (const std::size_t step : total.unknown) unknown.emplace_back(step + 1);
    boost::json::object written{
        {"seconds", seconds_of(total.time)},
        {"bytes", total.bytes},
        {"processors", total.processors},
        {"unknown_steps", std::move(unknown)}};
    if (total.free_bytes) written["free_bytes"] = *total.free_bytes;
    return written;
}

}  // namespace

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
            details_of(step)
        );
    }
    for (const std::string& cost : plan.costs) text += "     " + cost + "\n";
    const std::string total = describe(plan.total);
    return total.empty() ? text : text + "     " + total + "\n";
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
        json::object& one = steps.back().as_object();
        if (step.estimate.time) one["estimated_seconds"] = seconds_of(*step.estimate.time);
        if (step.estimate.bytes) one["estimated_bytes"] = *step.estimate.bytes;
        if (step.kind == StepKind::copy_root) {
            one["copy_on_write"] = name_of(step.copy_on_write);
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
        {"estimate", write_total(plan.total)},
        {"costs", json::array(plan.costs.begin(), plan.costs.end())},
        {"problems", std::move(problems)}};
    return json::serialize(written) + "\n";
}

}  // namespace bramble::plan
