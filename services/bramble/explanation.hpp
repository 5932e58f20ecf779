// What a board will get and which line of the fleet file says so: every option of its DHCP reply,
// every file, its root. It refuses to know stores and servers: it is given what they have.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "services/rehearsal/dhcp_answers.hpp"

namespace bramble::program {

// Borrows everything; lives for one page of text.
struct Explained {
    const fleet::Fleet& fleet;
    const layout::Manifest& manifest;
    const fleet::Board& board;
    const layout::BoardEntry& entry;
    const rehearsal::DhcpAnswers& dhcp;
};

std::string render_explanation(const Explained& explained);
std::string render_explanation_json(const Explained& explained);

// By name, serial or MAC, as an operator has it on a label or in a log.
const fleet::Board* find_by_any_name(const fleet::Fleet& fleet, std::string_view word);

// What becomes of a board that the fleet does not know: "its firmware gets no offer …".
std::string explain_stranger(const fleet::Fleet& fleet);

}  // namespace bramble::program
