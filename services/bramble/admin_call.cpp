#include "services/bramble/admin_call.hpp"

#include <fmt/core.h>

#include <fstream>

#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/json_reading.hpp"

namespace bramble::program {

void add_admin_options(CLI::App& command, Invocation& invocation, AdminArguments& arguments) {
    add_fleet_option(command, invocation);
    command.add_option("--admin", arguments.admin, "Ask there instead of the fleet file's address")
        ->type_name("ADDRESS:PORT");
    command.add_option("--token-file", arguments.token_file, "The token, where one is needed")
        ->type_name("FILE");
}

Result<io::HttpCall> where_to_ask(const Invocation& invocation, const AdminArguments& arguments) {
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

std::string nobody_answers(std::string_view why) {
    return fmt::format(
        "no answer from a running serve at {} (is it running? `systemctl status bramble`, or start "
        "`bramble serve`)",
        why
    );
}

Refusal refusal_of(const io::HttpResponse& response) {
    if (response.status == 401 || response.status == 403) {
        return {"the token is missing or wrong: see --token-file", Exit::no};
    }
    if (response.status == 404) {
        auto answer = parse_object(response.body);
        return {answer ? text_of(*answer, "error") : "serve knows no such page", Exit::no};
    }
    return {fmt::format("serve answered {}: {}", response.status, response.body), Exit::machine};
}

Result<std::string, Refusal> ask(io::HttpCall call, const std::string& target) {
    call.target = target;
    auto response = io::call_http(call);
    if (!response) {
        return tl::unexpected(Refusal{nobody_answers(response.error().message), Exit::machine});
    }
    if (response->status != 200) return tl::unexpected(refusal_of(*response));
    return std::move(response->body);
}

Exit show_answer(
    const Invocation& invocation,
    const AdminArguments& arguments,
    const std::string& target,
    Result<std::string> (*render)(std::string_view)
) {
    const auto call = where_to_ask(invocation, arguments);
    if (!call) return print_error(call.error().message, Exit::usage);
    const auto answer = ask(*call, target);
    if (!answer) return print_error(answer.error().message, answer.error().exit);
    if (invocation.json) {
        print_result(*answer);
        return Exit::done;
    }
    const auto text = render(*answer);
    if (!text) return print_error(text.error().message, Exit::machine);
    print_result(*text);
    return Exit::done;
}

std::string path_part(std::string_view name) {
    std::string out;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                           (byte >= '0' && byte <= '9') || c == '-' || c == '_' || c == '.';
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
    }
    return out;
}

}  // namespace bramble::program
