// What systemd wants to hear of a service: ready, reloading, stopping, alive. It refuses to matter
// where there is no systemd: every call is then nothing.
#pragma once

#include <optional>
#include <string>

#include "config/types/time_point.hpp"

namespace bramble::io {

class ServiceManager {
public:
    void ready(const std::string& status) const;
    void reloading() const;  // until the next ready()
    void stopping() const;
    void alive() const;  // the watchdog's sign of life

    // How often alive() is due: half of WATCHDOG_USEC; nothing when the unit has no watchdog.
    static std::optional<Duration> alive_every();
};

// Whether stderr goes to the journal, which stamps its lines itself.
bool stderr_is_journal();

}  // namespace bramble::io
