// Kconfig's expressions: conditions such as "NET && (BLOCK || !EXPERT)", evaluated against a
// configuration and taken apart where they say no. It refuses to know files and menus.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provisioning/kernel/configuration.hpp"

namespace bramble::kernel {

inline constexpr int expression_depth_max = 64;

// As kconfig counts: a condition holds as far as the weakest of its parts.
enum class Tristate { no, module, yes };

// None for what cannot be told from a configuration: a macro such as $(cc-option,…), a text that is
// no expression. Never throws, any input.
std::optional<Tristate> evaluate(std::string_view expression, const Options& options);

// The parts of a conjunction that keep it below `wanted`, each as it is written; a part that cannot
// be told is none of them.
std::vector<std::string> unmet_parts(
    std::string_view expression, const Options& options, Tristate wanted
);

// The symbols that stand in it, once each.
std::vector<std::string> symbols_in(std::string_view expression);

}  // namespace bramble::kernel
