#include <fmt/core.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <memory>

#include "provisioning/apply/rollback.hpp"
#include "provisioning/host/real_host.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

std::string describe(const apply::RolledBack& done) {
    std::string text;
    for (const std::string& warning : done.warnings) text += "warning: " + warning + "\n";
    text += done.changed
                ? fmt::format(
                      "generation {} is current again (it was {}); a running serve takes "
                      "it over, boots that are under way end with what they began\n",
                      done.generation,
                      done.from
                  )
                : fmt::format("nothing to do: generation {} is current\n", done.generation);
    if (!done.as_fleet) {
        text +=
            "it was made of another fleet file: the next `bramble apply` publishes what the file "
            "says now, so put the file back as well\n";
    }
    return text;
}

std::string render_json(const apply::RolledBack& done) {
    return boost::json::serialize(boost::json::object{
        {"generation", done.generation},
        {"from", done.from},
        {"changed", done.changed},
        {"as_fleet_file", done.as_fleet},
        {"warnings", boost::json::array(done.warnings.begin(), done.warnings.end())}});
}

Exit rollback(const Invocation& invocation, std::optional<std::uint64_t> number) {
    if (::geteuid() != 0) {
        return print_error(
            "rollback needs root, because it changes the store: run `sudo bramble rollback`; "
            "`bramble generations` shows where it can lead",
            Exit::machine
        );
    }
    auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    host::RealHost host;
    const auto done = apply::roll_back(loaded->fleet, number, host);
    if (!done) {
        return print_error(done.error().message, done.error().refused ? Exit::no : Exit::machine);
    }
    print_result(invocation.json ? render_json(*done) : describe(*done));
    return Exit::done;
}

}  // namespace

void add_rollback(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "rollback", "Make an older generation current again, by one rename; build nothing"
    );
    command->footer(
        "Examples:\n"
        "  sudo bramble rollback          the one before the current\n"
        "  sudo bramble rollback 6\n"
        "  bramble rehearse --all --generation 6      would its boards boot?\n"
        "  bramble diff 6                 what it would change\n"
        "\n"
        "Boards that boot now end with the generation that they began with; the next boot of each\n"
        "is of this one. What goes back: boot files, texts, kernel, which root tree is mounted, "
        "and\n"
        "the exports of these trees. What a board wrote into its tree stays as it is.\n"
        "Exit code 1 when there is no such generation or it is not whole any more."
    );
    auto number = std::make_shared<std::optional<std::uint64_t>>();
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object: generation, from, changed, warnings");
    command->add_option("generation", *number, "Its number; the one before the current unless said")
        ->type_name("N");
    command->callback([&invocation, number] { invocation.exit = rollback(invocation, *number); });
}

}  // namespace bramble::program
