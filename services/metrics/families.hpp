// Metric families as this program makes them: a few calls each. The only header behind which
// prometheus-cpp lies; it refuses to know where the numbers come from.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bramble::metrics {

class Families {
public:
    using Label = std::pair<std::string_view, std::string_view>;  // name, value

    // Each begins a family; what follows by add() belongs to it. A counter's name ends with _total.
    Families& counter(std::string_view name, std::string_view help);
    Families& gauge(std::string_view name, std::string_view help);

    Families& add(std::uint64_t value, std::vector<Label> labels = {});
    Families& add(double value, std::vector<Label> labels = {});

    // What was observed, by size. `counts` has one more entry than `bounds`: what is above the last
    // one. Not cumulative.
    struct Observed {
        std::span<const double> bounds;
        std::span<const std::uint64_t> counts;
        double sum = 0;
    };

    Families& histogram(std::string_view name, std::string_view help);
    Families& add(const Observed& observed, std::vector<Label> labels = {});

    std::string text() const;

private:
    Families& begin(std::string_view name, std::string_view help, prometheus::MetricType type);

    std::vector<prometheus::MetricFamily> families_;
};

}  // namespace bramble::metrics
