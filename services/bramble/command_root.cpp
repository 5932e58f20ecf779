#include <fmt/core.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "config/types/text.hpp"
#include "provisioning/apply/board_root.hpp"
#include "provisioning/host/real_host.hpp"
#include "provisioning/plan/copy_on_write.hpp"
#include "provisioning/root/identity_paths.hpp"
#include "provisioning/store/store.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/generation_uses.hpp"
#include "services/bramble/invocation.hpp"
#include "services/bramble/provisioning.hpp"

namespace bramble::program {
namespace {

using namespace std::chrono_literals;

// An apply that runs mounts all the same; whoever waits for mounts waits for it.
constexpr auto lock_wait = 60s;
constexpr auto lock_pause = 200ms;

struct RootArguments {
    std::optional<std::filesystem::path> store;
    std::string board;
    std::filesystem::path file;
    bool force = false;
    bool every_byte = false;
};

Result<std::filesystem::path> store_of(
    const Invocation& invocation, const RootArguments& arguments
) {
    if (arguments.store) return *arguments.store;
    const auto loaded = load_fleet(invocation.fleet_file);
    if (!loaded) return fail(loaded.error().message);
    return loaded->fleet.appliance.store;
}

Result<store::Changes> begin_patiently(host::Host& host, const layout::StorePaths& paths) {
    const auto deadline = std::chrono::steady_clock::now() + lock_wait;
    for (;;) {
        auto changes = store::Changes::begin(host, paths);
        if (changes || std::chrono::steady_clock::now() >= deadline) return changes;
        if (changes.error().message.find("is locked") == std::string::npos) return changes;
        std::this_thread::sleep_for(lock_pause);
    }
}

Exit mount(const Invocation& invocation, const RootArguments& arguments, bool take_away) {
    const auto store = store_of(invocation, arguments);
    if (!store) return print_error(store.error().message, Exit::no);
    host::RealHost host;
    auto changes = begin_patiently(host, layout::StorePaths(*store));
    if (!changes) return print_error(changes.error().message, Exit::machine);
    if (take_away) {
        const auto done = changes->unmount_roots();
        return done ? Exit::done : print_error(done.error().message, Exit::machine);
    }
    Exit exit = Exit::done;
    for (const std::string& problem : changes->mount_problems()) {
        exit = print_error(problem, Exit::machine);
    }
    return exit;
}

Exit print_failure(const apply::RootFailure& failure) {
    return print_error(failure.message, failure.refused ? Exit::no : Exit::machine);
}

std::string render(const host::TreeChange& change) {
    const bool directory = change.kind == host::FileKind::directory;
    std::string text =
        fmt::format("{:<9}{}{}", host::to_string(change.change), change.path, directory ? "/" : "");
    if (change.kind == host::FileKind::regular) text += ", " + describe_bytes(change.size);
    if (root::is_identity_path(change.path)) text += "  (Bramble writes there, too)";
    return text + "\n";
}

std::string render_json(
    const apply::BoardRootPlace& place, const std::vector<host::TreeChange>& changes
) {
    namespace json = boost::json;
    json::array list;
    for (const host::TreeChange& change : changes) {
        list.push_back(json::object{
            {"path", change.path},
            {"change", host::to_string(change.change)},
            {"directory", change.kind == host::FileKind::directory},
            {"bytes", change.size},
            {"identity", root::is_identity_path(change.path)}});
    }
    return json::serialize(json::object{
        {"root", place.tree.string()},
        {"base", place.base_tree.string()},
        {"kind", plan::name_of(place.kind)},
        {"changes", std::move(list)}});
}

Exit diff(const Invocation& invocation, const RootArguments& arguments) {
    const auto store = store_of(invocation, arguments);
    if (!store) return print_error(store.error().message, Exit::no);
    host::RealHost host;
    const auto place = apply::find_board_root(layout::StorePaths(*store), arguments.board, host);
    if (!place) return print_failure(place.error());
    const auto changes = apply::changes_of(*place, arguments.every_byte);
    if (!changes) return print_error(changes.error().message, Exit::machine);
    if (invocation.json) {
        print_result(render_json(*place, *changes));
        return Exit::done;
    }
    std::string text;
    for (const host::TreeChange& change : *changes) text += render(change);
    text += fmt::format(
        "{} difference{} of '{}' from its base '{}'",
        changes->size(),
        changes->size() == 1 ? "" : "s",
        place->tree.string(),
        place->base_tree.string()
    );
    print_result(text);
    return Exit::done;
}

// Whether the board may run from the root that is about to be thrown away, in words; none: no.
Result<std::optional<std::string>> in_use(
    const fleet::Fleet& fleet, const layout::StorePaths& paths, const std::string& board
) {
    const auto uses = read_generation_uses(fleet, paths);
    if (!uses) return tl::unexpected(uses.error());
    const auto has = [&](const std::vector<std::string>& boards) {
        return std::find(boards.begin(), boards.end(), board) != boards.end();
    };
    for (const auto& [number, use] : *uses) {
        if (has(use.booting))
            return fmt::format("board '{}' boots generation {} now", board, number);
        if (has(use.running)) {
            return fmt::format(
                "board '{}' booted generation {} last and may run from its root", board, number
            );
        }
    }
    return std::nullopt;
}

Exit reset(const Invocation& invocation, const RootArguments& arguments) {
    const auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    const layout::StorePaths paths(loaded->fleet.appliance.store);
    if (!arguments.force) {
        const auto use = in_use(loaded->fleet, paths, arguments.board);
        if (!use) return print_error(use.error().message, Exit::machine);
        if (*use) {
            return print_error(**use + ": power it off, then say --force", Exit::no);
        }
    }
    const StopOnSignal stop;
    apply::Options options;
    options.stop = stop.token();
    options.on_event = [](const apply::Event& event) {
        fmt::print(stderr, "{}\n", apply::render(event));
    };
    host::RealHost host;
    const auto done = apply::reset_board_root(loaded->fleet, arguments.board, options, host);
    if (!done) return print_failure(done.error());
    print_result(fmt::format("the root of {} is as its base again", arguments.board));
    return Exit::done;
}

Exit pack(const Invocation& invocation, const RootArguments& arguments, bool as_image) {
    const auto store = store_of(invocation, arguments);
    if (!store) return print_error(store.error().message, Exit::no);
    const layout::StorePaths paths(*store);
    host::RealHost host;
    const auto place = apply::find_board_root(paths, arguments.board, host);
    if (!place) return print_failure(place.error());
    const StopOnSignal stop;
    std::error_code ignored;
    const auto file = std::filesystem::absolute(arguments.file, ignored);
    const auto report = as_image
                            ? apply::promote_board_root(paths, *place, file, host, stop.token())
                            : apply::archive_board_root(*place, file, stop.token());
    if (!report) return print_error(report.error().message, Exit::machine);
    for (const std::string& one : report->left_out) {
        fmt::print(stderr, "bramble: left out: {}\n", one);
    }
    std::string text = fmt::format(
        "{}: {} entries, {}", file.string(), report->entries, describe_bytes(report->bytes)
    );
    if (as_image) {
        const auto sum = host.hash_file(file);
        if (!sum) return print_error(sum.error().message, Exit::machine);
        text += fmt::format(
            "\nin the fleet file, below images:\n  {}: {{source: {{file: {}, sha256: {}}}}}",
            arguments.board,
            file.string(),
            sum->digest.to_string()
        );
    }
    print_result(text);
    return Exit::done;
}

using Deed = std::function<Exit(const Invocation&, const RootArguments&)>;

// A subcommand that needs root, because roots are for root alone.
CLI::App& add_deed(
    CLI::App& parent, Invocation& invocation, const char* name, const char* text, const Deed& deed
) {
    CLI::App* command = parent.add_subcommand(name, text);
    auto arguments = std::make_shared<RootArguments>();
    add_fleet_option(*command, invocation);
    const std::string_view word = name;
    if (word == "mount" || word == "unmount") {
        command->add_option("--store", arguments->store, "The store: no fleet file has to be sound")
            ->type_name("DIR");
    } else {
        command->add_option("board", arguments->board, "The board's name")
            ->type_name("BOARD")
            ->required();
    }
    if (word == "diff") {
        add_json_option(*command, invocation, "One JSON object: root, base, kind, changes");
        command->add_flag(
            "--every-byte", arguments->every_byte, "Read files of the same size and time, too"
        );
    } else if (word == "reset") {
        command->add_flag("--force", arguments->force, "Although the board may run from it");
    } else if (word == "archive" || word == "promote") {
        command->add_option("file", arguments->file, "The archive to write, as NAME.tar.zst")
            ->type_name("FILE")
            ->required();
    }
    command->callback([&invocation, arguments, deed] {
        invocation.exit =
            ::geteuid() == 0
                ? deed(invocation, *arguments)
                : print_error("boards' roots are for root alone: run it with sudo", Exit::machine);
    });
    return *command;
}

}  // namespace

void add_root(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "root", "Boards' roots: what a board changed, a fresh start, an archive, an image, mounts"
    );
    command->require_subcommand(1);
    command->footer(
        "Examples:\n"
        "  sudo bramble root diff pi-03                         what it changed against its base\n"
        "  sudo bramble root reset pi-03                        as its base again; its keys stay\n"
        "  sudo bramble root archive pi-03 pi-03.tar.zst        all of it\n"
        "  sudo bramble root promote pi-03 /srv/golden.tar.zst  an image for the fleet file\n"
        "  sudo bramble root mount                              after a restart\n"
        "  sudo bramble root unmount                            before the store's disk goes\n"
        "\n"
        "Roots that are btrfs snapshots or overlays are mounts: `apply`, `up`, `rollback` and "
        "`gc`\n"
        "make what is missing, bramble-roots.service does before NFS is served. A promoted image\n"
        "has no machine-id and no SSH host keys; passwords and users of its board it has.\n"
        "Exit code 1 when the board has no root, may run from it, or an apply is due."
    );
    add_deed(*command, invocation, "diff", "What a board has otherwise than its base", diff);
    add_deed(*command, invocation, "reset", "Throw away what a board wrote", reset);
    add_deed(
        *command,
        invocation,
        "archive",
        "The whole root as a .tar.zst",
        [](const auto&... given) { return pack(given..., false); }
    );
    add_deed(
        *command,
        invocation,
        "promote",
        "Make an image of the root, with the boot files of its own image",
        [](const auto&... given) { return pack(given..., true); }
    );
    add_deed(
        *command,
        invocation,
        "mount",
        "Mount every root that has to be",
        [](const auto&... given) { return mount(given..., false); }
    );
    add_deed(
        *command,
        invocation,
        "unmount",
        "Take all of the store's mounts away; boards that run lose their roots",
        [](const auto&... given) { return mount(given..., true); }
    );
}

}  // namespace bramble::program
