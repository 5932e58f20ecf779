// Which rule gave each line of a board's config.txt and each word of its cmdline.txt. It refuses to
// make the texts: it finds the fleet file's words in what was published.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"

namespace bramble::program {

struct OriginLine {
    std::string text;
    std::string from;   // "profile 'lab'", "image 'lite'", "Bramble"
    std::string where;  // "fleet.yaml:12"; empty: no file says so

    friend bool operator==(const OriginLine&, const OriginLine&) = default;
};

std::vector<OriginLine> origins_of_config_txt(
    const fleet::Fleet& fleet, const fleet::Board& board, std::string_view text
);
std::vector<OriginLine> origins_of_cmdline_txt(
    const fleet::Fleet& fleet, const fleet::Board& board, std::string_view text
);

// "lab.yaml:12", of the file and line alone.
std::string file_and_line(const fleet::Fleet& fleet, const fleet::SourceLocation& where);

}  // namespace bramble::program
