#include <unistd.h>

#include <boost/json.hpp>
#include <memory>

#include "services/bramble/changes.hpp"
#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

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
    const auto done = roll_back(invocation.fleet_file, number);
    if (!done) return print_error(done.error().message, done.error().exit);
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
