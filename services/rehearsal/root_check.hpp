// What a kernel and its first program would find in a root: init, the kernel's modules, what fstab
// wants. It refuses to know how the root is looked at.
#pragma once

#include <string>
#include <string_view>

#include "services/rehearsal/evidence.hpp"
#include "services/rehearsal/report.hpp"

namespace bramble::rehearsal {

inline constexpr unsigned links_max = 40;  // of one path, as in Linux (MAXSYMLINKS)
inline constexpr std::size_t fstab_lines_max = 1000;

// Where `path` leads inside the root, links followed as the board would follow them; nothing: it
// leads nowhere. Errors: a circle of links, the server's.
[[nodiscard]] Result<std::optional<std::string>> follow(RootTree& root, std::string_view path);

// `cmdline`: the kernel's whole line; `release`: the kernel's, empty where it is not known.
void check_root(
    RootTree& root, std::string_view cmdline, const std::string& release, Report& report
);

// Whether the first program that `cmdline` names (else /sbin/init) is there and may be executed;
// where it is, links followed. None: it was told why not.
std::optional<std::string> check_init(RootTree& root, std::string_view cmdline, Report& report);

// Whether the modules of this release are there. `stops`: how bad it is where they are not.
void check_modules(RootTree& root, const std::string& release, bool stops, Report& report);

// The lines of an fstab that wait for a disk which a board without a card does not have.
void check_fstab(std::string_view text, Report& report);

}  // namespace bramble::rehearsal
