// Why something is to be made anew, in words: what it is given now, compared with what the one that
// is most alike was given. It refuses to decide whether it is.
#pragma once

#include <map>
#include <string>

#include "provisioning/plan/observed.hpp"

namespace bramble::plan {

// `now` by made_by, as observed. Empty: it was never made, or nothing changed that has a name.
std::string changes_since(
    const std::map<Digest, ImageRecord>& made,
    const std::map<std::string, Inputs>& now,
    const std::string& made_by
);
std::string changes_since(
    const std::map<Digest, KernelRecord>& made,
    const std::map<std::string, Inputs>& now,
    const std::string& made_by
);

}  // namespace bramble::plan
