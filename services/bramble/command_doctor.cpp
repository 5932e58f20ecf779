#include <memory>

#include "config/types/text.hpp"
#include "services/bramble/doctor_look.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/invocation.hpp"
#include "services/doctor/diagnose.hpp"

namespace bramble::program {
namespace {

struct DoctorArguments {
    std::string listen = "5s";
};

constexpr Duration listen_max = std::chrono::minutes(2);

Exit examine(const Invocation& invocation, const DoctorArguments& arguments) {
    const auto listen = parse_duration(arguments.listen);
    if (!listen || *listen > listen_max) {
        return print_error("--listen takes a time up to 2m, such as 5s", Exit::usage);
    }
    auto loaded = load_fleet(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    const auto findings =
        doctor::diagnose(look(loaded->fleet, invocation.fleet_file.string(), *listen));
    print_result(invocation.json ? doctor::render_json(findings) : doctor::render(findings));
    return doctor::any_bad(findings) ? Exit::no : Exit::done;
}

}  // namespace

void add_doctor(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "doctor", "Look at this machine and the boards' wire for what keeps boards from booting"
    );
    command->footer(
        "Looks at the interface, at other DHCP servers and spanning tree on the wire, at who holds "
        "the\n"
        "ports, at the firewall, NFS exports, disk and clock, and says of each what it found and "
        "what to\n"
        "do. It changes nothing; on the wire it sends two DISCOVERs and takes no offer. On a NAS "
        "that is to\n"
        "hold the roots (nfs: external) it makes a file, gives it away and removes it. As root it "
        "sees more.\n"
        "\n"
        "Examples:\n"
        "  sudo bramble doctor\n"
        "  sudo bramble doctor --listen 35s          a classic bridge speaks every 2 s, a slow "
        "server late\n"
        "  sudo bramble doctor --json | jq '.findings[] | select(.severity == \"bad\")'\n"
        "\n"
        "Exit code 1 when something will keep boards from booting."
    );
    auto arguments = std::make_shared<DoctorArguments>();
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object: ok, findings");
    command->add_option("--listen", arguments->listen, "How long to listen to the wire")
        ->type_name("DURATION")
        ->capture_default_str();
    command->callback([&invocation, arguments] {
        invocation.exit = examine(invocation, *arguments);
    });
}

}  // namespace bramble::program
