// The machine's own package sources as lines for another Debian suite: labs have mirrors, so no
// host is written into the program. It refuses to know apt and files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bramble::image {

// sources.list(5) lines for `suite`, from what `apt-get indextargets --format` prints for
// `indextargets_format`, on a machine whose own suite is `own_suite` ("bookworm"; empty: not
// Debian). Repositories of others than Debian are left out, as are backports; updates and security
// come along. Empty: the machine has no Debian sources.
std::vector<std::string> debian_sources(
    std::string_view indextargets, std::string_view own_suite, std::string_view suite
);

inline constexpr std::string_view indextargets_format =
    "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)|$(SOURCESENTRY)";

}  // namespace bramble::image
