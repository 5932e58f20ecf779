// Takes out of a store what no generation that stays needs. It refuses to know who asks serve which
// generations boots hold: it is told.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/nfs/nas.hpp"
#include "provisioning/plan/generations_text.hpp"
#include "provisioning/store/collection.hpp"

namespace bramble::apply {

struct CollectOptions {
    static constexpr std::size_t keep_usually = 5;

    // The newest so many stay, beside the current one and those that are in use. At least one: the
    // newest number is never free to be given twice.
    std::size_t keep = keep_usually;
    bool dry_run = false;  // only look
    // Who holds on to which generation; asked once nothing can be published any more.
    std::function<Result<std::map<std::uint64_t, plan::GenerationUse>>()> uses;
    std::function<void(std::string_view)> on_progress;
    std::stop_token stop;       // between two things that go
    nfs::NasOpener open_nas{};  // unset: nfs::Nas::open
};

struct Collected {
    store::Collection gone;
    std::vector<std::uint64_t> kept;
    std::vector<std::string> warnings;
};

// Withdraws the exports of trees that go, then removes: generations, image records, trees, base
// roots, objects. Killed anywhere it leaves a store that is whole, and the next one finishes.
// Errors: nobody knows what is in use, a generation that stays cannot be read, another change at
// work, the machine's.
[[nodiscard]] Result<Collected> collect(
    const fleet::Fleet& fleet, const CollectOptions& options, host::Host& host
);

}  // namespace bramble::apply
