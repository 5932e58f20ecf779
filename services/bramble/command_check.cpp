#include <fmt/core.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <mutex>

#include "config/layout/store_paths.hpp"
#include "config/yaml/load.hpp"
#include "provisioning/apply/image_pins.hpp"
#include "provisioning/host/real_host.hpp"
#include "services/bramble/export_look.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/generations.hpp"
#include "services/bramble/invocation.hpp"
#include "services/rehearsal/export_check.hpp"

namespace bramble::program {
namespace {

namespace json = boost::json;

struct CheckArguments {
    bool exports = false;
    std::vector<std::string> boards;
};

// More good exports than these are a number, not lines.
constexpr std::size_t good_shown_max = 20;

json::object problems_json(const yaml::LoadResult& loaded) {
    json::array problems;
    for (const yaml::Diagnostic& diagnostic : loaded.diagnostics) {
        problems.push_back(json::object{
            {"severity", diagnostic.severity == yaml::Severity::error ? "error" : "warning"},
            {"file", diagnostic.file},
            {"line", diagnostic.line},
            {"column", diagnostic.column},
            {"message", diagnostic.message},
            {"source_line", diagnostic.source_line},
        });
    }
    return {
        {"ok", loaded.fleet.has_value()},
        {"boards", loaded.fleet ? loaded.fleet->boards.size() : 0},
        {"problems", std::move(problems)},
    };
}

// ---- fleet.lock

// Whether it can be read; pins that do not fit are warnings.
bool check_lock_file(
    const fleet::Fleet& fleet, const Invocation& invocation, json::object& result
) {
    host::RealHost host;
    bool sound = true;
    for (const plan::Problem& problem : apply::lock_problems(fleet, host)) {
        const std::string_view severity = problem.fatal ? "error" : "warning";
        if (problem.fatal) sound = false;
        if (!invocation.json) print_result(fmt::format("{}: {}", severity, problem.message));
        result["problems"].as_array().push_back(json::object{
            {"severity", severity},
            {"file", ""},
            {"line", 0},
            {"column", 0},
            {"message", problem.message},
            {"source_line", ""},
        });
    }
    if (!sound) result["ok"] = false;
    return sound;
}

// ---- exports

json::object export_json(const rehearsal::Report& report) {
    json::array problems;
    for (const rehearsal::Finding& finding : report.findings) {
        problems.push_back(json::object{{"sentence", finding.sentence}, {"remedy", finding.remedy}}
        );
    }
    json::array seen;
    for (const rehearsal::Line& line : report.story) seen.emplace_back(line.text);
    return {
        {"board", report.board},
        {"server", report.asked->root.server},
        {"path", report.asked->root.path},
        {"nfs_version", report.asked->root.version},
        {"kernel_release", report.asked->kernel_release},
        {"ok", report.findings.empty()},
        {"problems", std::move(problems)},
        {"seen", std::move(seen)},
    };
}

json::object exports_json(const ExportLooks& looks, std::uint64_t generation) {
    json::array exports;
    for (const rehearsal::Report& report : looks.reports) exports.push_back(export_json(report));
    json::array without;
    for (const std::string& board : looks.without_root) without.emplace_back(board);
    return {
        {"generation", generation},
        {"exports", std::move(exports)},
        {"without_root", std::move(without)},
    };
}

std::string exports_text(const ExportLooks& looks, std::uint64_t generation) {
    std::string text;
    const auto good = [](const rehearsal::Report& report) { return report.findings.empty(); };
    const auto count = static_cast<std::size_t>(std::ranges::count_if(looks.reports, good));
    if (count <= good_shown_max) {
        for (const rehearsal::Report& report : looks.reports) {
            if (!good(report)) continue;
            text += fmt::format("{}  ", report.board);
            for (const rehearsal::Line& line : report.story) {
                text += fmt::format("{}{}", &line == &report.story.front() ? "" : "; ", line.text);
            }
            text += '\n';
        }
    }
    text += rehearsal::render_findings(looks.reports);
    if (!looks.without_root.empty()) {
        text += fmt::format("{} boards mount no root\n", looks.without_root.size());
    }
    return text + fmt::format(
                      "generation {}: {} of {} exports are as their boards need them\n",
                      generation,
                      count,
                      looks.reports.size()
                  );
}

ExportLookOptions look_options(const CheckArguments& arguments) {
    ExportLookOptions options;
    options.boards = arguments.boards;
    if (::isatty(STDERR_FILENO) == 0) return options;
    options.on_progress = [lock =
                               std::make_shared<std::mutex>()](std::size_t done, std::size_t of) {
        const std::lock_guard held(*lock);
        fmt::print(stderr, "\r\033[K{} of {} exports looked at", done, of);
        if (done == of) fmt::print(stderr, "\r\033[K");
    };
    return options;
}

Exit check_exports(
    const Invocation& invocation, const CheckArguments& arguments, json::object& result
) {
    const auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return print_error(loaded.error().message, Exit::no);
    const auto generation =
        load_current_generation(layout::StorePaths(loaded->fleet.appliance.store));
    if (!generation) return print_error(generation.error().message, Exit::machine);
    if (*generation == nullptr) {
        return print_error(
            "nothing is published yet, so nothing is exported: run `bramble apply`", Exit::no
        );
    }
    const layout::Manifest& manifest = (*generation)->manifest();
    const auto looks = look_at_exports(loaded->fleet, manifest, look_options(arguments));
    if (!looks) return print_error(looks.error().message, Exit::usage);
    if (invocation.json) {
        result.insert_or_assign("exports", exports_json(*looks, manifest.generation));
    } else {
        print_result(exports_text(*looks, manifest.generation));
    }
    const bool sound = std::ranges::all_of(looks->reports, [](const rehearsal::Report& report) {
        return report.findings.empty();
    });
    return sound ? Exit::done : Exit::no;
}

Exit check(const Invocation& invocation, const CheckArguments& arguments) {
    if (!arguments.exports && !arguments.boards.empty()) {
        return print_error(
            "boards are named for --exports: add it, or leave them out", Exit::usage
        );
    }
    yaml::DiskFiles files;
    const yaml::LoadResult loaded = yaml::load(invocation.fleet_file, files);
    json::object result = problems_json(loaded);
    if (!invocation.json) {
        // The problems are the result here, so that a pipe gets them.
        print_result(yaml::render(loaded.diagnostics));
    }
    Exit exit = loaded.fleet ? Exit::done : Exit::no;
    if (loaded.fleet && !check_lock_file(*loaded.fleet, invocation, result)) exit = Exit::no;
    if (exit == Exit::done && !invocation.json) {
        print_result(fmt::format(
            "{}: sound: {} boards, {} profiles, {} images",
            invocation.fleet_file.string(),
            loaded.fleet->boards.size(),
            loaded.fleet->profiles.size(),
            loaded.fleet->images.size()
        ));
    }
    if (exit == Exit::done && arguments.exports) {
        exit = check_exports(invocation, arguments, result);
        if (exit != Exit::done && exit != Exit::no) return exit;
        result.insert_or_assign("ok", exit == Exit::done);
    }
    if (invocation.json) print_result(json::serialize(result));
    return exit;
}

std::string check_footer() {
    return fmt::format(
        "--exports mounts the root of each board of the current generation through libnfs, with\n"
        "the NFS version of its command line, and looks as the board would: /sbin/init (or init=)\n"
        "through its links, the modules of the kernel that it boots, that root is not squashed,\n"
        "and, where it may write, that {} MB and {} files are free. It is seen from this machine:\n"
        "that an export is open to the board's own address is not part of it. Run it as root.\n"
        "\n"
        "Examples:\n"
        "  bramble check\n"
        "  bramble check --fleet ./lab.yaml --json | jq '.problems[].message'\n"
        "  sudo bramble check --exports                 of every board\n"
        "  sudo bramble check --exports pi-01 pi-02     of these\n"
        "  sudo bramble check --exports --json | jq '.exports.exports[] | select(.ok | not)'\n"
        "\n"
        "Exit code 0 when the file is sound (warnings may be printed) and no export has a\n"
        "problem, 1 when not.",
        rehearsal::room_bytes_min / 1'000'000,
        rehearsal::room_files_min
    );
}

}  // namespace

void add_check(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "check",
        "Read the fleet file and print every problem with its line and a remedy; with --exports, "
        "also what boards would find in their roots"
    );
    command->footer(check_footer());
    auto arguments = std::make_shared<CheckArguments>();
    add_fleet_option(*command, invocation);
    add_json_option(
        *command, invocation, "One JSON object: ok, boards, problems, and exports when asked for"
    );
    command->add_flag("--exports", arguments->exports, "Mount the boards' exports and look");
    command->add_option("board", arguments->boards, "With --exports: of these boards only")
        ->type_name("BOARD");
    command->callback([&invocation, arguments] { invocation.exit = check(invocation, *arguments); }
    );
}

void add_schema(CLI::App& app, Invocation& invocation) {
    CLI::App* command =
        app.add_subcommand("schema", "Print the JSON Schema of the fleet file, for editors");
    command->footer(
        "Example, for an editor with yaml-language-server: write\n"
        "  bramble schema > fleet.schema.json\n"
        "and begin the fleet file with\n"
        "  # yaml-language-server: $schema=fleet.schema.json"
    );
    command->callback([&invocation] {
        print_result(yaml::json_schema());
        invocation.exit = Exit::done;
    });
}

}  // namespace bramble::program
