#include "services/virtual_board/machine.hpp"

#include <fmt/format.h>

#include <bit>
#include <utility>

namespace bramble::virtual_board {

namespace {

using std::chrono::seconds;

constexpr unsigned boot_modes_max = 8;  // nibbles of BOOT_ORDER
constexpr std::uint32_t mode_network = 0x2;
constexpr std::uint32_t mode_stop = 0xe;
constexpr std::uint32_t mode_restart = 0xf;
constexpr std::size_t message_type_at = 242;       // option 53 is always the first
constexpr Duration retry_wait = seconds(5);        // NET_BOOT_MAX_RETRIES (fact sheet 8, row 9)
constexpr Duration mount_retry_wait = seconds(5);  // NFSROOT_TIMEOUT_MIN
constexpr Duration report_retry_wait = seconds(5);

std::uint32_t boot_mode(std::uint32_t order, unsigned index) {
    return index < boot_modes_max ? order >> 4U * index & 0xfU : 0;
}

bool has_network_mode(std::uint32_t order) {
    for (unsigned i = 0; i < boot_modes_max; ++i) {
        if (boot_mode(order, i) == mode_network) return true;
    }
    return false;
}

}  // namespace

Board::Machine::Machine(BoardSpec board_spec, FileObserver* observer)
    : spec(std::move(board_spec)), observer_(observer), chance_(spec.seed) {
    prefix = tftp_prefix_of(spec);
}

void Board::Machine::note(TimePoint now, std::string text, bool detail) {
    if (!spec.record_events) return;
    if (events_.size() >= events_max) events_.pop_front();
    events_.push_back({now, phase, std::move(text), detail});
}

void Board::Machine::enter(Phase next, TimePoint now) {
    phase = next;
    state_.emplace<Resting>();
    note(now, std::string(to_string(next)));
}

void Board::Machine::wait(Phase next, TimePoint now, Duration duration) {
    enter(next, now);
    state_.emplace<Waiting>(now + duration);
}

void Board::Machine::drop_address() {
    if (address) actions_.emplace_back(DropAddress{});
    address.reset();
}

void Board::Machine::on_power(TimePoint now) {
    ++counters.power_ons;
    drop_address();
    outgoing_.clear();
    port_ = first_port;  // so old source ports come back within seconds (fact sheet 10.3)
    restarts_ = retries_ = 0;
    boot_mode_ = 0;
    keep_prefix_ = false;
    last_failure = {};
    wait(Phase::power, now, spec.timing.power_on);
    settle(now);
}

void Board::Machine::on_power_off() {
    drop_address();
    outgoing_.clear();
    phase = Phase::off;
    state_.emplace<Resting>();
}

// Step 11 of fact sheet 10.2.
void Board::Machine::fail(BootFailure failure, TimePoint now) {
    const bool tftp = phase == Phase::eeprom_files || phase == Phase::firmware_files;
    const bool hung = failure.failure == Failure::duplicate_data_hang;
    last_failure = std::move(failure);
    note(now, fmt::format("failed: {}", last_failure.detail));
    if (hung) return enter(Phase::hung, now);
    const int retries_max = spec.eeprom.net_boot_max_retries;
    drop_address();
    if (tftp && (retries_max < 0 || retries_ < retries_max)) {
        ++retries_;
        keep_prefix_ = true;  // not reset between network retries (fact sheet 2.4)
        return wait(Phase::retry, now, retry_wait);
    }
    ++boot_mode_;
    next_boot_mode(now);
}

void Board::Machine::next_boot_mode(TimePoint now) {
    if (!has_network_mode(spec.eeprom.boot_order)) return enter(Phase::halted, now);
    for (; boot_mode_ < boot_modes_max; ++boot_mode_) {
        const std::uint32_t mode = boot_mode(spec.eeprom.boot_order, boot_mode_);
        if (mode == mode_network) {  // a new attempt toggles the link (fact sheet 8, row 1)
            retries_ = 0;
            keep_prefix_ = false;
            return wait(Phase::link, now, spec.timing.link_up);
        }
        if (mode == mode_stop) break;
        if (mode != mode_restart) continue;  // no card, no stick, no disk: the next one
        const int restarts_max = spec.eeprom.max_restarts;
        if (restarts_max >= 0 && restarts_ >= restarts_max) break;
        ++restarts_;
        ++counters.restarts;
        boot_mode_ = 0;
        return next_boot_mode(now);
    }
    enter(Phase::halted, now);
}

void Board::Machine::after_wait(TimePoint now) {
    switch (phase) {
        case Phase::power:
            return next_boot_mode(now);
        case Phase::link:
            deaf_until_ = now + spec.timing.stp_delay;
            return begin_address(now);
        case Phase::retry:
            return begin_address(now);
        case Phase::kernel:
            return begin_kernel_address(now);
        case Phase::root:
            return mount(now);
        case Phase::userspace:
            return report(now);
        default:
            return;
    }
}

void Board::Machine::begin_dhcp(Phase next, DhcpStage stage, TimePoint now) {
    enter(next, now);
    const auto xid = static_cast<std::uint32_t>(chance_.next());
    state_.emplace<Addressing>(DhcpClient(spec, stage, xid, now, counters));
}

void Board::Machine::begin_address(TimePoint now) {
    const Eeprom& eeprom = spec.eeprom;
    if (!eeprom.tftp_ip || !eeprom.client_ip || !eeprom.subnet) {
        return begin_dhcp(Phase::address, DhcpStage::firmware, now);
    }
    Lease fixed;
    fixed.address = *eeprom.client_ip;
    fixed.mask = *eeprom.subnet;
    fixed.router = eeprom.gateway;
    fixed.boot = eeprom.tftp_ip;
    on_lease(fixed, now);
}

void Board::Machine::configure(
    Ipv4Address own, Ipv4Address mask, std::optional<Ipv4Address> gateway
) {
    address = own;
    actions_.emplace_back(UseAddress{
        Ipv4Network(own, static_cast<unsigned>(std::countl_one(mask.value()))), gateway});
}

void Board::Machine::on_lease(const Lease& lease, TimePoint now) {
    note(
        now,
        fmt::format(
            "address {}, files from {}",
            lease.address.to_string(),
            lease.boot.value_or(Ipv4Address()).to_string()
        )
    );
    const bool on_link =
        (lease.address.value() & lease.mask.value()) == (lease.boot->value() & lease.mask.value());
    if (!on_link && !lease.router) {
        return fail(
            {Failure::no_route,
             lease.boot->to_string() + " is off-link and there is no gateway",
             {}},
            now
        );
    }
    configure(lease.address, lease.mask, lease.router);
    firmware_address_ = lease.address;
    server = lease.boot;
    begin_files(now);
}

// The kernel's own DHCP is over; it expects what the firmware had (fact sheet 10.2, step 9).
void Board::Machine::on_kernel_lease(const Lease& lease, TimePoint now) {
    if (firmware_address_ && *firmware_address_ != lease.address) ++counters.address_changes;
    note(now, "kernel: address " + lease.address.to_string());
    configure(lease.address, lease.mask, lease.router);
    NfsRoot& root = kernel_->root;
    std::string path = lease.root_path;
    std::string from = lease.next_server.is_set() ? lease.next_server.to_string() : "";
    if (const auto colon = path.find(':'); colon != std::string::npos) {
        from = path.substr(0, colon);
        path = path.substr(colon + 1);
    }
    if (root.server.empty()) root.server = from;
    if (root.path.empty()) root.path = path;
    mount(now);
}

void Board::Machine::send_dhcp(std::vector<std::byte> bytes, TimePoint now) {
    const bool request = bytes[message_type_at] == std::byte{3};
    note(now, request ? "REQUEST" : "DISCOVER", true);
    outgoing_.push_back(
        {address.value_or(Ipv4Address()),
         dhcp_client_port,
         Ipv4Address::broadcast(),
         dhcp_server_port,
         std::move(bytes)}
    );
}

void Board::Machine::settle_addressing(Addressing& addressing, TimePoint now) {
    while (auto bytes = addressing.client.poll_transmit(now)) send_dhcp(std::move(*bytes), now);
    if (!addressing.client.finished()) return;
    const std::optional<Lease> lease = addressing.client.lease();
    const Failure failure = addressing.client.failure();
    if (phase == Phase::userspace) return report(now);  // with or without a renewed lease
    if (!lease) {
        const bool silent = failure == Failure::no_offer;
        return fail(
            {failure, silent ? "no OFFER that names a boot server" : "no ACK for the REQUEST", {}},
            now
        );
    }
    if (phase == Phase::kernel_address) return on_kernel_lease(*lease, now);
    on_lease(*lease, now);
}

// Lets every consequence of what just happened happen, up to the next wait.
void Board::Machine::settle(TimePoint now) {
    while (true) {
        if (auto* waiting = std::get_if<Waiting>(&state_)) {
            if (now < waiting->until) return;
            after_wait(now);
        } else if (auto* addressing = std::get_if<Addressing>(&state_)) {
            settle_addressing(*addressing, now);
            if (std::get_if<Addressing>(&state_) == addressing) return;
        } else if (auto* fetching = std::get_if<Fetching>(&state_)) {
            const Phase before = phase;
            settle_fetching(*fetching, now);
            if (phase == before) return;
        } else {
            return;
        }
    }
}

void Board::Machine::on_deadline(TimePoint now) {
    if (auto* addressing = std::get_if<Addressing>(&state_)) addressing->client.on_deadline(now);
    if (auto* fetching = std::get_if<Fetching>(&state_)) {
        if (fetching->transfer) fetching->transfer->on_deadline(now);
    }
    settle(now);
}

std::optional<TimePoint> Board::Machine::next_deadline() const {
    if (const auto* waiting = std::get_if<Waiting>(&state_)) return waiting->until;
    if (const auto* addressing = std::get_if<Addressing>(&state_)) {
        return addressing->client.next_deadline();
    }
    if (const auto* fetching = std::get_if<Fetching>(&state_)) {
        return fetching->transfer ? fetching->transfer->next_deadline() : fetching->next_at;
    }
    return std::nullopt;
}

void Board::Machine::on_datagram(const UdpIn& datagram, TimePoint now) {
    if (now < deaf_until_) return;
    if (auto* addressing = std::get_if<Addressing>(&state_)) {
        if (datagram.destination_port != dhcp_client_port ||
            datagram.source_port != dhcp_server_port) {
            ++counters.ignored_datagrams;
            return;
        }
        const DhcpStage stage = phase == Phase::address          ? DhcpStage::firmware
                                : phase == Phase::kernel_address ? DhcpStage::kernel
                                                                 : DhcpStage::userspace;
        const auto reply = parse_reply(datagram.bytes, stage);
        if (!reply) {
            ++counters.replies_malformed;
            note(now, "malformed DHCP reply: " + reply.error().message);
            return;
        }
        addressing->client.on_reply(*reply, datagram.source, now);
    } else if (auto* fetching = std::get_if<Fetching>(&state_)) {
        if (!fetching->transfer || datagram.destination_port != fetching->port ||
            datagram.source != server || datagram.destination != address) {
            ++counters.ignored_datagrams;
            return;
        }
        fetching->transfer->on_datagram(datagram.source_port, datagram.bytes, now);
    }
    settle(now);
}

std::optional<UdpOut> Board::Machine::pop_transmit(TimePoint now) {
    if (now < deaf_until_) outgoing_.clear();
    if (outgoing_.empty()) return std::nullopt;
    UdpOut out = std::move(outgoing_.front());
    outgoing_.pop_front();
    return out;
}

std::optional<Action> Board::Machine::pop_action() {
    if (actions_.empty()) return std::nullopt;
    Action action = std::move(actions_.front());
    actions_.pop_front();
    return action;
}

std::optional<Event> Board::Machine::pop_event() {
    if (events_.empty()) return std::nullopt;
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
}

void Board::Machine::begin_userspace(TimePoint now) {
    if (spec.userspace_dhcp) return begin_dhcp(Phase::userspace, DhcpStage::userspace, now);
    report(now);
}

void Board::Machine::report(TimePoint now) {
    enter(Phase::userspace, now);
    actions_.emplace_back(ReportUp{kernel_->root.server, kernel_->cmdline});
}

void Board::Machine::on_report_result(bool accepted, TimePoint now) {
    if (phase != Phase::userspace) return;
    if (accepted) return enter(Phase::up, now);
    wait(Phase::userspace, now, report_retry_wait);
}

void Board::Machine::on_mount_result(const Result<void>& result, TimePoint now) {
    if (phase != Phase::root) return;
    if (result) {
        begin_userspace(now);
    } else if (++mount_tries_ < mount_tries_max) {
        note(now, "mount: " + result.error().message);
        wait(Phase::root, now, mount_retry_wait);
    } else {
        fail({Failure::mount_failed, result.error().message, {}}, now);
    }
    settle(now);
}

}  // namespace bramble::virtual_board
