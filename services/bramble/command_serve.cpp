#include <fmt/core.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/invocation.hpp"
#include "services/bramble/log.hpp"
#include "services/bramble/serving.hpp"
#include "services/io/local_socket.hpp"
#include "services/io/loop.hpp"

namespace bramble::program {
namespace {

struct ServeArguments {
    std::string user;
    std::string operator_helper = operator_socket;
    bool verbose = false;
};

constexpr Duration operation_time_max = std::chrono::minutes(2);  // a rollback exports its roots

Result<web::Outcome> ask_helper(const std::string& socket, const web::Asked& asked) {
    const auto line = io::call_local(socket, web::to_line(asked), operation_time_max);
    if (!line) {
        return fail(fmt::format(
            "the helper that changes things does not answer ({}): `sudo systemctl enable --now "
            "bramble-operate.socket`",
            line.error().message
        ));
    }
    return web::parse_outcome(*line);
}

Exit serve(const Invocation& invocation, const ServeArguments& arguments) {
    set_up_log(arguments.verbose ? Verbosity::verbose : Verbosity::normal);
    auto fleet = load_fleet_with_enrolled(invocation.fleet_file);
    if (!fleet) return print_error(fleet.error().message, Exit::no);
    if (!fleet->warnings.empty()) spdlog::warn("{}", fleet->warnings);

    io::Loop loop;
    auto serving = Serving::open(
        loop,
        std::move(*fleet),
        ServingOptions{
            invocation.fleet_file,
            arguments.user,
            {},
            {},
            [socket = arguments.operator_helper](const web::Asked& asked) {
                return ask_helper(socket, asked);
            }}
    );
    if (!serving) return print_error(serving.error().message, Exit::machine);

    bool draining = false;
    loop.on_signals({SIGHUP, SIGTERM, SIGINT}, [&](int number) {
        if (number == SIGHUP) {
            if (!draining) (*serving)->reload("SIGHUP");
        } else if (!draining) {
            draining = true;
            (*serving)->drain([&loop] { loop.stop(); });
        } else {
            loop.stop();
        }
    });
    (*serving)->start();
    loop.run();
    spdlog::info("stopped");
    return Exit::done;
}

}  // namespace

void add_serve(CLI::App& app, Invocation& invocation) {
    CLI::App* command =
        app.add_subcommand("serve", "Answer boards and operators from the published generation");
    command->footer(
        "Examples:\n"
        "  systemctl start bramble            the usual way, as its own user\n"
        "  sudo bramble serve --user bramble  by hand: binds as root, then becomes that user\n"
        "\n"
        "Reloads on SIGHUP and when a generation is published; a broken fleet file leaves\n"
        "everything served as before. SIGTERM lets running transfers end (10 s at the most)."
    );
    auto arguments = std::make_shared<ServeArguments>();
    add_fleet_option(*command, invocation);
    command->add_option("--user", arguments->user, "Become this user after binding")
        ->type_name("NAME");
    command
        ->add_option(
            "--operator-socket", arguments->operator_helper, "Where `bramble operate` listens"
        )
        ->type_name("FILE")
        ->capture_default_str();
    command->add_flag("-v,--verbose", arguments->verbose, "Log every request too");
    command->callback([&invocation, arguments] { invocation.exit = serve(invocation, *arguments); }
    );
}

}  // namespace bramble::program
