// Numbers in what disks hold. It refuses to know what they mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bramble::image {

// Little endian, at a place that the caller has made sure of; `count` at most 8 bytes.
inline std::uint64_t number_at(std::string_view bytes, std::size_t offset, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;) {
        value = value << 8U | static_cast<unsigned char>(bytes.at(offset + i));
    }
    return value;
}

}  // namespace bramble::image
