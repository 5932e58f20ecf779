#include <fmt/core.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "provisioning/apply/collect.hpp"
#include "provisioning/host/real_host.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/generation_uses.hpp"
#include "services/bramble/invocation.hpp"
#include "services/bramble/provisioning.hpp"

namespace bramble::program {
namespace {

struct GcArguments {
    std::size_t keep = apply::CollectOptions::keep_usually;
    bool dry_run = false;
};

// What the filesystem has for us: trees may share blocks, so that sums of sizes would not be true.
std::int64_t free_bytes(const std::filesystem::path& store) {
    std::error_code error;
    const auto space = std::filesystem::space(store, error);
    return error ? 0 : static_cast<std::int64_t>(space.available);
}

std::string tree_name(const store::BoardTree& tree) {
    return fmt::format("{}/root.{}", tree.board, tree.base);
}

std::string render(const apply::Collected& done, bool dry_run, std::int64_t freed) {
    std::string text;
    for (const std::string& warning : done.warnings) text += "warning: " + warning + "\n";
    for (const store::BoardTree& tree : done.gone.board_trees) {
        text += fmt::format(
            "board root {} {}, with what its board wrote there\n",
            tree_name(tree),
            dry_run ? "would go" : "is gone"
        );
    }
    text += fmt::format("kept: {}\n", plan::ranges(done.kept));
    if (done.gone.empty()) return text + "nothing to remove\n";
    text += fmt::format("{}: {}", dry_run ? "would remove" : "removed", describe(done.gone));
    if (!dry_run) {
        text += fmt::format("; {:.1f} MB are free again", static_cast<double>(freed) / 1e6);
    }
    return text + "\n";
}

std::string render_json(const apply::Collected& done, bool dry_run, std::int64_t freed) {
    namespace json = boost::json;
    json::array trees;
    for (const store::BoardTree& tree : done.gone.board_trees) {
        trees.emplace_back(tree_name(tree));
    }
    json::object written{
        {"dry_run", dry_run},
        {"kept", json::array(done.kept.begin(), done.kept.end())},
        {"generations", json::array(done.gone.generations.begin(), done.gone.generations.end())},
        {"board_roots", std::move(trees)},
        {"base_roots", json::array(done.gone.roots.begin(), done.gone.roots.end())},
        {"image_records", done.gone.images.size()},
        {"objects", done.gone.objects.size()},
        {"object_bytes", done.gone.object_bytes},
        {"warnings", json::array(done.warnings.begin(), done.warnings.end())}};
    if (!dry_run) written["freed_bytes"] = freed;
    return json::serialize(written);
}

Exit gc(const Invocation& invocation, const GcArguments& arguments) {
    if (!arguments.dry_run && ::geteuid() != 0) {
        return print_error(
            "gc needs root, because it removes roots of foreign owners: run `sudo bramble gc`; "
            "`bramble gc --dry-run` shows what it would remove",
            Exit::machine
        );
    }
    auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    const layout::StorePaths paths(loaded->fleet.appliance.store);
    const StopOnSignal stop;
    apply::CollectOptions options;
    options.keep = arguments.keep;
    options.dry_run = arguments.dry_run;
    options.stop = stop.token();
    options.uses = [&]() -> Result<GenerationUses> {
        auto uses = read_generation_uses(loaded->fleet, paths);
        if (uses) return uses;
        return fail(fmt::format(
            "nobody knows which generations boots hold, so nothing is removed: {}",
            uses.error().message
        ));
    };
    if (!invocation.json) {
        options.on_progress = [](std::string_view text) { fmt::print(stderr, "{}\n", text); };
    }
    host::RealHost host;
    const std::int64_t before = free_bytes(paths.store());
    const auto done = apply::collect(loaded->fleet, options, host);
    if (!done) return print_error(done.error().message, Exit::machine);
    const std::int64_t freed = std::max<std::int64_t>(0, free_bytes(paths.store()) - before);
    print_result(
        invocation.json ? render_json(*done, arguments.dry_run, freed)
                        : render(*done, arguments.dry_run, freed)
    );
    return Exit::done;
}

}  // namespace

void add_gc(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "gc", "Remove generations that nobody needs, with their objects and roots"
    );
    command->footer(
        "Examples:\n"
        "  bramble gc --dry-run           what would go\n"
        "  sudo bramble gc                keep the newest 5\n"
        "  sudo bramble gc --keep 1\n"
        "\n"
        "Never touched: the current generation, the newest ones that are kept, the one that a\n"
        "serve answers from, those of boots that are under way and those that boards of the fleet\n"
        "booted last, since they run from their roots. To free such a one, boot the board again.\n"
        "A board's root that no kept generation names goes with what the board wrote there; its\n"
        "machine-id and SSH host keys stay."
    );
    auto arguments = std::make_shared<GcArguments>();
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object: what was kept, what is gone");
    command->add_option("--keep", arguments->keep, "How many of the newest generations stay")
        ->type_name("N")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command->add_flag("--dry-run", arguments->dry_run, "Only say what would be removed");
    command->callback([&invocation, arguments] { invocation.exit = gc(invocation, *arguments); });
}

}  // namespace bramble::program
