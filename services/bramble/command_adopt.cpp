#include <boost/json.hpp>
#include <memory>

#include "services/bramble/changes.hpp"
#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

Exit run_adopt(const Invocation& invocation, const web::Adopt& arguments) {
    const auto adopted = adopt(invocation.fleet_file, arguments);
    if (!adopted) return print_error(adopted.error().message, adopted.error().exit);
    if (invocation.json) {
        print_result(boost::json::serialize(boost::json::object{
            {"board", arguments.name}, {"file", adopted->file.string()}}));
    } else {
        print_result(describe(*adopted, arguments.name));
    }
    return Exit::done;
}

}  // namespace

void add_adopt(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand("adopt", "Take a board into the fleet by its serial");
    command->footer(
        "Examples:\n"
        "  sudo bramble adopt 5b154510 --name pi-07 --profile lab\n"
        "  sudo bramble adopt 5b154510 --name pi-07 --profile lab --address 172.16.1.7\n"
        "\n"
        "It writes one file, boards.d/NAME.yaml beside the fleet file, when the whole fleet is\n"
        "sound with it; no other file is touched. The fleet file has to say\n"
        "`include: [boards.d/*.yaml]`. `bramble boards` shows who asked without being known.\n"
        "Exit code 1 when the fleet would not be sound, 2 when an argument is wrong."
    );
    auto arguments = std::make_shared<web::Adopt>();
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object: board, file");
    command->add_option("serial", arguments->serial, "Its serial number")
        ->type_name("SERIAL")
        ->required();
    command->add_option("--name", arguments->name, "What it is called")->required();
    command->add_option("--profile", arguments->profile, "What it boots")->required();
    command->add_option("--mac", arguments->mac, "Its MAC, when it should be known by that too");
    command->add_option("--address", arguments->address, "Its address; else one of the pool");
    command->callback([&invocation, arguments] {
        invocation.exit = run_adopt(invocation, *arguments);
    });
}

}  // namespace bramble::program
