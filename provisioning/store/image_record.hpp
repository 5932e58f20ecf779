// An image record as JSON. It refuses to know where it lies.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "provisioning/plan/observed.hpp"

namespace bramble::store {

std::string write_image_record(const plan::ImageRecord& record);

// None for anything that write_image_record of this version would not have written: the image is
// then made again, which costs time and nothing else.
std::optional<plan::ImageRecord> parse_image_record(std::string_view json);

}  // namespace bramble::store
