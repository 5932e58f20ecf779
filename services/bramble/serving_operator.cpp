// Answers that are worked out beside the loop: what operators change, why a board gets what it
// gets, which generations there are.
#include <spdlog/spdlog.h>

#include <utility>

#include "services/bramble/explanation.hpp"
#include "services/bramble/generation_list.hpp"
#include "services/bramble/serving.hpp"
#include "services/rehearsal/dhcp_answers.hpp"
#include "services/web/json.hpp"

namespace bramble::program {
namespace {

struct Explainer {
    std::shared_ptr<const fleet::Fleet> fleet;
    io::GenerationPtr generation;

    web::Response operator()(const std::string& name) const {
        const fleet::Board* board = fleet->find_board(name);
        const layout::BoardEntry* entry =
            board == nullptr || !generation ? nullptr : generation->manifest().find_board(name);
        if (entry == nullptr) {
            return web::api_answer(
                404, web::error_json("nothing is published for this board yet: run `bramble apply`")
            );
        }
        const layout::Manifest& manifest = generation->manifest();
        const rehearsal::DhcpAnswers dhcp = rehearsal::ask_dhcp(*fleet, manifest, *entry);
        return web::api_answer(
            200, render_explanation_json({*fleet, manifest, *board, *entry, dhcp})
        );
    }
};

web::Response generations_of(const fleet::Fleet& fleet) {
    const auto list = list_generations(fleet);
    if (!list) return web::api_answer(500, web::error_json(list.error().message));
    return web::api_answer(200, plan::render_json(*list));
}

web::Response response_of(const Result<web::Outcome>& outcome) {
    if (!outcome) return web::api_answer(503, web::error_json(outcome.error().message));
    return web::api_answer(
        outcome->status,
        outcome->status == 200 ? web::done_json(outcome->message)
                               : web::error_json(outcome->message)
    );
}

}  // namespace

io::HttpResponse Serving::answer_beside(std::function<web::Response()> work) {
    io::HttpResponse out;
    out.later = [this, work = std::move(work)](const std::function<void(io::HttpResponse)>& give) {
        const bool taken = errands_.add([this, work, give] {
            loop_.post([this, give, response = work()] { give(to_io(response)); });
        });
        if (taken) return;
        loop_.post([this, give] {
            give(to_io(web::api_answer(503, web::error_json("too many ask at once"))));
        });
    };
    return out;
}

io::HttpResponse Serving::change(const web::Change& change, std::string peer) {
    const web::Asked asked{change.token, std::move(peer), change.operation};
    if (!options_.operate) {
        return to_io(web::api_answer(503, web::error_json("nothing can be changed from here")));
    }
    return answer_beside([this, asked] {
        const Result<web::Outcome> outcome = options_.operate(asked);
        spdlog::log(
            outcome && outcome->status == 200 ? spdlog::level::info : spdlog::level::warn,
            "changed asked=\"{}\" peer={} status={}",
            web::describe(asked.operation),
            asked.peer,
            outcome ? outcome->status : 503
        );
        const bool is_rollback = std::holds_alternative<web::RollBack>(asked.operation);
        if (outcome && outcome->status == 200 && !is_rollback) {
            loop_.post([this] { reload("an operator changed the fleet"); });
        }
        return response_of(outcome);
    });
}

io::HttpResponse Serving::work_out(web::Later later, std::string peer) {
    if (const auto* wanted = std::get_if<web::Change>(&later)) {
        return change(*wanted, std::move(peer));
    }
    if (const auto* wanted = std::get_if<web::ExplanationOf>(&later)) {
        return answer_beside([explain = Explainer{fleet_, current_}, name = wanted->board] {
            return explain(name);
        });
    }
    return answer_beside([fleet = fleet_] { return generations_of(*fleet); });
}

}  // namespace bramble::program
