#include <spdlog/spdlog.h>

#include <utility>

#include "services/bramble/serving.hpp"
#include "services/web/up_report.hpp"

namespace bramble::program {
namespace {

web::Request to_web(const io::HttpRequest& request) {
    return {request.method, request.target, request.authorization, request.if_none_match};
}

}  // namespace

io::HttpResponse Serving::to_io(web::Response response) const {
    io::HttpResponse out{
        response.status,
        std::move(response.content_type),
        std::move(response.body),
        std::move(response.headers)};
    if (response.streams_events) out.events = events_;
    return out;
}

bool Serving::may_read(const io::HttpRequest& request) const {
    if (!admin_token_) return true;
    const std::string wanted = "Bearer " + *admin_token_;
    if (request.authorization.size() != wanted.size()) return false;
    // In the same time wherever the first difference is.
    unsigned char difference = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        difference |= static_cast<unsigned char>(wanted[i] ^ request.authorization[i]);
    }
    return difference == 0;
}

io::HttpResponse Serving::answer_admin(const io::HttpRequest& request) {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (request.target == "/metrics" && reads) {
        if (!may_read(request)) {
            return {
                401,
                "text/plain",
                "the token is missing or wrong\n",
                {{"WWW-Authenticate", "Bearer"}}};
        }
        return {200, metrics::content_type, metrics::render(figures()), {}};
    }
    const io::TftpFigures figures = tftp_->figures();
    web::ServerFacts facts;
    facts.version = BRAMBLE_VERSION;
    facts.now = loop_.now();
    facts.started = started_at_;
    if (current_) {
        facts.generation = current_->manifest().generation;
        facts.generation_created = current_->manifest().created;
    }
    facts.reload_error = reload_error_;
    facts.draining = draining_;
    facts.open_transfers = figures.open_transfers;
    facts.bytes_sent = figures.engine.out_data_bytes;
    facts.leases = dhcp_server_->leases(facts.now).size();
    const admission::Status admission = doorman_.status(facts.now);
    web::View view{facts, *fleet_, tracker_, &admission};
    const web::Request asked = to_web(request);
    std::vector<boards::Boot> kept;
    if (const auto board = web::history_wanted(asked); board && may_read(request)) {
        kept = kept_boots(*board);
        view.kept = &kept;
    }
    return to_io(web::answer(asked, view, web::Access{admin_token_}));
}

// Whose address this is: what DHCP saw last, else the fleet's reservation.
std::string_view Serving::board_at(Ipv4Address address) const {
    if (const auto found = addresses_.boards().find(address); found != addresses_.boards().end()) {
        return found->second;
    }
    for (const fleet::Board& board : fleet_->boards) {
        if (board.address == address) return board.name;
    }
    return {};
}

io::HttpResponse Serving::answer_board(const io::HttpRequest& request) {
    web::UpReport report = web::answer_up_report(
        to_web(request), *fleet_, request.peer ? board_at(*request.peer) : std::string_view()
    );
    if (!report.board.empty()) {
        on_reported_up(report.board, *request.peer);
    } else {
        spdlog::warn(
            "report refused peer={} status={}",
            request.peer ? request.peer->to_string() : "?",
            report.response.status
        );
    }
    return to_io(std::move(report.response));
}

}  // namespace bramble::program
