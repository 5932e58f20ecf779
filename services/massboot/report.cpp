#include "services/massboot/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

namespace bramble::massboot {
namespace {

namespace json = boost::json;

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

Duration at_rank(const std::vector<Duration>& sorted, double percent) {
    if (sorted.empty()) return {};
    const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()));
    return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

double share(Duration part, Duration whole) {
    return whole <= Duration::zero() ? 1.0 : std::min(1.0, seconds(part) / seconds(whole));
}

std::string in_seconds(Duration duration) {
    return fmt::format("{:.1f} s", seconds(duration));
}

std::string four(const Percentiles& values) {
    return fmt::format(
        "{:.1f} / {:.1f} / {:.1f} s", seconds(values.p50), seconds(values.p99), seconds(values.max)
    );
}

json::object object_of(const Percentiles& values) {
    return {
        {"p50_s", seconds(values.p50)},
        {"p90_s", seconds(values.p90)},
        {"p99_s", seconds(values.p99)},
        {"max_s", seconds(values.max)}};
}

json::object object_of(const Summary& summary) {
    json::object out{
        {"boards", summary.boards},
        {"up", summary.up},
        {"gave_up", summary.gave_up},
        {"file_timeouts", summary.file_timeouts},
        {"bytes", summary.bytes},
        {"last_up_s", nullptr},
        {"waiting", object_of(summary.waiting)},
        {"fetching", object_of(summary.fetching)},
        {"booting", object_of(summary.booting)},
        {"link_use", summary.link_use},
        {"link_use_while_waiting", summary.link_use_while_waiting},
        {"waiting_most", summary.waiting_most},
        {"retransmissions", summary.retransmissions}};
    if (summary.last_up) out["last_up_s"] = seconds(*summary.last_up);
    return out;
}

// One row of the table: a label and what each side has to say.
template <typename Say>
void add_row(std::string& out, std::string_view label, const Comparison& comparison, Say say) {
    out += fmt::format("{:<38}", label);
    if (comparison.with_admission) out += fmt::format("{:<30}", say(*comparison.with_admission));
    if (comparison.without_admission) out += say(*comparison.without_admission);
    while (out.ends_with(' ')) out.pop_back();
    out += "\n";
}

}  // namespace

Percentiles percentiles(std::vector<Duration> values) {
    std::sort(values.begin(), values.end());
    return {at_rank(values, 50), at_rank(values, 90), at_rank(values, 99), at_rank(values, 100)};
}

Summary summarise(const Result& result) {
    Summary out;
    out.boards = result.boards.size();
    std::vector<Duration> waiting;
    std::vector<Duration> fetching;
    std::vector<Duration> booting;
    Duration last{};
    for (const BoardRecord& board : result.boards) {
        out.file_timeouts += board.file_timeouts;
        if (board.file_timeouts > 0) ++out.gave_up;
        if (!board.up || !board.asked || !board.offered || !board.fetched) continue;
        ++out.up;
        out.bytes += board.bytes;
        last = std::max(last, *board.up);
        waiting.push_back(*board.offered - *board.asked);
        fetching.push_back(*board.fetched - *board.offered);
        booting.push_back(*board.up - board.powered.value_or(Duration{}));
    }
    if (out.up == out.boards && out.boards > 0) out.last_up = last;
    out.waiting = percentiles(std::move(waiting));
    out.fetching = percentiles(std::move(fetching));
    out.booting = percentiles(std::move(booting));
    out.link_use = share(result.link_busy, result.elapsed);
    out.link_use_while_waiting = share(result.link_busy_meanwhile, result.waited_for_admission);
    out.waiting_most = result.waiting_most;
    out.retransmissions = result.retransmissions;
    return out;
}

std::optional<Duration> Comparison::bound() const {
    if (!with_admission || link_bits_per_second == 0) return std::nullopt;
    const double carrying = static_cast<double>(with_admission->bytes) * 8.0 /
                            static_cast<double>(link_bits_per_second);
    return one_boot + Duration(static_cast<Duration::rep>(carrying * 1e9));
}

std::string render(const Comparison& comparison) {
    std::string out = fmt::format("{:<38}", "");
    if (comparison.with_admission) out += fmt::format("{:<30}", "with admission");
    if (comparison.without_admission) out += "without";
    out += "\n";
    add_row(out, "all boards up after", comparison, [&](const Summary& one) {
        if (one.last_up) return in_seconds(*one.last_up);
        return fmt::format("not within {}", in_seconds(comparison.without_ended_after));
    });
    add_row(out, "boards up", comparison, [](const Summary& one) {
        return fmt::format("{} of {}", one.up, one.boards);
    });
    add_row(out, "boards that gave up on a file", comparison, [](const Summary& one) {
        return one.gave_up == 0
                   ? std::string("none")
                   : fmt::format("{}, {} times together", one.gave_up, one.file_timeouts);
    });
    add_row(out, "waiting for an offer, p50/p99/max", comparison, [](const Summary& one) {
        return four(one.waiting);
    });
    add_row(out, "fetching files, p50/p99/max", comparison, [](const Summary& one) {
        return four(one.fetching);
    });
    add_row(out, "from power to up, p50/p99/max", comparison, [](const Summary& one) {
        return four(one.booting);
    });
    add_row(out, "use of the link", comparison, [](const Summary& one) {
        return fmt::format("{:.0f} %", 100 * one.link_use);
    });
    add_row(out, "  while boards waited for admission", comparison, [](const Summary& one) {
        return one.waiting_most == 0
                   ? std::string("nobody waited")
                   : fmt::format(
                         "{:.0f} %, {} at most", 100 * one.link_use_while_waiting, one.waiting_most
                     );
    });
    out += fmt::format(
        "\nA board that has the link for itself is up within {}.", in_seconds(comparison.one_boot)
    );
    const auto bound = comparison.bound();
    if (bound && comparison.with_admission->last_up) {
        out += fmt::format(
            " No way of serving could have all up before {} (bytes ÷ link + one\nboot); with "
            "admission they need {:.2f} times that.",
            in_seconds(*bound),
            seconds(*comparison.with_admission->last_up) / seconds(*bound)
        );
    }
    return out + "\n";
}

std::string render_json(const Comparison& comparison) {
    json::object out{
        {"link_bits_per_second", comparison.link_bits_per_second},
        {"one_boot_s", seconds(comparison.one_boot)},
        {"bound_s", nullptr},
        {"with_admission", nullptr},
        {"without_admission", nullptr}};
    if (const auto bound = comparison.bound()) out["bound_s"] = seconds(*bound);
    if (comparison.with_admission) out["with_admission"] = object_of(*comparison.with_admission);
    if (comparison.without_admission) {
        out["without_admission"] = object_of(*comparison.without_admission);
        out["without_admission"].as_object()["ended_after_s"] =
            seconds(comparison.without_ended_after);
    }
    return json::serialize(out) + "\n";
}

}  // namespace bramble::massboot
