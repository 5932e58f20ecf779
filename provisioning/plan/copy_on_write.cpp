#include "provisioning/plan/copy_on_write.hpp"

#include <fmt/format.h>

#include "config/types/text.hpp"
#include "config/types/time_point.hpp"

namespace bramble::plan {
namespace {

using fleet::CopyOnWrite;

bool exported_elsewhere(const fleet::Fleet& fleet) {
    return std::holds_alternative<fleet::NfsExternal>(fleet.appliance.nfs);
}

std::string words_for(CopyOnWrite kind) {
    const CopyCost cost = cost_of(kind);
    const std::string each = describe_roughly(seconds_of(cost.seconds));
    const std::string gigabyte = describe_roughly(seconds_of(cost.seconds_per_gigabyte));
    constexpr std::string_view no_boundary =
        "all in one filesystem, where a board's forged file handle leads into another's root";
    switch (kind) {
        case CopyOnWrite::btrfs:
            return fmt::format(
                "nothing is copied: some {} each, and space for what a board writes", each
            );
        case CopyOnWrite::overlay:
            return fmt::format(
                "nothing is copied: some {} each, and space for files that a board changes", each
            );
        case CopyOnWrite::reflink:
            return fmt::format(
                "blocks are shared, names are not: some {} and {} for each GB of base; {}",
                gigabyte,
                describe_bytes(static_cast<std::uint64_t>(cost.bytes_per_gigabyte)),
                no_boundary
            );
        case CopyOnWrite::copy:
        case CopyOnWrite::automatic:
            break;
    }
    return fmt::format(
        "each takes the whole space of its base, and some {} for each GB; {}", gigabyte, no_boundary
    );
}

std::string why_no_overlay(const fleet::Fleet& fleet, const Observed& observed) {
    if (exported_elsewhere(fleet)) {
        return "another machine exports the store (nfs: external) and would not see mounts made "
               "here";
    }
    if (!observed.overlay_problem.empty()) return observed.overlay_problem;
    return fmt::format("the store is on {}", observed.filesystem);
}

}  // namespace

bool can_reflink(std::string_view filesystem) {
    return filesystem == "xfs" || filesystem == "btrfs";
}

CopyCost cost_of(CopyOnWrite kind) {
    switch (kind) {
        case CopyOnWrite::btrfs:
            return {0.07, 0.3e6, 0, 0};
        case CopyOnWrite::overlay:
            return {0.02, 0.12e6, 0, 0};
        case CopyOnWrite::reflink:
            return {0.05, 0.1e6, 1.4, 23e6};
        case CopyOnWrite::copy:
        case CopyOnWrite::automatic:
            break;
    }
    return {0.05, 0.1e6, 5, 1e9};
}

CopyOnWrite copy_on_write_of(
    const fleet::Fleet& fleet, const fleet::Profile& profile, const Observed& observed
) {
    const CopyOnWrite wish = profile.root.copy_on_write;
    if (wish != CopyOnWrite::automatic) return wish;
    const bool mounts = !exported_elsewhere(fleet);
    if (observed.filesystem == "btrfs" && mounts) return CopyOnWrite::btrfs;
    if (can_reflink(observed.filesystem)) return CopyOnWrite::reflink;
    const bool overlays = observed.filesystem == "ext4" && observed.overlay_problem.empty();
    return overlays && mounts ? CopyOnWrite::overlay : CopyOnWrite::copy;
}

std::vector<Problem> copy_on_write_problems(
    const fleet::Fleet& fleet, const fleet::Profile& profile, const Observed& observed
) {
    std::vector<Problem> problems;
    const auto refuse = [&](const std::string& what) {
        problems.push_back(
            {profile.where, fmt::format("profile '{}': {}", profile.name, what), true}
        );
    };
    const std::string& filesystem = observed.filesystem;
    const CopyOnWrite wish = profile.root.copy_on_write;
    const bool mounted = wish == CopyOnWrite::btrfs || wish == CopyOnWrite::overlay;
    if (mounted && exported_elsewhere(fleet)) {
        refuse(
            "copy_on_write: btrfs and overlay make mounts of this machine, which the machine of "
            "nfs: external does not see: leave copy_on_write out"
        );
    } else if (wish == CopyOnWrite::overlay && !observed.overlay_problem.empty()) {
        refuse(fmt::format(
            "copy_on_write: overlay: {}; leave copy_on_write out to have the first kind that works",
            observed.overlay_problem
        ));
    }
    if (filesystem.empty()) return problems;
    if (wish == CopyOnWrite::btrfs && filesystem != "btrfs") {
        refuse(fmt::format(
            "copy_on_write: btrfs needs the store on btrfs, and it is on {}: put it there, or "
            "leave copy_on_write out",
            filesystem
        ));
    }
    if (wish == CopyOnWrite::reflink && !can_reflink(filesystem)) {
        refuse(fmt::format(
            "copy_on_write: reflink needs the store on xfs or btrfs, and it is on {}: put it "
            "on one of them, or leave copy_on_write out",
            filesystem
        ));
    }
    return problems;
}

std::string_view name_of(CopyOnWrite kind) {
    switch (kind) {
        case CopyOnWrite::automatic:
            return "auto";
        case CopyOnWrite::btrfs:
            return "btrfs snapshot";
        case CopyOnWrite::reflink:
            return "reflink";
        case CopyOnWrite::overlay:
            return "overlayfs";
        case CopyOnWrite::copy:
            break;
    }
    return "plain copy";
}

std::string describe_roots(
    CopyOnWrite kind, std::size_t count, const fleet::Fleet& fleet, const Observed& observed
) {
    std::string text = fmt::format(
        "{} root{} by {}: {}", count, count == 1 ? "" : "s", name_of(kind), words_for(kind)
    );
    if (kind == CopyOnWrite::copy && !observed.filesystem.empty()) {
        text += fmt::format(" (no overlayfs: {})", why_no_overlay(fleet, observed));
    }
    return text;
}

}  // namespace bramble::plan
