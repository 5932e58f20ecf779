#include "services/bramble/operating.hpp"

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "services/bramble/changes.hpp"
#include "services/bramble/operator_token.hpp"
#include "services/web/json.hpp"

namespace bramble::program {
namespace {

web::Outcome outcome_of(const NotChanged& not_changed) {
    switch (not_changed.exit) {
        case Exit::usage:
            return {400, not_changed.message};
        case Exit::no:
            return {409, not_changed.message};
        default:
            return {500, not_changed.message};
    }
}

struct CarryOut {
    const std::filesystem::path& fleet_file;

    web::Outcome operator()(const web::Adopt& typed) const {
        const auto done = adopt(fleet_file, typed);
        return done ? web::Outcome{200, describe(*done, typed.name)} : outcome_of(done.error());
    }

    web::Outcome operator()(const web::Forget& typed) const {
        const auto from = forget(fleet_file, typed.name);
        return from ? web::Outcome{200, describe_forgotten(typed.name, *from)}
                    : outcome_of(from.error());
    }

    web::Outcome operator()(const web::RollBack& typed) const {
        const auto done = roll_back(fleet_file, typed.generation);
        return done ? web::Outcome{200, describe(*done)} : outcome_of(done.error());
    }
};

}  // namespace

web::Outcome Operating::carry_out(const web::Asked& asked) const {
    web::Outcome outcome;
    if (const auto token = read_token(token_file_); !token) {
        outcome = {500, token.error().message};
    } else if (!web::is_token(asked.token, *token)) {
        outcome = {401, "the token is not the operator's: `sudo bramble token` prints it"};
    } else {
        outcome = std::visit(CarryOut{fleet_file_}, asked.operation);
    }
    spdlog::log(
        outcome.status == 200 ? spdlog::level::info : spdlog::level::warn,
        "operator asked=\"{}\" peer={} status={}",
        web::describe(asked.operation),
        web::ascii(asked.peer),
        outcome.status
    );
    return outcome;
}

}  // namespace bramble::program
