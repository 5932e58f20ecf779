#include "provisioning/plan/reasons.hpp"

#include "provisioning/plan/step_kind.hpp"

namespace bramble::plan {
namespace {

std::string maker_of(const ImageRecord& record) {
    return record.made_by;
}

std::string maker_of(const KernelRecord& record) {
    return made_by(StepKind::build_kernel, record.name);
}

template <typename Record>
std::string changes(
    const std::map<Digest, Record>& made,
    const std::map<std::string, Inputs>& inputs,
    const std::string& made_by
) {
    const auto now = inputs.find(made_by);
    if (now == inputs.end()) return "";
    const Inputs* nearest = nullptr;
    for (const auto& [key, record] : made) {
        if (maker_of(record) != made_by || record.inputs.empty()) continue;
        const bool nearer = nearest == nullptr || count_changes(record.inputs, now->second) <
                                                      count_changes(*nearest, now->second);
        if (nearer) nearest = &record.inputs;
    }
    return nearest == nullptr ? "" : describe_changes(*nearest, now->second);
}

}  // namespace

std::string changes_since(
    const std::map<Digest, ImageRecord>& made,
    const std::map<std::string, Inputs>& now,
    const std::string& made_by
) {
    return changes(made, now, made_by);
}

std::string changes_since(
    const std::map<Digest, KernelRecord>& made,
    const std::map<std::string, Inputs>& now,
    const std::string& made_by
) {
    return changes(made, now, made_by);
}

}  // namespace bramble::plan
