// Carries out what the page asks to change, for whoever has the operator's token, and says so in
// the log. It refuses to know how the request came, and whatever is not one of the three changes.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "services/web/operation.hpp"

namespace bramble::program {

class Operating {
public:
    Operating(std::filesystem::path fleet_file, std::filesystem::path token_file)
        : fleet_file_(std::move(fleet_file)), token_file_(std::move(token_file)) {}

    // Blocks while it works. The token is read anew each time: who replaces it has replaced it.
    web::Outcome carry_out(const web::Asked& asked) const;

private:
    std::filesystem::path fleet_file_;
    std::filesystem::path token_file_;
};

}  // namespace bramble::program
