// An image record as JSON. It refuses to know where it lies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "provisioning/plan/observed.hpp"

namespace bramble::store {

// A longer one is not written, and counts as unreadable.
inline constexpr std::uint64_t image_record_bytes_max = 64U << 20U;

std::string write_image_record(const plan::ImageRecord& record);

// None for anything that write_image_record of this version would not have written: the image is
// then made again, which costs time and nothing else.
std::optional<plan::ImageRecord> parse_image_record(std::string_view json);

}  // namespace bramble::store
