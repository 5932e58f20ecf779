// RFC 2131 §4.3.1: from DHCPDISCOVER to DHCPOFFER.
#include "services/dhcp/server_state.hpp"

namespace bramble::dhcp {

void Server::State::on_discover(const Request& request, Outcome& out) {
    const bool firmware = is_boot_firmware(request.client.kind);
    if (firmware && !may_begin(request, out)) return;
    if (!firmware) say(request, Discovered{request.message.xid, request.message.secs}, out);
    if (firmware) forget_outdated_lease(request, out);
    if (!delay_offer(request)) offer_address(request, out);
}

void Server::State::offer_address(const Request& request, Outcome& out) {
    if (request.board != nullptr && request.board->address) {
        return offer_reserved(request, *request.board->address, out);
    }
    offer_from_pool(request, 1, out);
}

// True when the offer leaves later, or has been waiting already.
bool Server::State::delay_offer(const Request& request) {
    if (request.client.kind != ClientKind::pi_firmware || !is_pi3(request)) return false;
    const auto found = delayed_.find(request.client.mac);
    if (found != delayed_.end()) {
        found->second.message = request.message;  // a repetition may have another xid
        found->second.arrival = request.arrival;
        return true;
    }
    if (delayed_.size() >= delayed_offers_max) return false;
    delayed_.emplace(
        request.client.mac, Delayed{request.message, request.arrival, request.now + pi3_offer_delay}
    );
    return true;
}

void Server::State::answer_delayed(const Delayed& delayed, TimePoint now, Outcome& out) {
    const Request request = identify(delayed.message, delayed.arrival, now);
    // Meanwhile the fleet may have changed.
    if (request.profile == nullptr || boot_plan(request).hold) return;
    if (mode() == fleet::DhcpMode::proxy) return offer_boot_server(request, out);
    if (mode() == fleet::DhcpMode::authoritative) offer_address(request, out);
}

// Whether boot firmware is answered at all. Other clients are: holding unknown boards back is about
// booting, and the pool is there for whoever is not in the fleet file.
bool Server::State::may_begin(const Request& request, Outcome& out) {
    const bool unknown = request.board == nullptr;
    const auto& policy = fleet_->appliance.unknown_boards;
    if (unknown) ++counters_.unknown_boards;
    if (unknown && std::holds_alternative<fleet::IgnoreUnknown>(policy)) return false;
    if (!request.released) {
        say(request, Discovered{request.message.xid, request.message.secs}, out);
    }
    if (unknown && request.profile == nullptr) {
        hold(request, HoldReason::unknown_board, "", out);
        return false;
    }
    if (unknown) say(request, EnrollWanted{request.profile->name}, out);
    if (gate_ != nullptr) {
        const BootCandidate candidate{request.client, request.board, request.profile};
        const GateAnswer answer = gate_->ask(candidate, request.now);
        if (const auto* wait = std::get_if<Wait>(&answer)) {
            hold(request, HoldReason::not_yet, wait->reason, out);
            keep_held(request);
            return false;
        }
        if (request.board != nullptr) held_.erase(request.board->name);
    }
    const BootPlan plan = boot_plan(request);
    if (plan.hold) hold(request, *plan.hold, "", out);
    return !plan.hold;
}

void Server::State::keep_held(const Request& request) {
    if (request.board == nullptr) return;
    TimePoint began = request.now;
    const auto before = held_.find(request.board->name);
    if (before != held_.end() && before->second.message.xid == request.message.xid) {
        began = before->second.began;
    }
    held_.insert_or_assign(
        request.board->name, HeldDiscover{request.message, request.arrival, began}
    );
}

// As if it came in now: waiting cost the board nothing but time.
void Server::State::release(const std::string& board, TimePoint now, Outcome& out) {
    const auto found = held_.find(board);
    if (found == held_.end()) return;
    if (now - found->second.began >= discover_time) {  // it will ask again, and be let in then
        held_.erase(found);
        return;
    }
    Request request = identify(found->second.message, found->second.arrival, now);
    request.released = true;
    dispatch(request, out);
}

void Server::State::hold(
    const Request& request, HoldReason reason, std::string detail, Outcome& out
) {
    ++counters_.held;
    if (reason == HoldReason::pool_exhausted) ++counters_.pool_exhausted;
    say(request, Held{reason, std::move(detail)}, out);
}

// Firmware that begins a boot has no address. A lease that the fleet file has since made another
// board's must not keep that board waiting, nor this one: two boards that swapped addresses would
// block each other.
void Server::State::forget_outdated_lease(const Request& request, Outcome& out) {
    const auto had = table_.address_of(request.key);
    if (!had || (request.board != nullptr && request.board->address == *had)) return;
    const bool still_its_own = !(request.board != nullptr && request.board->address) &&
                               table_.available(*had, request.key, request.now);
    if (still_its_own) return;
    if (auto change = table_.end_lease(*had, request.now)) {
        out.lease_changes.push_back(std::move(*change));
    }
}

const Lease* Server::State::lease_of_another(const Request& request, Ipv4Address address) const {
    const Lease* lease = table_.live_lease_at(address, request.now);
    if (lease == nullptr || lease->mac == request.client.mac) return nullptr;
    if (lease->serial && lease->serial == request.client.serial) return nullptr;
    if (!lease->board.empty() && lease->board == request.client.board) return nullptr;
    return lease;
}

void Server::State::offer_reserved(const Request& request, Ipv4Address address, Outcome& out) {
    if (const Lease* other = lease_of_another(request, address)) {
        return hold(request, HoldReason::reservation_busy, other->mac.to_string(), out);
    }
    send_offer(request, address, out);
}

void Server::State::offer_from_pool(const Request& request, unsigned attempt, Outcome& out) {
    if (!table_.pool().range) return hold(request, HoldReason::no_pool, "", out);
    for (auto& [address, pending] : pending_) {
        if (pending.key != request.key) continue;
        // U-Boot takes a new xid for every repetition: answer the last one, when the probe is done.
        pending.message = request.message;
        pending.arrival = request.arrival;
        return;
    }
    const auto wanted = request.message.options.address(OptionCode::requested_address);
    const auto choice = table_.choose(request.key, wanted, request.claim(), request.now);
    if (!choice) return hold(request, HoldReason::pool_exhausted, "", out);
    if (choice->reclaimed) {
        ++counters_.offers_reclaimed;
        pending_.erase(choice->address);
    }
    table_.offer(choice->address, request.key, request.claim(), request.now);
    if (!choice->fresh) return send_offer(request, choice->address, out);
    if (pending_.size() >= probes_max) {
        ++counters_.probes_skipped;
        return send_offer(request, choice->address, out);
    }
    ++counters_.probes;
    out.probes.push_back(Probe{choice->address});
    pending_.insert_or_assign(
        choice->address,
        Pending{request.message, request.arrival, request.key, attempt, request.now + probe_wait}
    );
}

void Server::State::send_offer(const Request& request, Ipv4Address address, Outcome& out) {
    ReplyFacts facts = facts_for(request, MessageType::offer, boot_plan(request));
    facts.yiaddr = address;
    facts.lease = lease_for(request);
    send(request, facts, destination_of(request.message, facts), out);
    say(request, Offered{address}, out);
    sight(request, address, true, out);
}

void Server::State::finish_pending(
    const Pending& pending, Ipv4Address address, TimePoint now, Outcome& out
) {
    const Request request = identify(pending.message, pending.arrival, now);
    // Meanwhile the fleet may have changed, or the offer been taken back.
    if (table_.holder_of(address, now) != pending.key || request.key != pending.key) return;
    if (!table_.available(address, request.key, now)) return;
    send_offer(request, address, out);
}

void Server::State::on_probe_result(Ipv4Address address, bool in_use, TimePoint now, Outcome& out) {
    const auto found = pending_.find(address);
    std::optional<Pending> pending;
    if (found != pending_.end()) {
        pending = std::move(found->second);
        pending_.erase(found);
    }
    if (!in_use) {
        if (pending) finish_pending(*pending, address, now, out);
        return;
    }
    // A leased address answers because its client does: the result came too late to mean anything.
    if (table_.live_lease_at(address, now) != nullptr || !table_.pool().contains(address)) return;
    if (auto change = table_.quarantine(address, now)) {
        out.lease_changes.push_back(std::move(*change));
    }
    ++counters_.quarantined;
    out.events.push_back(Event{now, {}, AddressConflict{address}});
    if (!pending || pending->attempts >= probe_attempts_max) return;
    const Request request = identify(pending->message, pending->arrival, now);
    offer_from_pool(request, pending->attempts + 1, out);
}

}  // namespace bramble::dhcp
