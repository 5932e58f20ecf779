// What every subcommand shares: the fleet file's name, the exit codes, how results and errors are
// printed. It refuses to know any subcommand.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <string_view>

#include "config/types/result.hpp"

namespace bramble::program {

// Documented in `bramble --help`; scripts rely on them.
enum class Exit {
    done = 0,
    no = 1,       // the answer is no: a check failed, a plan is refused, a board would not boot
    usage = 2,    // the command was wrong
    machine = 3,  // the machine or the network failed
};

// Where serve finds the helper that changes things for the page's operators.
inline constexpr const char* operator_socket = "/run/bramble/operate.sock";

struct Invocation {
    std::filesystem::path fleet_file = "/etc/bramble/fleet.yaml";
    bool json = false;
    Exit exit = Exit::done;  // set by the subcommand that ran
};

// Each adds its subcommand to `app`; its callback fills `invocation.exit`. Both outlive the parse.
void add_check(CLI::App& app, Invocation& invocation);
void add_schema(CLI::App& app, Invocation& invocation);
void add_plan(CLI::App& app, Invocation& invocation);
void add_apply(CLI::App& app, Invocation& invocation);
void add_generations(CLI::App& app, Invocation& invocation);
void add_diff(CLI::App& app, Invocation& invocation);
void add_rollback(CLI::App& app, Invocation& invocation);
void add_root(CLI::App& app, Invocation& invocation);
void add_gc(CLI::App& app, Invocation& invocation);
void add_serve(CLI::App& app, Invocation& invocation);
void add_operate(CLI::App& app, Invocation& invocation);
void add_token(CLI::App& app, Invocation& invocation);
void add_up(CLI::App& app, Invocation& invocation);
void add_status(CLI::App& app, Invocation& invocation);
void add_boards(CLI::App& app, Invocation& invocation);
void add_board(CLI::App& app, Invocation& invocation);
void add_logs(CLI::App& app, Invocation& invocation);
void add_watch(CLI::App& app, Invocation& invocation);
void add_adopt(CLI::App& app, Invocation& invocation);
void add_forget(CLI::App& app, Invocation& invocation);
void add_explain(CLI::App& app, Invocation& invocation);
void add_simulate(CLI::App& app, Invocation& invocation);
void add_rehearse(CLI::App& app, Invocation& invocation);
void add_doctor(CLI::App& app, Invocation& invocation);
void add_version(CLI::App& app, Invocation& invocation);
void add_completion(CLI::App& app, Invocation& invocation);

// The options that most subcommands have.
void add_fleet_option(CLI::App& command, Invocation& invocation);
void add_json_option(CLI::App& command, Invocation& invocation, const std::string& what);

void print_result(std::string_view text);  // to stdout
// "bramble: MESSAGE" to stderr; gives `exit` back, so that a failing subcommand is one line.
Exit print_error(std::string_view message, Exit exit);

// The whole program: parses, runs, answers the exit code. Separate from main() for tests.
int run_program(int argc, const char* const* argv);

}  // namespace bramble::program
