#include "provisioning/apply/nas_removal.hpp"

#include <fmt/format.h>

#include "provisioning/apply/nas_marks.hpp"
#include "provisioning/apply/nas_owner.hpp"
#include "provisioning/apply/nas_place.hpp"

namespace bramble::apply {

using host::Path;

namespace {

Result<void> remove_from(const NasRemoval& removal, const Path& tree, const std::string& place) {
    const auto colon = place.find(":/");
    if (colon == std::string::npos) return {};
    auto nas =
        open_nas(removal.open, place.substr(0, colon), place.substr(colon + 1), removal.stop);
    if (!nas) return tl::unexpected(nas.error());
    auto claimed = claim_nas(removal.host, removal.paths, **nas, place);
    if (!claimed) return claimed;
    const Path there = on_nas(removal.paths, tree);
    const Path aside =
        there.parent_path() / (std::string(nas_leaving_prefix) + there.filename().string());
    const auto found = (*nas)->status("", there);
    if (!found) return tl::unexpected(found.error());
    // Nobody counts on it any more, then from one moment to the next it is not there under its
    // name.
    if (*found) {
        auto gone = NasMarks(removal.host, removal.paths)
                        .withdraw(tree, place)
                        .and_then([&] { return (*nas)->remove("", aside); })
                        .and_then([&] { return (*nas)->rename(there, aside); });
        if (!gone) return gone;
    }
    return (*nas)->remove("", aside);
}

}  // namespace

Result<void> remove_nas_tree(NasRemoval& removal, const Path& tree) {
    const auto places = NasMarks(removal.host, removal.paths).all_places(tree);
    if (!places) return tl::unexpected(places.error());
    for (const std::string& place : *places) {
        if (removal.given_up.contains(place)) continue;
        auto gone = remove_from(removal, tree, place);
        if (gone) continue;
        if (removal.stop.stop_requested()) return gone;
        // Of the fleet's own NAS the next run finds it again; one that was retired never answers.
        if (place == removal.present) {
            return fail(fmt::format(
                "{} (it is asked because '{}' names it)",
                gone.error().message,
                nas_mark(tree).string()
            ));
        }
        removal.given_up.insert(place);
        removal.warn(fmt::format(
            "{} is not the fleet's NAS any more and cannot be cleaned: {}; trees of this store "
            "may be left below its roots/ and boards/: remove them there by hand",
            place,
            gone.error().message
        ));
    }
    return {};
}

}  // namespace bramble::apply
