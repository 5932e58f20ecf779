#include <fmt/core.h>

#include <boost/json.hpp>
#include <fstream>
#include <memory>
#include <string>

#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/invocation.hpp"
#include "services/bramble/status_text.hpp"
#include "services/io/http_client.hpp"

namespace bramble::program {
namespace {

struct StatusArguments {
    std::string admin;  // "ADDRESS:PORT"; empty: the fleet file's
    std::string token_file;
};

[[nodiscard]] Result<io::HttpCall> where_to_ask(
    const Invocation& invocation, const StatusArguments& arguments
) {
    io::HttpCall call;
    std::string token_file = arguments.token_file;
    if (!arguments.admin.empty()) {
        const auto colon = arguments.admin.rfind(':');
        unsigned port = 0;
        if (colon == std::string::npos ||
            !CLI::detail::lexical_cast(arguments.admin.substr(colon + 1), port) || port == 0 ||
            port > 65535) {
            return fail(
                fmt::format("'{}' is not ADDRESS:PORT, such as 127.0.0.1:8080", arguments.admin)
            );
        }
        call.address = arguments.admin.substr(0, colon);
        call.port = static_cast<std::uint16_t>(port);
    } else {
        auto loaded = load_fleet(invocation.fleet_file);
        // A broken file is just when one wants to ask: the standard address is the likely one.
        const fleet::AdminSettings admin =
            loaded ? loaded->fleet.appliance.admin : fleet::AdminSettings{};
        call.address = admin.address;
        call.port = admin.port;
        if (token_file.empty() && admin.token_file) token_file = admin.token_file->string();
    }
    if (call.address == "0.0.0.0") call.address = "127.0.0.1";
    if (call.address == "::") call.address = "::1";
    if (!token_file.empty()) {
        std::ifstream file(token_file);
        if (!std::getline(file, call.bearer_token)) {
            return fail(fmt::format("cannot read the token in {}", token_file));
        }
    }
    return call;
}

// One page of the API. Errors: nobody answers, the token is wrong; with the exit code of each.
[[nodiscard]] Result<std::string, std::pair<std::string, Exit>> ask(
    io::HttpCall call, const std::string& target
) {
    call.target = target;
    const auto response = io::call_http(call);
    const auto refuse = [](std::string message, Exit exit) {
        return tl::unexpected(std::pair(std::move(message), exit));
    };
    if (!response) {
        return refuse(
            fmt::format(
                "no answer from a running serve at {} (is it running? `systemctl status bramble`, "
                "or start `bramble serve`)",
                response.error().message
            ),
            Exit::machine
        );
    }
    if (response->status == 401 || response->status == 403) {
        return refuse("the token is missing or wrong: see --token-file", Exit::no);
    }
    if (response->status != 200) {
        return refuse(
            fmt::format("serve answered {}: {}", response->status, response->body), Exit::machine
        );
    }
    return response->body;
}

Exit status(const Invocation& invocation, const StatusArguments& arguments) {
    const auto call = where_to_ask(invocation, arguments);
    if (!call) return print_error(call.error().message, Exit::usage);
    const auto server = ask(*call, "/api/v1/status");
    if (!server) return print_error(server.error().first, server.error().second);
    const auto boards = ask(*call, "/api/v1/boards");
    if (!boards) return print_error(boards.error().first, boards.error().second);
    const auto text =
        invocation.json ? merge_status(*server, *boards) : render_status(*server, *boards);
    if (!text) return print_error(text.error().message, Exit::machine);
    print_result(*text);
    return Exit::done;
}

}  // namespace

void add_status(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "status", "Ask a running serve: the generation, each board's boot, what went wrong"
    );
    command->footer(
        "Examples:\n"
        "  bramble status\n"
        "  bramble status --json | jq '.boards[] | select(.condition != \"up\")'\n"
        "  bramble status --admin 127.0.0.1:8080\n"
        "\n"
        "Exit code 3 when nobody answers."
    );
    auto arguments = std::make_shared<StatusArguments>();
    add_fleet_option(*command, invocation);
    add_json_option(
        *command, invocation, "One JSON object: the server's facts, counts, boards, strangers"
    );
    command
        ->add_option("--admin", arguments->admin, "Ask there instead of the fleet file's address")
        ->type_name("ADDRESS:PORT");
    command->add_option("--token-file", arguments->token_file, "The token, where one is needed")
        ->type_name("FILE");
    command->callback([&invocation, arguments] { invocation.exit = status(invocation, *arguments); }
    );
}

}  // namespace bramble::program
