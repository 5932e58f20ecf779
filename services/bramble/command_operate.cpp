#include <fmt/core.h>
#include <pwd.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <memory>

#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/invocation.hpp"
#include "services/bramble/log.hpp"
#include "services/bramble/operating.hpp"
#include "services/bramble/operator_token.hpp"
#include "services/io/local_socket.hpp"
#include "services/io/service_manager.hpp"

namespace bramble::program {
namespace {

constexpr Duration idle_max = std::chrono::minutes(1);  // where systemd starts us again

struct OperateArguments {
    std::string socket = operator_socket;
    std::string user = "bramble";
};

// Taken by descriptor, so that none interrupts a change.
io::FileDescriptor ending_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGINT);
    ::sigaddset(&set, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return io::FileDescriptor(::signalfd(-1, &set, SFD_CLOEXEC));
}

Exit operate(const Invocation& invocation, const OperateArguments& arguments) {
    if (::geteuid() != 0) {
        return print_error(
            "operate needs root, because it changes the store and the fleet's files for a serve "
            "that cannot: `sudo systemctl enable --now bramble-operate.socket`",
            Exit::machine
        );
    }
    set_up_log(Verbosity::normal);
    const passwd* user = ::getpwnam(arguments.user.c_str());
    if (user == nullptr) {
        return print_error(fmt::format("there is no user '{}'", arguments.user), Exit::machine);
    }
    const uid_t served = user->pw_uid;
    const auto loaded = load_fleet(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    const fleet::Appliance& appliance = loaded->fleet.appliance;
    if (const auto token = read_or_make_operator_token(appliance); !token) {
        return print_error(token.error().message, Exit::machine);
    }
    const io::FileDescriptor stop = ending_signals();
    const bool is_activated = io::LocalListener::is_handed_over();
    auto listener = is_activated ? io::LocalListener::from_service_manager()
                                 : io::LocalListener::open(arguments.socket, arguments.user);
    if (!listener) return print_error(listener.error().message, Exit::machine);
    const Operating operating(invocation.fleet_file, operator_token_file(appliance));
    io::ServiceManager().ready("answers the page's operators");
    listener->run(
        stop.get(),
        is_activated ? idle_max : Duration{0},
        [&](const io::LocalCaller& caller, std::string_view line) {
            if (caller.user != 0 && caller.user != served) {
                spdlog::warn("operator refused user={}", caller.name);
                return web::to_line(web::Outcome{403, "this user may not ask"});
            }
            const auto asked = web::parse_asked(line);
            if (!asked) {
                spdlog::warn("operator refused user={} why=\"no request\"", caller.name);
                return web::to_line(web::Outcome{400, asked.error().message});
            }
            return web::to_line(operating.carry_out(*asked));
        }
    );
    return Exit::done;
}

}  // namespace

void add_operate(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "operate", "Carry out what the page's operators ask a serve for: adopt, forget, rollback"
    );
    command->footer(
        "Examples:\n"
        "  systemctl enable --now bramble-operate.socket     the usual way: started when asked\n"
        "  sudo bramble operate                              by hand, in the foreground\n"
        "\n"
        "A serve has no rights on the store and the fleet's files. It hands what an operator asks\n"
        "for to this helper, with the operator's token, over a local socket that it and root "
        "alone\n"
        "may use. The helper checks the token itself, does these three things and no other, and\n"
        "says each in the log. `bramble up` needs none: it does the same in its own process."
    );
    auto arguments = std::make_shared<OperateArguments>();
    add_fleet_option(*command, invocation);
    command->add_option("--socket", arguments->socket, "Where to listen")
        ->type_name("FILE")
        ->capture_default_str();
    command->add_option("--user", arguments->user, "Who runs serve, and may ask beside root")
        ->type_name("NAME")
        ->capture_default_str();
    command->callback([&invocation, arguments] {
        invocation.exit = operate(invocation, *arguments);
    });
}

}  // namespace bramble::program
