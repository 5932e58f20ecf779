#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "services/bramble/admin_call.hpp"
#include "services/bramble/invocation.hpp"
#include "services/bramble/status_text.hpp"

namespace bramble::program {
namespace {

constexpr auto redraw_after = std::chrono::seconds(1);

struct StatusArguments {
    AdminArguments admin;
    bool once = false;
};

Result<std::string, Refusal> look(const io::HttpCall& call, bool as_json) {
    const auto server = ask(call, "/api/v1/status");
    if (!server) return tl::unexpected(server.error());
    const auto boards = ask(call, "/api/v1/boards");
    if (!boards) return tl::unexpected(boards.error());
    auto text = as_json ? merge_status(*server, *boards) : render_status(*server, *boards);
    if (!text) return tl::unexpected(Refusal{text.error().message, Exit::machine});
    return std::move(*text);
}

// Until Ctrl-C, or until nobody reads any more. A serve that is gone may come back.
Exit show_live(const io::HttpCall& call, std::string text) {
    while (std::ferror(stdout) == 0) {
        winsize size{};
        ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        constexpr std::string_view clear = "\x1b[H\x1b[2J";
        print_result(
            std::string(clear) +
            fit_screen(
                text, size.ws_row == 0 ? 24 : size.ws_row, size.ws_col == 0 ? 80 : size.ws_col
            )
        );
        std::this_thread::sleep_for(redraw_after);
        auto next = look(call, false);
        text = next ? std::move(*next) : next.error().message + "\n";
    }
    return Exit::machine;
}

Exit status(const Invocation& invocation, const StatusArguments& arguments) {
    const auto call = where_to_ask(invocation, arguments.admin);
    if (!call) return print_error(call.error().message, Exit::usage);
    auto text = look(*call, invocation.json);
    if (!text) return print_error(text.error().message, text.error().exit);
    const bool live = !invocation.json && !arguments.once && ::isatty(STDOUT_FILENO) == 1;
    if (live) return show_live(*call, std::move(*text));
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
        "  bramble status             in a terminal: drawn anew each second, until Ctrl-C\n"
        "  bramble status --once\n"
        "  bramble status --json | jq '.boards[] | select(.condition != \"up\")'\n"
        "  bramble status --admin 127.0.0.1:8080\n"
        "\n"
        "Exit code 3 when nobody answers."
    );
    auto arguments = std::make_shared<StatusArguments>();
    add_admin_options(*command, invocation, arguments->admin);
    add_json_option(
        *command, invocation, "One JSON object: the server's facts, counts, boards, strangers"
    );
    command->add_flag("--once", arguments->once, "Show it once, also in a terminal");
    command->callback([&invocation, arguments] { invocation.exit = status(invocation, *arguments); }
    );
}

}  // namespace bramble::program
