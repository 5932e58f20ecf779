#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>

#include "provisioning/host/real_host.hpp"
#include "services/bramble/adoption.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

struct AdoptArguments {
    std::string serial;
    std::string name;
    std::string profile;
    std::string mac;
    std::string address;
};

// It becomes a file's name and stands in quotes; the fleet's own checks say the rest.
bool is_plain(std::string_view word) {
    return !word.empty() && word.front() != '.' && std::ranges::all_of(word, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    });
}

// Errors: what is not what it should be, as it was typed.
Result<NewBoard> board_of(const AdoptArguments& arguments) {
    const auto serial = Serial::parse(arguments.serial);
    if (!serial) {
        return fail(fmt::format(
            "'{}' is not a serial number (eight hex digits, like 5b154510; `bramble boards` shows "
            "those that asked)",
            arguments.serial
        ));
    }
    if (!is_plain(arguments.name) || !is_plain(arguments.profile)) {
        return fail("names are letters, digits, '-', '_' and '.'");
    }
    NewBoard board{arguments.name, *serial, arguments.profile, {}, {}};
    if (!arguments.mac.empty()) {
        const auto mac = MacAddress::parse(arguments.mac);
        if (!mac) {
            return fail(fmt::format("'{}' is not a MAC (dc:a6:32:2e:f8:ed)", arguments.mac));
        }
        board.mac = *mac;
    }
    if (!arguments.address.empty()) {
        const auto address = Ipv4Address::parse(arguments.address);
        if (!address) {
            return fail(fmt::format("'{}' is not an address (172.16.1.3)", arguments.address));
        }
        board.address = *address;
    }
    return board;
}

Exit adopt(const Invocation& invocation, const AdoptArguments& arguments) {
    const auto board = board_of(arguments);
    if (!board) return print_error(board.error().message, Exit::usage);
    host::RealHost host;
    yaml::DiskFiles files;
    const auto file = adopted_file(
        (files.current_directory() / invocation.fleet_file).lexically_normal(), board->name
    );
    const auto there = host.status(file);
    if (there && *there) {
        return print_error(fmt::format("{} is there already", file.string()), Exit::no);
    }
    const auto fleet = fleet_with(invocation.fleet_file, *board, files);
    if (!fleet) return print_error(fleet.error().message, Exit::no);
    std::error_code ignored;
    const bool is_watched = std::filesystem::is_directory(file.parent_path(), ignored);
    const auto written = host.make_directories(file.parent_path()).and_then([&] {
        return host.write_file(file, adopted_text(*board), 0644);
    });
    if (!written) return print_error(written.error().message, Exit::machine);
    if (invocation.json) {
        print_result(boost::json::serialize(boost::json::object{
            {"board", board->name}, {"file", file.string()}}));
        return Exit::done;
    }
    print_result(fmt::format(
        "{}: {} is in the fleet, of {} boards now. {};\n"
        "`sudo bramble apply` makes what it boots from.",
        file.string(),
        board->name,
        fleet->boards.size(),
        is_watched ? "A running serve takes it over by itself"
                   : "`systemctl reload bramble` tells a running serve"
    ));
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
    auto arguments = std::make_shared<AdoptArguments>();
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object: board, file");
    command->add_option("serial", arguments->serial, "Its serial number")
        ->type_name("SERIAL")
        ->required();
    command->add_option("--name", arguments->name, "What it is called")->required();
    command->add_option("--profile", arguments->profile, "What it boots")->required();
    command->add_option("--mac", arguments->mac, "Its MAC, when it should be known by that too");
    command->add_option("--address", arguments->address, "Its address; else one of the pool");
    command->callback([&invocation, arguments] { invocation.exit = adopt(invocation, *arguments); }
    );
}

}  // namespace bramble::program
