#include "services/metrics/families.hpp"

#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

namespace bramble::metrics {

using prometheus::ClientMetric;
using prometheus::MetricType;

namespace {

std::vector<ClientMetric::Label> to_labels(const std::vector<Families::Label>& labels) {
    std::vector<ClientMetric::Label> out;
    out.reserve(labels.size());
    for (const auto& [name, text] : labels) out.push_back({std::string(name), std::string(text)});
    return out;
}

}  // namespace

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
    metric.label = to_labels(labels);
    metric.counter.value = value;  // the family's type says which of the two is read
    metric.gauge.value = value;
    families_.back().metric.push_back(std::move(metric));
    return *this;
}

Families& Families::histogram(std::string_view name, std::string_view help) {
    return begin(name, help, MetricType::Histogram);
}

Families& Families::add(const Observed& observed, std::vector<Label> labels) {
    ClientMetric metric;
    metric.label = to_labels(labels);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < observed.counts.size(); ++i) {
        seen += observed.counts[i];
        const double bound = i < observed.bounds.size() ? observed.bounds[i]
                                                        : std::numeric_limits<double>::infinity();
        metric.histogram.bucket.push_back({seen, bound});
    }
    metric.histogram.sample_count = seen;
    metric.histogram.sample_sum = observed.sum;
    families_.back().metric.push_back(std::move(metric));
    return *this;
}

std::string Families::text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
}

}  // namespace bramble::metrics
