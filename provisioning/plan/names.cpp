#include <fmt/format.h>

#include <algorithm>

#include "provisioning/plan/plan.hpp"

namespace bramble::plan {

std::string root_name(const Digest& key) {
    constexpr std::size_t digits = 16;
    return key.to_string().substr(0, digits);
}

std::string_view to_string(StepKind kind) {
    switch (kind) {
        case StepKind::ingest_image:
            return "ingest image";
        case StepKind::customize_image:
            return "customize image";
        case StepKind::build_kernel:
            return "build kernel";
        case StepKind::install_kernel:
            return "install kernel";
        case StepKind::store_file:
            return "store file";
        case StepKind::make_initramfs:
            return "make initramfs";
        case StepKind::write_shared_root:
            return "write shared root of";
        case StepKind::pack_identity:
            return "pack identity";
        case StepKind::copy_root:
            return "copy root";
        case StepKind::write_identity:
            return "write identity";
        case StepKind::publish:
            return "publish";
        case StepKind::export_roots:
            return "export roots";
    }
    return "";
}

std::string made_by(StepKind kind, std::string_view subject) {
    return fmt::format("{} {}", to_string(kind), subject);
}

bool Plan::refused() const {
    return std::any_of(problems.begin(), problems.end(), [](const Problem& problem) {
        return problem.fatal;
    });
}

}  // namespace bramble::plan
