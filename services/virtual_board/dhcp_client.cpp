#include "services/virtual_board/dhcp_client.hpp"

#include <algorithm>

namespace bramble::virtual_board {

namespace {

using std::chrono::seconds;

// net/ipv4/ipconfig.c: CONF_BASE_TIMEOUT 2 s, CONF_TIMEOUT_MULT 7/4, CONF_TIMEOUT_MAX 30 s.
Duration kernel_timeout(unsigned sends) {
    Duration timeout = seconds(2);
    for (unsigned i = 1; i < sends; ++i) timeout = std::min<Duration>(timeout * 7 / 4, seconds(30));
    return timeout;
}

}  // namespace

Ipv4Address class_mask(Ipv4Address address) {
    const std::uint32_t first = address.value() >> 24U;
    if (first < 128) return Ipv4Address(0xff000000U);
    if (first < 192) return Ipv4Address(0xffff0000U);
    return Ipv4Address(0xffffff00U);
}

DhcpClient::DhcpClient(
    const BoardSpec& spec, DhcpStage stage, std::uint32_t xid, TimePoint now, Counters& counters
)
    : spec_(spec), stage_(stage), xid_(xid), counters_(counters), begun_(now), resend_at_(now) {
    if (stage == DhcpStage::firmware) {
        if (spec.profile.family == Family::pi3) {
            xid_ = pi3_xid;
        } else {
            phase_ends_ = now + spec.eeprom.dhcp_timeout;
        }
        boot_ = spec.eeprom.tftp_ip;  // then any lease suffices (fact sheet 1.4)
    }
}

std::uint16_t DhcpClient::secs(TimePoint now) const {
    if (stage_ == DhcpStage::firmware) return 0;
    return static_cast<std::uint16_t>(std::chrono::floor<seconds>(now - begun_).count());
}

std::optional<std::vector<std::byte>> DhcpClient::poll_transmit(TimePoint now) {
    if (!send_due_ || finished()) return std::nullopt;
    send_due_ = false;
    ++sends_;
    schedule_resend(now);
    if (requesting_) {
        ++counters_.requests;
        return make_request(spec_, stage_, xid_, secs(now), {part_->yiaddr, part_->server});
    }
    ++counters_.discovers;
    return make_discover(spec_, stage_, xid_, secs(now));
}

void DhcpClient::schedule_resend(TimePoint now) {
    switch (stage_) {
        case DhcpStage::firmware:
            if (spec_.profile.family == Family::pi3) {
                resend_at_ = now + seconds(5);
            } else if (requesting_) {
                resend_at_ = now + spec_.eeprom.dhcp_req_timeout;
            } else {  // seen at 0, +8 and +24 s: twice DHCP_REQ_TIMEOUT, doubling
                resend_at_ = now + spec_.eeprom.dhcp_req_timeout * (1LL << std::min(sends_, 16U));
            }
            return;
        case DhcpStage::kernel:
            resend_at_ = now + kernel_timeout(sends_);
            return;
        case DhcpStage::userspace:
            resend_at_ = now + seconds(4);
            return;
    }
}

std::optional<TimePoint> DhcpClient::next_deadline() const {
    if (finished()) return std::nullopt;
    if (send_due_) return begun_;  // at once
    return phase_ends_ ? std::min(*phase_ends_, resend_at_) : resend_at_;
}

void DhcpClient::on_deadline(TimePoint now) {
    if (finished() || send_due_) return;
    if (phase_ends_ && now >= *phase_ends_) return give_up();
    if (now < resend_at_) return;
    if (stage_ == DhcpStage::firmware && spec_.profile.family == Family::pi3 &&
        sends_ >= rom_tries_max) {
        return give_up();
    }
    if (stage_ == DhcpStage::userspace && sends_ >= userspace_sends_max) return give_up();
    // ipconfig.c begins again for ever when the root is on NFS ("Retrying forever (NFS root)").
    if (stage_ == DhcpStage::kernel && sends_ >= kernel_sends_max) restart(now);
    send_due_ = true;
}

void DhcpClient::give_up() {
    failure_ = requesting_ ? Failure::no_ack : Failure::no_offer;
}

void DhcpClient::restart(TimePoint now) {
    part_.reset();
    boot_ = stage_ == DhcpStage::firmware ? spec_.eeprom.tftp_ip : std::nullopt;
    requesting_ = false;
    sends_ = 0;
    send_due_ = true;
    if (phase_ends_) phase_ends_ = now + spec_.eeprom.dhcp_timeout;
}

void DhcpClient::on_reply(const DhcpReply& reply, Ipv4Address source, TimePoint now) {
    if (finished() || reply.xid != xid_ || reply.chaddr != spec_.mac) return;
    if (reply.type == ReplyType::offer) {
        ++counters_.offers;
        if (!requesting_) collect(reply, source, now);
        return;
    }
    // Only the server that was asked may answer a REQUEST.
    if (!requesting_ || (reply.server && *reply.server != part_->server)) return;
    if (reply.type == ReplyType::nak) {
        ++counters_.naks;
        if (++naks_ >= naks_max) return give_up();
        ++xid_;
        return restart(now);
    }
    if (reply.yiaddr == part_->yiaddr) finish(reply, *part_);
}

// Fact sheet 1.6: OFFERs are merged; one may give the address and another the boot server.
void DhcpClient::collect(const DhcpReply& reply, Ipv4Address source, TimePoint now) {
    const bool gives_address = reply.yiaddr.is_set() && reply.server.has_value();
    const auto boot = stage_ == DhcpStage::firmware
                          ? boot_server(reply, source, spec_.eeprom.pxe_option43)
                          : std::nullopt;
    if (!gives_address && !boot) {
        ++counters_.offers_refused;
        return;
    }
    if (gives_address && !part_) {
        part_ = AddressPart{reply.yiaddr, reply.mask, reply.router, *reply.server, reply};
    }
    if (boot && !boot_) boot_ = boot;
    if (!part_ || (stage_ == DhcpStage::firmware && !boot_)) return;
    if (stage_ == DhcpStage::firmware && !spec_.profile.sends_request) {
        const DhcpReply offer = part_->offer;
        return finish(offer, *part_);
    }
    requesting_ = true;
    if (stage_ != DhcpStage::kernel) sends_ = 0;
    send_due_ = true;
    resend_at_ = now;
}

void DhcpClient::finish(const DhcpReply& reply, const AddressPart& part) {
    lease_ = Lease{
        .address = part.yiaddr,
        .mask = reply.mask ? *reply.mask : part.mask.value_or(class_mask(part.yiaddr)),
        .router = reply.router ? reply.router : part.router,
        .server = part.server,
        .boot = boot_,
        .next_server = reply.siaddr,
        .root_path = reply.root_path.value_or("")};
}

}  // namespace bramble::virtual_board
