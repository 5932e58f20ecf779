#include "provisioning/plan/estimate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/types/text.hpp"
#include "provisioning/plan/copy_on_write.hpp"

namespace bramble::plan {
namespace {

using fleet::CopyOnWrite;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double gigabyte = 1e9;
constexpr std::size_t unknown_named_max = 4;

// Archives and compressed images: what becomes of each byte, and how long it takes for each GB that
// comes out. Ratios are those of Raspberry Pi OS Lite; times are of two cores and a disk in use.
struct Packing {
    std::string_view suffix;
    double ratio;
    double seconds_per_gigabyte;
};

constexpr Packing packings[] = {
    {".xz", 4.5, 26},
    {".bz2", 3.5, 50},
    {".zst", 4, 14},
    {".gz", 3.3, 18},
    {".tgz", 3.3, 18},
    {".zip", 3.3, 18},
};
constexpr Packing unpacked = {"", 1, 12};

// A minimal system, its packages fetched and set up under emulation.
constexpr Estimate debian_suite = {seconds(150), std::uint64_t{350'000'000}};

constexpr double nas_seconds_per_gigabyte = 10;    // a link of 1 Gb/s
constexpr double store_seconds_per_gigabyte = 10;  // a file hashed, copied and synced
constexpr Estimate one_initramfs = {seconds(3), std::uint64_t{15'000'000}};

Estimate by_size(std::uint64_t bytes, double seconds_per_gigabyte) {
    return {seconds_of(static_cast<double>(bytes) / gigabyte * seconds_per_gigabyte), bytes};
}

const Packing& packing_of(std::string_view location) {
    const auto* found =
        std::find_if(std::begin(packings), std::end(packings), [&](const Packing& packing) {
            return location.ends_with(packing.suffix);
        });
    return found == std::end(packings) ? unpacked : *found;
}

std::string joined(const std::vector<std::size_t>& steps) {
    if (steps.size() > unknown_named_max) return fmt::format("{} steps", steps.size());
    std::vector<std::size_t> numbers;
    for (const std::size_t step : steps) numbers.push_back(step + 1);
    return fmt::format("{} {}", numbers.size() == 1 ? "step" : "steps", fmt::join(numbers, ", "));
}

}  // namespace

Estimator::Estimator(const fleet::Fleet& fleet, const Observed& observed)
    : fleet_(fleet), observed_(observed) {
    for (const auto& [key, record] : observed.images) {
        if (record.root_bytes != 0) root_bytes_[root_name(key)] = record.root_bytes;
    }
}

// Of several the one that took longest.
const ImageRecord* Estimator::before(const std::string& made_by) const {
    const ImageRecord* longest = nullptr;
    for (const auto& [key, record] : observed_.images) {
        if (record.made_by != made_by) continue;
        if (longest == nullptr || record.took_ms > longest->took_ms) longest = &record;
    }
    return longest;
}

std::optional<std::uint64_t> Estimator::root_bytes(const std::string& base) const {
    const auto found = root_bytes_.find(base);
    if (found == root_bytes_.end()) return std::nullopt;
    return found->second;
}

Estimate Estimator::ingest(const fleet::Image& image, const Digest& key) {
    Estimate estimate;
    const ImageRecord* last = before(made_by(StepKind::ingest_image, image.name));
    const auto source = observed_.source_bytes.find(image.name);
    if (last != nullptr) {
        estimate = {milliseconds(last->took_ms), last->root_bytes};
    } else if (const auto* debian = std::get_if<fleet::DebianSource>(&image.source)) {
        if (debian->packages.empty()) estimate = debian_suite;
    } else if (source != observed_.source_bytes.end()) {
        const auto* file = std::get_if<fleet::FileSource>(&image.source);
        const Packing& packing = file == nullptr ? unpacked : packing_of(file->location);
        const double bytes = static_cast<double>(source->second) * packing.ratio;
        estimate = by_size(static_cast<std::uint64_t>(bytes), packing.seconds_per_gigabyte);
    }
    if (estimate.bytes) root_bytes_[root_name(key)] = *estimate.bytes;
    return estimate;
}

// It begins with a copy; what its commands take is known when they have run once.
Estimate Estimator::customize(const std::string& image, const Digest& source, const Digest& key) {
    Estimate estimate{{}, root_bytes(root_name(source))};
    const ImageRecord* last = before(made_by(StepKind::customize_image, image));
    if (last != nullptr) estimate = {milliseconds(last->took_ms), last->root_bytes};
    if (estimate.bytes) root_bytes_[root_name(key)] = *estimate.bytes;
    return estimate;
}

bool Estimator::is_package(const std::string& kernel) const {
    const fleet::Kernel* known = fleet_.find_kernel(kernel);
    return known != nullptr && std::holds_alternative<fleet::DebSource>(known->source);
}

// As the same kernel took before; a first one as the longest of those that were built here.
Estimate Estimator::build(const std::string& kernel) const {
    const KernelRecord* longest = nullptr;
    for (const auto& [key, record] : observed_.built_kernels) {
        if (record.took_s == 0) continue;
        // A package is unpacked, sources are built: one says nothing of the other.
        if (record.name != kernel && (record.steps != 0) == is_package(kernel)) continue;
        const auto rank = [&](const KernelRecord& one) {
            return std::pair(one.name == kernel, one.took_s);
        };
        if (longest == nullptr || rank(record) > rank(*longest)) longest = &record;
    }
    if (longest == nullptr) return {};
    return {seconds(longest->took_s), std::nullopt};
}

Estimate Estimator::install(
    const std::string& kernel, const std::optional<Digest>& source, const Digest& key
) {
    const ImageRecord* last = before(made_by(StepKind::install_kernel, kernel));
    const auto copied = source ? root_bytes(root_name(*source)) : std::uint64_t{0};
    if (last == nullptr && !copied) return {};
    const std::uint64_t bytes = last != nullptr ? last->root_bytes : *copied;
    root_bytes_[root_name(key)] = bytes;
    if (last != nullptr) return {milliseconds(last->took_ms), bytes};
    const bool shares = can_reflink(observed_.filesystem);
    const CopyCost cost = cost_of(shares ? CopyOnWrite::reflink : CopyOnWrite::copy);
    return by_size(bytes, cost.seconds_per_gigabyte);
}

Estimate Estimator::store_file(std::uint64_t bytes) const {
    return by_size(bytes, store_seconds_per_gigabyte);
}

Estimate Estimator::make_initramfs() const {
    return one_initramfs;
}

Estimate Estimator::copy_root(CopyOnWrite kind, const std::string& base) const {
    const CopyCost cost = cost_of(kind);
    const auto bytes = root_bytes(base);
    if (!bytes && cost.seconds_per_gigabyte > 0) return {};
    const double gigabytes = static_cast<double>(bytes.value_or(0)) / gigabyte;
    return {
        seconds_of(cost.seconds + cost.seconds_per_gigabyte * gigabytes),
        static_cast<std::uint64_t>(cost.bytes + cost.bytes_per_gigabyte * gigabytes)};
}

// The space is the other machine's.
Estimate Estimator::write_over_nfs(const std::string& base) const {
    const auto bytes = root_bytes(base);
    if (!bytes) return {};
    return {by_size(*bytes, nas_seconds_per_gigabyte).time, std::uint64_t{0}};
}

std::string describe(const Estimate& estimate) {
    std::string text;
    if (estimate.time && *estimate.time >= seconds(1))
        text = "some " + describe_roughly(*estimate.time);
    if (estimate.bytes && *estimate.bytes >= 1'000'000) {
        text += (text.empty() ? "" : ", ") + describe_bytes(*estimate.bytes);
    }
    return text;
}

std::string describe(const Total& total) {
    std::string text;
    if (total.time >= seconds(1) || total.bytes >= 1'000'000) {
        text = fmt::format(
            "all of it: some {} on {} processor{}, and {}",
            describe_roughly(total.time),
            total.processors,
            total.processors == 1 ? "" : "s",
            describe_bytes(total.bytes)
        );
        if (total.free_bytes) {
            text += fmt::format(" of the {} that are free", describe_bytes(*total.free_bytes));
        }
    }
    if (total.unknown.empty()) return text;
    return fmt::format(
        "{}{} {} not known yet",
        text.empty() ? "how long " : text + "; how long ",
        joined(total.unknown),
        total.unknown.size() == 1 ? "takes is" : "take is"
    );
}

}  // namespace bramble::plan
