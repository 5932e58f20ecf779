#include <fmt/core.h>

#include <boost/json.hpp>

#include "config/yaml/load.hpp"
#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

std::string to_json(const yaml::LoadResult& loaded) {
    boost::json::array problems;
    for (const yaml::Diagnostic& diagnostic : loaded.diagnostics) {
        problems.push_back(boost::json::object{
            {"severity", diagnostic.severity == yaml::Severity::error ? "error" : "warning"},
            {"file", diagnostic.file},
            {"line", diagnostic.line},
            {"column", diagnostic.column},
            {"message", diagnostic.message},
            {"source_line", diagnostic.source_line},
        });
    }
    return boost::json::serialize(boost::json::object{
        {"ok", loaded.fleet.has_value()},
        {"boards", loaded.fleet ? loaded.fleet->boards.size() : 0},
        {"problems", std::move(problems)},
    });
}

Exit check(const Invocation& invocation) {
    yaml::DiskFiles files;
    const yaml::LoadResult loaded = yaml::load(invocation.fleet_file, files);
    if (invocation.json) {
        print_result(to_json(loaded));
    } else {
        // The problems are the result here, so that a pipe gets them.
        print_result(yaml::render(loaded.diagnostics));
        if (loaded.fleet) {
            print_result(fmt::format(
                "{}: sound: {} boards, {} profiles, {} images",
                invocation.fleet_file.string(),
                loaded.fleet->boards.size(),
                loaded.fleet->profiles.size(),
                loaded.fleet->images.size()
            ));
        }
    }
    return loaded.fleet ? Exit::done : Exit::no;
}

}  // namespace

void add_check(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand(
        "check", "Read the fleet file and print every problem with its line and a remedy"
    );
    command->footer(
        "Examples:\n"
        "  bramble check\n"
        "  bramble check --fleet ./lab.yaml --json | jq '.problems[].message'\n"
        "\n"
        "Exit code 0 when the file is sound (warnings may be printed), 1 when it is not."
    );
    add_fleet_option(*command, invocation);
    add_json_option(*command, invocation, "One JSON object: ok, boards, problems");
    command->callback([&invocation] { invocation.exit = check(invocation); });
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
