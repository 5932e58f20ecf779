// The way back: an older generation becomes the current one again. It refuses to build anything:
// what that generation names is there, or it stays where it is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::apply {

struct RolledBack {
    std::uint64_t generation = 0;
    std::uint64_t from = 0;  // what was current; 0: nothing
    bool changed = false;    // false: it was current already
    bool as_fleet = true;    // whether it was made of the fleet file as it is now
    std::vector<std::string> warnings;
};

struct RollbackFailure {
    std::string message;
    bool refused = false;  // the answer is no; else the machine failed
};

// Publishes generation `number` (none: the newest one before the current) by the rename of an
// apply, after its roots were exported again to the addresses that it gives its boards. Errors: no
// such generation, one that is not whole any more, another change at work, the machine's; what is
// published stays so.
[[nodiscard]] Result<RolledBack, RollbackFailure> roll_back(
    const fleet::Fleet& fleet, std::optional<std::uint64_t> number, host::Host& host
);

}  // namespace bramble::apply
