// The numbers of all parts, gathered for one reading of the metrics.
#include <algorithm>

#include "services/bramble/apply_record.hpp"
#include "services/bramble/serving.hpp"

namespace bramble::program {
namespace {

metrics::BoardFigures figures_of(const std::string& name, const boards::BoardStory& story) {
    metrics::BoardFigures out;
    out.name = name;
    out.condition = story.condition();
    const auto take = [&out](const boards::Boot& boot) {
        if (!out.last_boot && boot.state == boards::BootState::up) out.last_boot = boot.total();
    };
    if (story.boot) {
        take(*story.boot);
        if (!story.boot->finished()) out.phase = story.boot->phase;
    }
    for (const boards::Boot& earlier : story.history) take(earlier);
    return out;
}

}  // namespace

metrics::Figures Serving::figures() const {
    metrics::Figures out;
    out.version = BRAMBLE_VERSION;
    out.started = started_at_;
    const auto& pool = fleet_->appliance.dhcp.pool;
    if (dhcp_) {
        metrics::DhcpFigures dhcp;
        dhcp.counters = dhcp_server_->counters();
        dhcp.replies_not_durable = dhcp_->counters().not_durable;
        dhcp.replies_not_sent = dhcp_->counters().not_sent;
        dhcp.overflowed = dhcp_->overflowed();
        for (const dhcp::Lease& lease : dhcp_server_->leases(loop_.now())) {
            ++dhcp.leases;
            if (pool && pool->contains(lease.address)) ++dhcp.pool_leases;
        }
        dhcp.pool_addresses = pool ? pool->count() : 0;
        dhcp.authoritative = fleet_->appliance.dhcp.mode == fleet::DhcpMode::authoritative;
        out.dhcp = dhcp;
    }
    const io::TftpFigures tftp = tftp_->figures();
    out.tftp.counters = tftp.engine;
    out.tftp.counters.events_dropped += tftp.events_dropped;
    out.tftp.open_transfers = tftp.open_transfers;
    out.tftp.requests_dropped = tftp.requests_dropped;
    out.tftp.datagrams_not_sent = tftp.sender.refused;
    out.tftp.answer_times = tftp.answer_times;
    out.tftp.overflowed_requests = tftp.overflowed_requests;
    out.tftp.overflowed_data = tftp.overflowed_data;
    if (fleet_->appliance.admission.enabled) {
        const admission::Status status = doorman_.status(loop_.now());
        metrics::AdmissionFigures figures;
        figures.counters = doorman_.counters();
        figures.inside = status.inside;
        figures.waiting = status.waiting.size();
        figures.capacity = status.capacity;
        figures.link_bytes_per_second = status.link_bytes_per_second;
        for (const admission::WaitingBoard& board : status.waiting) {
            figures.longest_wait = std::max(figures.longest_wait, board.waited);
        }
        out.admission = figures;
    }
    out.boots = boots_;
    for (const auto& [name, story] : tracker_.boards()) {
        out.boards.push_back(figures_of(name, story));
    }
    out.strangers = tracker_.strangers().size();
    out.generation = current_ ? current_->manifest().generation : 0;
    out.reload = reloads_;
    out.apply = last_apply(store_);
    return out;
}

}  // namespace bramble::program
