#include <fmt/core.h>

#include "services/bramble/invocation.hpp"

namespace bramble::program {

void add_version(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand("version", "Say which Bramble this is");
    add_json_option(*command, invocation, "As a JSON object");
    command->callback([&invocation] {
        print_result(
            invocation.json ? fmt::format(R"({{"name":"bramble","version":"{}"}})", BRAMBLE_VERSION)
                            : fmt::format("bramble {}", BRAMBLE_VERSION)
        );
    });
}

}  // namespace bramble::program
