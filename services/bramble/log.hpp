// Where log lines go and how they look: one line per event on stderr, with a priority and without a
// time where the journal stamps them itself. It refuses to know what is logged.
#pragma once

#include <spdlog/spdlog.h>

namespace bramble::program {

enum class Verbosity { quiet, normal, verbose };  // warnings; what happens; every request too

void set_up_log(Verbosity verbosity);

}  // namespace bramble::program
