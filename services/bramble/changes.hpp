// The three things that operators change beside the fleet file: a board taken in, one let go, a
// generation made current again. It refuses to know who asks: a command, or the page's helper.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "config/types/result.hpp"
#include "provisioning/apply/rollback.hpp"
#include "services/bramble/adoption.hpp"
#include "services/bramble/invocation.hpp"
#include "services/web/operation.hpp"

namespace bramble::program {

struct NotChanged {
    std::string message;
    Exit exit = Exit::machine;  // as the command ends: usage, no, machine
};

// Errors: what is not what it should be, as it was typed.
[[nodiscard]] Result<NewBoard> board_of(const web::Adopt& typed);

struct Adopted {
    std::filesystem::path file;
    std::size_t boards = 0;   // of the fleet now
    bool is_watched = false;  // a running serve sees it by itself
};

[[nodiscard]] Result<Adopted, NotChanged> adopt(
    const std::filesystem::path& fleet_file, const web::Adopt& typed
);

// What it was taken out of: "removed FILE", or that it was enrolled.
[[nodiscard]] Result<std::string, NotChanged> forget(
    const std::filesystem::path& fleet_file, const std::string& name
);

[[nodiscard]] Result<apply::RolledBack, NotChanged> roll_back(
    const std::filesystem::path& fleet_file, std::optional<std::uint64_t> number
);

// In sentences, as the commands print them.
std::string describe(const Adopted& adopted, const std::string& name);
std::string describe_forgotten(const std::string& name, const std::string& from);
std::string describe(const apply::RolledBack& done);

}  // namespace bramble::program
