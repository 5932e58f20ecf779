// From root to the service's own user, keeping the two capabilities that answering boards takes. It
// refuses to bind anything itself.
#pragma once

#include <string>

#include "config/types/result.hpp"

namespace bramble::io {

bool running_as_root();

// Becomes `user` with its groups, keeps CAP_NET_BIND_SERVICE and CAP_NET_RAW, and gives up every
// way back (no_new_privs). Call it after binding, before the first thread. Errors: no such user, or
// the machine refuses; the process must then not go on.
[[nodiscard]] Result<void> become_user(const std::string& user);

}  // namespace bramble::io
