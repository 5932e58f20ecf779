#include "services/boards/surroundings.hpp"

#include <fmt/format.h>

namespace bramble::boards {

std::string ForeignServer::name() const {
    if (!mac) return address.to_string();
    return fmt::format("{} (MAC {})", address.to_string(), mac->to_string());
}

}  // namespace bramble::boards
