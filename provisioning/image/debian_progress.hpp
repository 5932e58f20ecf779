// What mmdebstrap and apt print, turned into a few lines for a person who waits. It refuses to know
// who runs them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bramble::image {

class DebianProgress {
public:
    // A line worth showing, at most one for each ten packages; none for the others.
    std::optional<std::string> on_line(std::string_view line);

private:
    std::size_t unpacked_ = 0;
    std::size_t set_up_ = 0;
};

}  // namespace bramble::image
