#include <fmt/core.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <memory>

#include "config/layout/store_paths.hpp"
#include "config/types/text.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/generations.hpp"
#include "services/bramble/invocation.hpp"
#include "services/massboot/world.hpp"

namespace bramble::program {
namespace {

struct SimulateArguments {
    unsigned boards = 0;  // 0: those of the fleet file
    std::string link = "1Gbit";
    std::string boot_size = "23600000";
    std::string profile = std::string(virtual_board::default_profile().name);
    std::string stagger = "0s";
    std::uint64_t seed = 1;
    unsigned group_max = 0;
    bool only_with = false;
    bool only_without = false;
};

constexpr Duration stagger_max = std::chrono::hours(1);
// A run without admission is given up after so many times what it took with it.
constexpr int patience = 2;
constexpr Duration patience_min = std::chrono::minutes(5);

std::string known_profiles() {
    std::string names;
    for (const virtual_board::Profile& profile : virtual_board::all_profiles()) {
        names += (names.empty() ? "" : ", ") + std::string(profile.name);
    }
    return names;
}

Result<massboot::PlanOptions> options_of(const SimulateArguments& arguments) {
    massboot::PlanOptions options;
    const auto link = parse_rate(arguments.link);
    if (!link) return fail("--link: " + link.error().message);
    const auto size = parse_size_bytes(arguments.boot_size);
    if (!size) return fail("--boot-size: " + size.error().message);
    const auto stagger = parse_duration(arguments.stagger);
    if (!stagger || *stagger > stagger_max) {
        return fail("--stagger takes a time up to 1h, such as 30s");
    }
    const auto profile = virtual_board::find_profile(arguments.profile);
    if (!profile) {
        return fail(fmt::format(
            "--profile: unknown firmware '{}' (known: {})", arguments.profile, known_profiles()
        ));
    }
    options.boards = arguments.boards;
    options.link_bits_per_second = *link;
    options.boot_bytes = *size;
    options.stagger = *stagger;
    options.profile = *profile;
    options.seed = arguments.seed;
    return options;
}

// The boards of the fleet file with what its current generation gives them.
Result<massboot::Plan> plan_of_file(
    const std::filesystem::path& file, const massboot::PlanOptions& options
) {
    auto loaded = load_fleet_with_enrolled(file);
    if (!loaded) return fail(loaded.error().message);
    const layout::StorePaths store(loaded->fleet.appliance.store);
    auto generation = load_current_generation(store);
    if (!generation) return fail(generation.error().message);
    if (*generation == nullptr) {
        return fail("nothing is published yet: `bramble apply` first, or say --boards N");
    }
    const auto read_text = [&store](const layout::ObjectFile& object) {
        std::ifstream in(store.object(object.digest), std::ios::binary);
        return in ? std::optional(std::string(std::istreambuf_iterator<char>(in), {}))
                  : std::nullopt;
    };
    return massboot::plan_of_fleet(loaded->fleet, (*generation)->manifest(), read_text, options);
}

// Tells on a terminal how far the run is; a line that the next one replaces.
massboot::OnProgress on_terminal(const char* what) {
    if (::isatty(STDERR_FILENO) == 0) return nullptr;
    return [what](const massboot::Progress& progress) {
        fmt::print(
            stderr,
            "\r\033[K{}: {:.0f} s simulated, {} of {} boards up",
            what,
            std::chrono::duration<double>(progress.elapsed).count(),
            progress.up,
            progress.boards
        );
        return true;
    };
}

massboot::Result run(massboot::Plan plan, bool admission) {
    massboot::World world(plan, admission);
    return world.run(on_terminal(admission ? "with admission" : "without admission"));
}

// The slowest of some boards, each with everything for itself: kernels differ by seconds, and the
// last board of a room is a slow one.
Duration one_boot(const massboot::Plan& plan) {
    constexpr std::size_t looked_at_max = 16;
    const std::size_t step = (plan.boards.size() + looked_at_max - 1) / looked_at_max;
    Duration slowest{};
    for (std::size_t i = 0; i < plan.boards.size(); i += step) {
        massboot::Plan alone = plan;
        alone.boards = {plan.boards[i]};
        alone.boards[0].power_after = {};
        massboot::World world(alone, false);
        const auto up = massboot::summarise(world.run(nullptr)).last_up;
        slowest = std::max(slowest, up.value_or(Duration{}));
    }
    return slowest;
}

Exit simulate(const Invocation& invocation, const SimulateArguments& arguments) {
    const auto options = options_of(arguments);
    if (!options) return print_error(options.error().message, Exit::usage);
    auto plan = arguments.boards > 0 ? massboot::plan_of_equals(*options)
                                     : plan_of_file(invocation.fleet_file, *options);
    if (!plan) {
        return print_error(plan.error().message, arguments.boards > 0 ? Exit::usage : Exit::no);
    }
    plan->admission.group_max = arguments.group_max;

    massboot::Comparison comparison;
    comparison.link_bits_per_second = plan->link_bits_per_second;
    comparison.one_boot = one_boot(*plan);
    if (!arguments.only_without) {
        const massboot::Result result = run(*plan, true);
        comparison.with_admission = massboot::summarise(result);
        plan->end_after = std::max(patience * result.elapsed, patience_min);
    }
    if (!arguments.only_with) {
        const massboot::Result result = run(*plan, false);
        comparison.without_admission = massboot::summarise(result);
        comparison.without_ended_after = result.elapsed;
    }
    if (::isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K");
    if (invocation.json) {
        print_result(massboot::render_json(comparison));
    } else {
        print_result(fmt::format(
            "{} boards, {} to fetch, one link of {} Mbit/s\n\n{}",
            plan->boards.size(),
            describe_bytes(plan->bytes_to_fetch()),
            plan->link_bits_per_second / 1'000'000,
            massboot::render(comparison)
        ));
    }
    const auto& judged =
        comparison.with_admission ? comparison.with_admission : comparison.without_admission;
    return judged->last_up ? Exit::done : Exit::no;
}

}  // namespace

void add_simulate(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "simulate", "Boot a room full of boards on paper, to plan it before switches are bought"
    );
    command->footer(
        "Powers boards on in virtual time: this program's own DHCP, TFTP and admission, the\n"
        "timers of real firmware, one link that all boards share. Compares a boot with admission\n"
        "and one without. Roots over NFS are not part of it, and no packet is lost but where a\n"
        "queue is full. Needs no root and touches nothing.\n"
        "\n"
        "With --boards: boards that are all alike. Without: the Raspberry Pi boards of the fleet\n"
        "file, with the files that its current generation gives them.\n"
        "\n"
        "Examples:\n"
        "  bramble simulate --boards 200                      200 boards behind 1 Gbit/s\n"
        "  bramble simulate --boards 48 --link 100Mbit --stagger 30s\n"
        "  bramble simulate --link 10Gbit                     the fleet file's boards\n"
        "  bramble simulate --boards 1000 --admission-only --json | jq .with_admission.last_up_s\n"
        "\n"
        "Exit code 1 when not every board came up (with admission, where both ran)."
    );
    auto arguments = std::make_shared<SimulateArguments>();
    add_fleet_option(*command, invocation);
    add_json_option(
        *command, invocation, "One JSON object: bound_s, with_admission, without_admission"
    );
    command
        ->add_option("--boards", arguments->boards, "So many boards, all alike, and no fleet file")
        ->check(CLI::Range(1U, static_cast<unsigned>(massboot::boards_max)));
    command->add_option("--link", arguments->link, "Speed of the link that all boards share")
        ->type_name("RATE")
        ->capture_default_str();
    command->add_option("--boot-size", arguments->boot_size, "What each of --boards fetches")
        ->type_name("BYTES")
        ->capture_default_str();
    command
        ->add_option("--profile", arguments->profile, "Firmware of the boards: " + known_profiles())
        ->type_name("NAME")
        ->capture_default_str();
    command->add_option("--stagger", arguments->stagger, "Power boards on evenly over so long")
        ->type_name("DURATION")
        ->capture_default_str();
    command->add_option(
        "--group-max", arguments->group_max, "Boards of one group at a time; 0: no limit"
    );
    command->add_option("--seed", arguments->seed, "Of the boards' own chance")
        ->capture_default_str();
    auto* with =
        command->add_flag("--admission-only", arguments->only_with, "Run only with admission");
    command->add_flag("--no-admission", arguments->only_without, "Run only without admission")
        ->excludes(with);
    command->callback([&invocation, arguments] {
        invocation.exit = simulate(invocation, *arguments);
    });
}

}  // namespace bramble::program
