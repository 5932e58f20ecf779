#include "tests/support/virtual_fleet/names.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>

namespace bramble::virtual_fleet {

namespace {

using virtual_board::Family;

RevisionCode revision_of(const virtual_board::Profile& profile) {
    switch (profile.family) {
        case Family::pi3:
            return RevisionCode(0xa020d3);
        case Family::pi5:
            return RevisionCode(0xd04170);
        case Family::pi4:
            break;
    }
    return RevisionCode(0xc03112);
}

}  // namespace

Result<BoardName> parse_board(std::string_view text) {
    std::array<std::string_view, 4> parts{"", "", "", "pi4-2023"};
    std::size_t count = 0;
    for (std::string_view rest = text; count < parts.size(); ++count) {
        const auto comma = rest.find(',');
        parts[count] = rest.substr(0, comma);
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    const auto serial = Serial::parse(parts[1]);
    const auto mac = MacAddress::parse(parts[2]);
    const auto profile = virtual_board::find_profile(parts[3]);
    if (!serial || !mac || !profile || parts[0].empty()) {
        return fail(fmt::format(
            "'{}' is no board: write NAME,SERIAL,MAC[,PROFILE], for example "
            "pi-01,10000001,dc:a6:32:00:00:01,pi4-2023",
            text
        ));
    }
    BoardName board;
    board.name = parts[0];
    board.spec.serial = *serial;
    board.spec.mac = *mac;
    board.spec.profile = *profile;
    board.spec.revision = revision_of(*profile);
    board.spec.hostname = board.name;
    return board;
}

std::string to_json(const std::vector<BoardReport>& reports) {
    boost::json::array all;
    for (const BoardReport& report : reports) {
        all.push_back(boost::json::object{
            {"name", report.name},
            {"serial", report.serial},
            {"mac", report.mac},
            {"profile", report.profile},
            {"address", report.address},
            {"booted", report.booted},
            {"failure", report.failure},
            {"seconds", report.seconds},
            {"files", report.files},
            {"bytes", report.bytes},
            {"verified", report.verified},
            {"restarts", report.restarts},
            {"retries", report.retries},
            {"prefix", report.prefix},
            {"cmdline", report.cmdline}});
    }
    return boost::json::serialize(all);
}

}  // namespace bramble::virtual_fleet
