// The fleet file, described: every key with its type and what it is for. The parser and the JSON
// Schema both come from here. It refuses to know how one part must fit another.
#pragma once

#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/yaml/type.hpp"

namespace bramble::yaml {

// One entry of `include:`.
struct Include {
    fleet::SourceLocation at;
    std::string pattern;
};

// What the files read so far say, joined.
struct Draft {
    fleet::Fleet fleet;
    bool has_appliance = false;
    std::vector<Include> includes;  // of the file being read
};

const Type<Draft>& fleet_file();

// Its parts.
Type<fleet::Appliance> appliance_type();
Type<fleet::Image> image_type();
Type<fleet::Kernel> kernel_type();
Type<fleet::Profile> profile_type();
Type<fleet::Board> board_type();

// What several of them share.
Type<fleet::User> user_type();
Type<fleet::Customization> customize_type();
Type<std::string> package_type();
Type<BoardModel> model_type();
Type<std::vector<std::string>> cmdline_type();
Type<std::vector<fleet::ConfigEntry>> config_txt_type();
Type<std::string> group_type();

}  // namespace bramble::yaml
