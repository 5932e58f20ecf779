#include <fmt/core.h>

#include <chrono>
#include <memory>
#include <thread>

#include "services/bramble/admin_call.hpp"
#include "services/bramble/event_text.hpp"
#include "services/bramble/json_reading.hpp"

namespace bramble::program {
namespace {

using namespace std::chrono_literals;

constexpr Duration silence_max = 60s;  // four heartbeats
constexpr auto retry_after = 1s;
constexpr int retries_max = 60;

struct WatchArguments {
    AdminArguments admin;
    EventFilter filter;
    std::uint64_t count = 0;  // 0: without end
};

struct Watching {
    EventReader reader;
    std::uint64_t left = 0;
    bool had_answer = false;

    // False when enough was seen.
    bool on_body(std::string_view piece, const WatchArguments& arguments, bool as_json) {
        had_answer = true;
        for (const ServerEvent& event : reader.feed(piece)) {
            const auto line = as_json ? event_json_line(event, arguments.filter)
                                      : event_line(event, arguments.filter);
            if (!line) continue;
            print_result(*line);
            if (arguments.count != 0 && --left == 0) return false;
        }
        return true;
    }
};

Exit watch(const Invocation& invocation, const WatchArguments& arguments) {
    auto call = where_to_ask(invocation, arguments.admin);
    if (!call) return print_error(call.error().message, Exit::usage);
    if (!arguments.filter.board.empty()) {  // a board that is none would be silent for ever
        const auto known = ask(*call, "/api/v1/boards/" + path_part(arguments.filter.board));
        if (!known) return print_error(known.error().message, known.error().exit);
    }
    call->target = "/api/v1/events";
    Watching watching;
    watching.left = arguments.count;
    bool was_there = false;
    std::string why;
    for (int tries = 0; tries < retries_max; ++tries) {
        watching.reader = {};
        watching.had_answer = false;
        const auto answer = io::follow_http(*call, silence_max, [&](std::string_view piece) {
            return watching.on_body(piece, arguments, invocation.json);
        });
        if (answer && answer->status != 200) {
            const auto refusal = refusal_of(*answer);
            return print_error(refusal.message, refusal.exit);
        }
        if (arguments.count != 0 && watching.left == 0) return Exit::done;
        why = answer ? "it closed the stream" : answer.error().message;
        if (watching.had_answer) {
            was_there = true;
            tries = 0;
            fmt::print(stderr, "bramble: serve went away ({}); waiting for it to come back\n", why);
        } else if (!was_there) {
            break;
        }
        std::this_thread::sleep_for(retry_after);
    }
    return print_error(nobody_answers(why), Exit::machine);
}

}  // namespace

void add_watch(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "watch", "What boards do, as it happens: a line for each step of every boot"
    );
    command->footer(
        "Examples:\n"
        "  bramble watch\n"
        "  bramble watch --board pi-03 --all      every file of one board\n"
        "  bramble watch --json | jq -r 'select(.weight == \"alarm\") | .board'\n"
        "\n"
        "Times are UTC; '!' marks what somebody has to look at. It ends on Ctrl-C, and goes on\n"
        "by itself when serve is restarted. Exit code 1 when there is no such board, 3 when\n"
        "nobody answers."
    );
    auto arguments = std::make_shared<WatchArguments>();
    add_admin_options(*command, invocation, arguments->admin);
    add_json_option(*command, invocation, "Each event as one line of JSON");
    command->add_option("--board", arguments->filter.board, "Only this one")->type_name("BOARD");
    command->add_flag("--all", arguments->filter.small_files, "Small files, too");
    command->add_option("--count", arguments->count, "End after that many lines")->type_name("N");
    command->callback([&invocation, arguments] { invocation.exit = watch(invocation, *arguments); }
    );
}

}  // namespace bramble::program
