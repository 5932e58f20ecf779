// A kernel's Kconfig files, read as far as it takes to say why an option did not come out as it was
// asked for: what it depends on and what selects it. It refuses to know disks; texts come from whom
// it asks.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "provisioning/kernel/configuration.hpp"
#include "provisioning/kernel/expression.hpp"

namespace bramble::kernel {

// One `config NAME` of an option; an option may have several.
struct Definition {
    std::string place;                     // "fs/verity/Kconfig:3"
    std::vector<std::string> depends;      // conditions that all have to hold
    std::optional<std::string> prompt_if;  // of its prompt; "" for a prompt without condition
};

struct Selection {
    std::string by;  // the option that selects
    std::string condition;
};

class Kconfig {
public:
    static constexpr std::size_t files_max = 5000;
    static constexpr int depth_max = 32;  // of files that name files

    // The text of a file below the sources; none: it cannot be read.
    using Reader = std::function<std::optional<std::string>(const std::string& path)>;

    // Reads "Kconfig" and all that it names, and remembers of it what is about `names`. `variables`
    // are for $(SRCARCH) and its like in the names of files. Total: what cannot be understood is
    // passed over.
    static Kconfig read(
        const Reader& reader,
        const std::set<std::string, std::less<>>& names,
        const std::map<std::string, std::string>& variables
    );

    // None: the sources have no such option.
    const std::vector<Definition>* find(std::string_view name) const;
    const std::vector<Selection>* selections(std::string_view name) const;

private:
    friend class KconfigReading;

    std::map<std::string, std::vector<Definition>, std::less<>> definitions_;
    std::map<std::string, std::vector<Selection>, std::less<>> selections_;
};

// Why `lost` is not what was asked for, as the end of a sentence: "it depends on KEYS (n)
// [fs/verity/Kconfig:38]".
std::string explain(const Lost& lost, const Kconfig& kconfig, const Options& final);

}  // namespace bramble::kernel
