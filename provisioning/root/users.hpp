// Users of the fleet file written into a root tree: accounts, homes, keys, sudo. It refuses to know
// whether the tree is one board's or the base of many.
#pragma once

#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/types/result.hpp"
#include "provisioning/root/tree.hpp"

namespace bramble::root {

// Nothing of the root runs for it. May be repeated. Where Raspberry Pi OS would ask at its console
// who its first user is, it asks no more. Errors: see put_account; the tree's.
[[nodiscard]] Result<void> write_users(Tree& tree, const std::vector<fleet::User>& users);

// Who "user" or "user:group" is in this root, by name or number; a user alone brings its own group.
// Errors: the root does not know one of them.
[[nodiscard]] Result<host::Owner> find_owner(Tree& tree, std::string_view owner);

}  // namespace bramble::root
