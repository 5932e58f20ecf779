#include <spdlog/spdlog.h>

#include <utility>

#include "config/layout/up_report.hpp"
#include "services/bramble/operator_token.hpp"
#include "services/bramble/serving.hpp"
#include "services/web/same_site.hpp"
#include "services/web/up_report.hpp"

namespace bramble::program {
namespace {

constexpr std::size_t admin_connections_max = 256;
constexpr std::size_t reports_connections_max = 256;  // a whole room may come up within a second
// Pages that fall further behind ask for everything anew: a few thousand rows.
constexpr std::size_t live_backlog_bytes_max = 1024 * 1024;

web::Request to_web(const io::HttpRequest& request) {
    return {
        request.method,
        request.target,
        request.authorization,
        request.if_none_match,
        request.host,
        request.origin,
        request.fetch_site,
        request.marker,
        request.content_type,
        request.body};
}

std::string peer_of(const io::HttpRequest& request) {
    return request.peer ? request.peer->to_string() : "?";
}

}  // namespace

io::EventStreamLimits Serving::live_limits() {
    io::EventStreamLimits limits;
    limits.backlog_bytes_max = live_backlog_bytes_max;
    return limits;
}

Result<void> Serving::open_http() {
    const fleet::AdminSettings& admin = fleet_->appliance.admin;
    if (admin.token_file) {
        // While we may still read what is root's alone.
        auto token = read_token(*admin.token_file);
        if (!token) return tl::unexpected(token.error());
        admin_token_ = std::move(*token);
    }
    const auto listen = [this](
                            const std::string& address,
                            std::uint16_t port,
                            io::HttpHandler handler,
                            const io::HttpLimits& limits,
                            std::optional<io::HttpListener>& to
                        ) -> Result<void> {
        auto opened = io::HttpListener::open(loop_, address, port, std::move(handler), limits);
        if (!opened) return tl::unexpected(opened.error());
        to = std::move(*opened);
        return {};
    };
    io::HttpLimits limits;
    limits.connections_max = admin_connections_max;
    limits.body_bytes_max = web::operation_bytes_max;
    const auto answer = [this](const io::HttpRequest& request) { return answer_admin(request); };
    if (auto ok = listen(admin.address, admin.port, answer, limits, admin_); !ok) return ok;
    if (admin.wall) {
        const auto show = [this](const io::HttpRequest& request) { return answer_wall(request); };
        auto ok = listen(admin.wall->address, admin.wall->port, show, limits, wall_);
        if (!ok) return ok;
    }
    io::HttpLimits of_reports;
    of_reports.body_bytes_max = 4096;
    of_reports.connections_max = reports_connections_max;
    of_reports.requests_per_connection_max = 1;
    const auto report = [this](const io::HttpRequest& request) { return answer_board(request); };
    const std::string address = fleet_->appliance.address.address().to_string();
    return listen(address, layout::up_report_port, report, of_reports, board_reports_);
}

Serving::Gathered Serving::gather() const {
    const io::TftpFigures figures = tftp_->figures();
    Gathered out;
    web::ServerFacts& facts = out.facts;
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
    facts.link_use = link_use_;
    out.admission = doorman_.status(facts.now);
    return out;
}

io::HttpResponse Serving::to_io(web::Response response) const {
    io::HttpResponse out{
        response.status,
        std::move(response.content_type),
        std::move(response.body),
        std::move(response.headers)};
    if (response.stream == web::Stream::events) out.events = events_;
    if (response.stream == web::Stream::live) out.events = live_;
    return out;
}

bool Serving::may_read(const io::HttpRequest& request) const {
    if (!admin_token_) return true;
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view given = request.authorization;
    return given.starts_with(scheme) && web::is_token(given.substr(scheme.size()), *admin_token_);
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
        if (!admin_token_ && !web::is_our_host(request.host, fleet_->appliance.admin.names)) {
            return {
                421, "text/plain", "ask by address, or add the name to admin: {names: […]}\n", {}};
        }
        return {200, metrics::content_type, metrics::render(figures()), {}};
    }
    const Gathered gathered = gather();
    web::View view = gathered.view(*this);
    const web::Request asked = to_web(request);
    std::vector<boards::Boot> kept;
    std::function<std::string(TimePoint)> kept_console;
    if (const auto board = web::history_wanted(asked); board && may_read(request)) {
        kept = kept_boots(*board);
        view.kept = &kept;
        kept_console = [this, name = std::string(*board)](TimePoint started) {
            return this->kept_console(name, started);
        };
        view.kept_console = &kept_console;
    }
    web::Response response =
        web::answer(asked, view, web::Access{admin_token_, fleet_->appliance.admin.names});
    if (response.stream == web::Stream::live) begin_live();
    if (std::holds_alternative<std::monostate>(response.later)) return to_io(std::move(response));
    return work_out(std::move(response.later), peer_of(request));
}

io::HttpResponse Serving::answer_wall(const io::HttpRequest& request) {
    const Gathered gathered = gather();
    web::Response response = web::answer_public(to_web(request), gathered.view(*this));
    const bool is_live = response.stream == web::Stream::live;
    io::HttpResponse out = to_io(std::move(response));
    if (is_live) {
        begin_live();
        out.events = wall_live_;
    }
    return out;
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
        on_report(report, request.body, *request.peer);
    } else {
        spdlog::warn("report refused peer={} status={}", peer_of(request), report.response.status);
    }
    return to_io(std::move(report.response));
}

}  // namespace bramble::program
