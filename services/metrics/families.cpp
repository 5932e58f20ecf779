#include "services/metrics/families.hpp"

#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

namespace bramble::metrics {

using prometheus::ClientMetric;
using prometheus::MetricType;

Families& Families::begin(std::string_view name, std::string_view help, MetricType type) {
    prometheus::MetricFamily family;
    family.name = "bramble_" + std::string(name);
    family.help = help;
    family.type = type;
    families_.push_back(std::move(family));
    return *this;
}

Families& Families::counter(std::string_view name, std::string_view help) {
    return begin(name, help, MetricType::Counter);
}

Families& Families::gauge(std::string_view name, std::string_view help) {
    return begin(name, help, MetricType::Gauge);
}

Families& Families::add(std::uint64_t value, std::vector<Label> labels) {
    return add(static_cast<double>(value), std::move(labels));
}

Families& Families::add(double value, std::vector<Label> labels) {
    ClientMetric metric;
    for (const auto& [name, text] : labels)
        metric.label.push_back({std::string(name), std::string(text)});
    metric.counter.value = value;  // the family's type says which of the two is read
    metric.gauge.value = value;
    families_.back().metric.push_back(std::move(metric));
    return *this;
}

void Families::histogram(
    std::string_view name,
    std::string_view help,
    std::span<const double> bounds,
    std::span<const std::uint64_t> counts,
    double sum
) {
    begin(name, help, MetricType::Histogram);
    ClientMetric metric;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        seen += counts[i];
        const double bound =
            i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
        metric.histogram.bucket.push_back({seen, bound});
    }
    metric.histogram.sample_count = seen;
    metric.histogram.sample_sum = sum;
    families_.back().metric.push_back(std::move(metric));
}

std::string Families::text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
}

}  // namespace bramble::metrics
