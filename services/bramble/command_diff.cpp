#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "config/layout/store_paths.hpp"
#include "provisioning/host/real_host.hpp"
#include "provisioning/plan/comparison.hpp"
#include "provisioning/plan/generations_text.hpp"
#include "provisioning/store/store.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

Exit diff(const Invocation& invocation, const std::vector<std::uint64_t>& asked) {
    auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    host::RealHost host;
    const store::Store store(host, layout::StorePaths(loaded->fleet.appliance.store));
    const auto there = store.generations();
    if (!there) return print_error(there.error().message, Exit::machine);
    std::vector<std::uint64_t> numbers = asked;
    if (numbers.size() < 2) {
        const auto current = store.current_number();
        if (!current) return print_error(current.error().message, Exit::machine);
        if (!*current) return print_error("nothing is published yet", Exit::no);
        if (numbers.empty()) {
            const auto place = std::lower_bound(there->begin(), there->end(), **current);
            if (place == there->begin()) {
                return print_error(
                    fmt::format(
                        "generation {} is the oldest: nothing to compare it with", **current
                    ),
                    Exit::no
                );
            }
            numbers.push_back(*std::prev(place));
        }
        numbers.push_back(**current);
    }
    std::vector<layout::Manifest> manifests;
    for (const std::uint64_t number : numbers) {
        if (!std::binary_search(there->begin(), there->end(), number)) {
            return print_error(
                fmt::format("there is no generation {}; there is {}", number, plan::ranges(*there)),
                Exit::no
            );
        }
        auto manifest = store.generation(number);
        if (!manifest) return print_error(manifest.error().message, Exit::machine);
        manifests.push_back(std::move(*manifest));
    }
    const plan::Comparison comparison = plan::compare(manifests.front(), manifests.back());
    print_result(invocation.json ? plan::render_json(comparison) : plan::render(comparison));
    return Exit::done;
}

}  // namespace

void add_diff(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "diff", "Compare two generations: files, text lines, kernel and root of every board"
    );
    command->footer(
        "Examples:\n"
        "  bramble diff             the current one with the one before it\n"
        "  bramble diff 6           6 with the current one\n"
        "  bramble diff 6 7\n"
        "  bramble diff 6 7 --json | jq -r '.boards[].name'\n"
        "\n"
        "Boards that changed in the same way are told once; BOARD stands for the name of each.\n"
        "Exit code 0 whether something differs or not."
    );
    auto numbers = std::make_shared<std::vector<std::uint64_t>>();
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object: profiles, boards, what was and became");
    command
        ->add_option("generation", *numbers, "None, one or two numbers; see `bramble generations`")
        ->type_name("N")
        ->expected(0, 2);
    command->callback([&invocation, numbers] { invocation.exit = diff(invocation, *numbers); });
}

}  // namespace bramble::program
