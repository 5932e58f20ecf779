// What a step will take, in time and in space of the store, as far as anything is known: what the
// same one took here before, else what was measured of its kind. It refuses to promise.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/types/time_point.hpp"
#include "provisioning/plan/observed.hpp"
#include "provisioning/plan/step_kind.hpp"

namespace bramble::plan {

struct Estimate {
    std::optional<Duration> time{};        // by itself; none: not known
    std::optional<std::uint64_t> bytes{};  // that the store has more afterwards, at the most

    friend bool operator==(const Estimate&, const Estimate&) = default;
};

// Of all steps together.
struct Total {
    Duration time{};                     // of those that are known, on all processors
    std::uint64_t bytes = 0;             // likewise
    std::vector<std::size_t> unknown{};  // indices of the others
    std::optional<std::uint64_t> free_bytes{};
    unsigned processors = 1;

    bool fits() const { return !free_bytes || bytes <= *free_bytes; }
};

// Asked for each step in the order of the plan: the roots that earlier ones will make are
// remembered for those that copy them.
class Estimator {
public:
    Estimator(const fleet::Fleet& fleet, const Observed& observed);

    Estimate ingest(const fleet::Image& image, const Digest& key);
    Estimate customize(const std::string& image, const Digest& source, const Digest& key);
    Estimate build(const std::string& kernel) const;
    // `source`: of the image that it is laid over; none: the kernel alone.
    Estimate install(
        const std::string& kernel, const std::optional<Digest>& source, const Digest& key
    );
    Estimate store_file(std::uint64_t bytes) const;
    Estimate make_initramfs() const;
    // Of a root by `kind`, of the base root of that name.
    Estimate copy_root(fleet::CopyOnWrite kind, const std::string& base) const;
    Estimate write_over_nfs(const std::string& base) const;

private:
    std::optional<std::uint64_t> root_bytes(const std::string& base) const;
    bool is_package(const std::string& kernel) const;
    const ImageRecord* before(const std::string& made_by) const;

    const fleet::Fleet& fleet_;
    const Observed& observed_;
    std::map<std::string, std::uint64_t> root_bytes_;  // base root -> what it occupies
};

// "some 2m 30s, 1.1 GB", "some 40 s"; empty: nothing is known, or less than a second and a
// megabyte.
std::string describe(const Estimate& estimate);

// One line without its end: of all steps together, and of the space that is free.
std::string describe(const Total& total);

}  // namespace bramble::plan
