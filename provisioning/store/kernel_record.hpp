// A kernel record as JSON. It refuses to know where it lies.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "provisioning/plan/observed.hpp"

namespace bramble::store {

std::string write_kernel_record(const plan::KernelRecord& record);

// None for anything that write_kernel_record of this version would not have written: the kernel is
// then built again.
std::optional<plan::KernelRecord> parse_kernel_record(std::string_view json);

}  // namespace bramble::store
