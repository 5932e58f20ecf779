#include <fmt/core.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "config/types/text.hpp"
#include "services/bramble/command_kernel.hpp"
#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

constexpr const char* description =
    R"(Bramble boots a room of Raspberry Pi boards from the wire: each its own firmware,
config.txt, cmdline.txt, kernel and root filesystem, as one YAML file says.

First steps:
  bramble check                    is the fleet file sound? every problem, with its line
  bramble plan                     what would apply do, and why?
  sudo bramble apply               build it and publish it as a new generation
  bramble generations              what was published, who uses it; sudo bramble rollback is the way back
  sudo bramble up                  apply, then answer boards, here in the foreground
  bramble rehearse --all           would every board boot? known before one has power
  bramble status                   which boards booted, which wait, and what for
  bramble watch                    the same as it happens, line by line
  bramble board pi-03              the story of one board, file by file
  sudo bramble doctor              what of this machine and its wire keeps boards from booting)";

constexpr const char* footer =
    R"(Who runs what:
  anyone            check, schema, plan, explain, rehearse, simulate, generations, diff, version,
                    completion
  root              apply (roots hold foreign owners and device nodes), rollback, root, gc, up,
                    operate, token; doctor sees more as root
  who owns the fleet file   adopt, forget
  its own user      serve, with CAP_NET_BIND_SERVICE and CAP_NET_RAW; as root with --user NAME
  whoever may reach the admin address   status, boards, board, logs, watch

Exit codes:
  0  done
  1  the answer is no: a check failed, a plan is refused, a board would not boot
  2  the command was wrong
  3  the machine or the network failed

Results go to stdout, errors to stderr. `bramble COMMAND --help` has examples.)";

// What to say of a first argument that is no subcommand; the parser would only ask for one.
std::optional<std::string> unknown_command(const CLI::App& app, int argc, const char* const* argv) {
    if (argc < 2 || argv[1][0] == '-') return std::nullopt;
    const std::string_view word = argv[1];
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands(nullptr)) {
        names.push_back(command->get_name());
        if (word == names.back()) return std::nullopt;
    }
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const auto near = nearest(word, candidates);
    return fmt::format(
        "there is no command '{}'{}; `bramble --help` lists them",
        word,
        near ? fmt::format(" (did you mean '{}'?)", *near) : ""
    );
}

}  // namespace

void add_fleet_option(CLI::App& command, Invocation& invocation) {
    command.add_option("-f,--fleet", invocation.fleet_file, "The fleet file")
        ->type_name("FILE")
        ->envname("BRAMBLE_FLEET")
        ->capture_default_str();
}

void add_json_option(CLI::App& command, Invocation& invocation, const std::string& what) {
    command.add_flag("--json", invocation.json, what);
}

void print_result(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
    std::fflush(stdout);
}

Exit print_error(std::string_view message, Exit exit) {
    fmt::print(stderr, "bramble: {}\n", message);
    return exit;
}

int run_program(int argc, const char* const* argv) {
    CLI::App app{description, "bramble"};
    app.footer(footer);
    app.require_subcommand(1);
    app.set_version_flag("--version", BRAMBLE_VERSION);
    app.get_formatter()->column_width(34);
    Invocation invocation;
    add_check(app, invocation);
    add_plan(app, invocation);
    add_apply(app, invocation);
    add_generations(app, invocation);
    add_diff(app, invocation);
    add_rollback(app, invocation);
    add_root(app, invocation);
    add_gc(app, invocation);
    add_kernel(app, invocation);
    add_serve(app, invocation);
    add_operate(app, invocation);
    add_token(app, invocation);
    add_up(app, invocation);
    add_status(app, invocation);
    add_boards(app, invocation);
    add_board(app, invocation);
    add_logs(app, invocation);
    add_watch(app, invocation);
    add_adopt(app, invocation);
    add_forget(app, invocation);
    add_explain(app, invocation);
    add_simulate(app, invocation);
    add_rehearse(app, invocation);
    add_doctor(app, invocation);
    add_schema(app, invocation);
    add_completion(app, invocation);
    add_version(app, invocation);
    if (const auto unknown = unknown_command(app, argc, argv)) {
        return static_cast<int>(print_error(*unknown, Exit::usage));
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // CLI11 has exit codes of its own for every kind of mistake; ours are documented.
        return app.exit(error) == 0 ? static_cast<int>(Exit::done) : static_cast<int>(Exit::usage);
    } catch (const std::exception& error) {
        return static_cast<int>(print_error(error.what(), Exit::machine));
    }
    return static_cast<int>(invocation.exit);
}

}  // namespace bramble::program
