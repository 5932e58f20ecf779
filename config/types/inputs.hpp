// What something is made of, by the names that people use for it, so that a change of it can be
// told. It refuses to be a key: those cover more than can be named.
#pragma once

#include <map>
#include <string>

namespace bramble {

// "package vim" -> "", "option DM_VERITY" -> "y", "file /etc/motd" -> a digest of it.
using Inputs = std::map<std::string, std::string>;

// "package vim is new, option DM_VERITY is n (was y), file /etc/motd changed and 2 more"; empty:
// nothing that has a name. Values longer than 32 characters are not shown.
std::string describe_changes(const Inputs& before, const Inputs& now);

// As records can hold them: what is no printable ASCII as '?'.
Inputs in_ascii(const Inputs& inputs);

// In how many names the two differ.
std::size_t count_changes(const Inputs& before, const Inputs& now);

}  // namespace bramble
