#include "provisioning/root/kernel_modules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bramble::root {

namespace {

bool is_module_path(std::string_view path) {
    return !path.empty() && path.front() != '/' && path.find("..") == std::string_view::npos &&
           path.find(".ko") != std::string_view::npos;
}

// Calls `line(text)` for each line; stops at the first error.
template <typename Line>
Result<void> each_line(std::string_view text, Line line) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (auto done = line(text.substr(0, end)); !done) return done;
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return {};
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> found;
    while (true) {
        const std::size_t begin = text.find_first_not_of(" \t\r");
        if (begin == std::string_view::npos) return found;
        text.remove_prefix(begin);
        const std::size_t end = std::min(text.find_first_of(" \t\r"), text.size());
        found.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

std::string normalised(std::string_view name) {
    std::string result(name);
    std::replace(result.begin(), result.end(), '-', '_');
    return result;
}

}  // namespace

std::string module_name(std::string_view path) {
    path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
    return normalised(path.substr(0, path.find(".ko")));
}

Result<KernelModules> KernelModules::parse(
    std::string_view modules_dep, std::string_view modules_builtin
) {
    KernelModules result;
    auto read = each_line(modules_dep, [&](std::string_view line) -> Result<void> {
        const auto parts = words(line);
        if (parts.empty()) return {};
        std::string_view path = parts.front();
        if (!path.ends_with(':')) return fail(fmt::format("modules.dep: no colon in '{}'", line));
        path.remove_suffix(1);
        Module module{std::string(path), {}};
        if (!is_module_path(path)) return fail(fmt::format("modules.dep: bad path '{}'", path));
        for (const std::string_view need : std::span(parts).subspan(1)) {
            if (!is_module_path(need)) return fail(fmt::format("modules.dep: bad path '{}'", need));
            module.needs.push_back(module_name(need));
        }
        result.modules_.emplace(module_name(path), std::move(module));
        if (result.modules_.size() > modules_max)
            return fail(fmt::format("modules.dep lists more than {} modules", modules_max));
        return {};
    });
    if (!read) return tl::unexpected(read.error());

    for (const auto& [name, module] : result.modules_)
        for (const std::string& need : module.needs)
            if (!result.modules_.contains(need))
                return fail(fmt::format("modules.dep: {} needs {}, which has no line", name, need));

    read = each_line(modules_builtin, [&](std::string_view line) -> Result<void> {
        for (const std::string_view path : words(line)) result.builtin_.insert(module_name(path));
        return {};
    });
    if (!read) return tl::unexpected(read.error());
    return result;
}

bool KernelModules::has_module(std::string_view name) const {
    return modules_.contains(normalised(name));
}

bool KernelModules::has_builtin(std::string_view name) const {
    return builtin_.contains(normalised(name));
}

Result<KernelModules::Selection> KernelModules::select(std::span<const std::string_view> names
) const {
    Selection selection;
    std::map<std::string, bool> finished;
    for (const std::string_view name : names) {
        if (has_module(name)) {
            if (auto done = visit(normalised(name), finished, selection); !done)
                return tl::unexpected(done.error());
        } else if (!has_builtin(name)) {
            selection.absent.push_back(normalised(name));
        }
    }
    return selection;
}

// Depth first; `finished` is false for what is being visited. The depth is bounded by the number of
// modules, in practice below ten.
Result<void> KernelModules::visit(
    const std::string& name, std::map<std::string, bool>& finished, Selection& selection
) const {
    const auto [place, first] = finished.emplace(name, false);
    if (!first) {
        if (place->second) return {};
        return fail(fmt::format("modules.dep: {} needs itself", name));
    }
    const Module& module = modules_.at(name);
    for (const std::string& need : module.needs)
        if (auto done = visit(need, finished, selection); !done) return done;
    finished[name] = true;
    selection.load_order.push_back(module.path);
    return {};
}

}  // namespace bramble::root
