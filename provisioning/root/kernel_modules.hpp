// Which kernel modules an early userspace needs and in what order they load, worked out from the
// text of modules.dep. It refuses to know files, archives and what the modules are good for.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"

namespace bramble::root {

// modules.dep and modules.builtin of one kernel (depmod(8)): for each module its path below
// lib/modules/RELEASE and the paths of what it needs. Names treat '-' and '_' alike, as modprobe
// does.
class KernelModules {
public:
    static constexpr std::size_t modules_max = 20000;

    // Errors: a line that is not "path: path…", an absolute path or one with "..", a dependency
    // that has no line of its own, more than `modules_max` lines.
    [[nodiscard]] static Result<KernelModules> parse(
        std::string_view modules_dep, std::string_view modules_builtin
    );

    bool has_module(std::string_view name) const;
    bool has_builtin(std::string_view name) const;

    struct Selection {
        std::vector<std::string> load_order;  // paths, each after all that it needs
        std::vector<std::string> absent;      // asked for; neither a module nor built in
    };

    // The modules asked for with everything that they need. Errors: a circle of dependencies.
    [[nodiscard]] Result<Selection> select(std::span<const std::string_view> names) const;

private:
    struct Module {
        std::string path;
        std::vector<std::string> needs;  // names
    };

    [[nodiscard]] Result<void> visit(
        const std::string& name, std::map<std::string, bool>& finished, Selection& selection
    ) const;

    std::map<std::string, Module, std::less<>> modules_;
    std::set<std::string, std::less<>> builtin_;
};

// "kernel/drivers/net/phy/mdio-bcm-unimac.ko.xz" -> "mdio_bcm_unimac".
std::string module_name(std::string_view path);

}  // namespace bramble::root
