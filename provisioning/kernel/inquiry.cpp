#include "provisioning/kernel/inquiry.hpp"

#include <fmt/format.h>

#include "provisioning/kernel/recipe.hpp"

namespace bramble::kernel {
namespace {

// The first line of what `program --version` says.
Result<std::string> version_of(host::Host& host, const std::string& program) {
    host::Command command;
    command.argv = {program, "--version"};
    command.limit = Inquiry::answer_max;
    const auto outcome = run_or_fail(host, command);
    if (!outcome) return tl::unexpected(outcome.error());
    std::string line = outcome->output.substr(0, outcome->output.find('\n'));
    if (line.empty()) return fail(fmt::format("{} --version says nothing", program));
    return line;
}

}  // namespace

void Inquiry::assume(fleet::KernelArch arch, std::string compiler) {
    compilers_.insert_or_assign(arch, std::move(compiler));
}

Result<std::string> Inquiry::compiler(fleet::KernelArch arch) {
    const auto known = compilers_.find(arch);
    if (known != compilers_.end()) return known->second;
    return compilers_.emplace(arch, ask(arch)).first->second;
}

Result<std::string> Inquiry::ask(fleet::KernelArch arch) const {
    const std::string prefix(architecture_of(arch).prefix);
    if (!host_.has_program(prefix + "gcc")) return "";
    const auto compiler = version_of(host_, prefix + "gcc");
    if (!compiler) return compiler;
    const auto linker = version_of(host_, prefix + "ld");
    if (!linker) return linker;
    return fmt::format("{}, {}", *compiler, *linker);
}

}  // namespace bramble::kernel
