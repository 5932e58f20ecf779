// The numbers of all parts, gathered for one reading of the metrics.
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
    if (story.boot) take(*story.boot);
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
        for (const dhcp::Lease& lease : dhcp_server_->leases(loop_.now())) {
            ++dhcp.leases;
            if (pool && pool->contains(lease.address)) ++dhcp.pool_leases;
        }
        dhcp.pool_addresses = pool ? pool->count() : 0;
        out.dhcp = dhcp;
    }
    const io::TftpFigures tftp = tftp_->figures();
    out.tftp.counters = tftp.engine;
    out.tftp.open_transfers = tftp.open_transfers;
    out.tftp.requests_dropped = tftp.requests_dropped;
    out.tftp.datagrams_not_sent = tftp.sender.refused;
    out.boots = boots_;
    for (const auto& [name, story] : tracker_.boards()) {
        out.boards.push_back(figures_of(name, story));
    }
    out.strangers = tracker_.strangers().size();
    out.generation = current_ ? current_->manifest().generation : 0;
    out.reload = reloads_;
    return out;
}

}  // namespace bramble::program
