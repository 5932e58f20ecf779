// The subcommand `kernel`, which has subcommands of its own. It refuses to know how kernels are
// built.
#pragma once

#include "services/bramble/invocation.hpp"

namespace bramble::program {

void add_kernel(CLI::App& app, Invocation& invocation);

}  // namespace bramble::program
