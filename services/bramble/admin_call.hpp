// How subcommands ask a running serve: where it listens, with which token, what its refusals mean.
// It refuses to know what is asked.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "config/types/result.hpp"
#include "services/bramble/invocation.hpp"
#include "services/io/http_client.hpp"

namespace bramble::program {

struct AdminArguments {
    std::string admin;  // "ADDRESS:PORT"; empty: the fleet file's
    std::string token_file;
};

// --fleet, --admin and --token-file.
void add_admin_options(CLI::App& command, Invocation& invocation, AdminArguments& arguments);

// Errors: the address is none, the token cannot be read.
[[nodiscard]] Result<io::HttpCall> where_to_ask(
    const Invocation& invocation, const AdminArguments& arguments
);

struct Refusal {
    std::string message;
    Exit exit = Exit::machine;
};

// What an answer other than 200 means.
Refusal refusal_of(const io::HttpResponse& response);

// "no answer from a running serve at …": `why` begins with where it was asked.
std::string nobody_answers(std::string_view why);

// The body of one page of the API. Errors: nobody answers, the token is wrong, no such page; each
// with the exit code that it means.
[[nodiscard]] Result<std::string, Refusal> ask(io::HttpCall call, const std::string& target);

// Asks for `target` and prints the answer, as it came with --json, else as `render` shows it.
Exit show_answer(
    const Invocation& invocation,
    const AdminArguments& arguments,
    const std::string& target,
    Result<std::string> (*render)(std::string_view)
);

// "a name" as one part of a URL's path.
std::string path_part(std::string_view name);

}  // namespace bramble::program
