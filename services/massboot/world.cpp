#include "services/massboot/world.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace bramble::massboot {
namespace {

using namespace std::chrono_literals;
using virtual_board::Board;
using virtual_board::Phase;
using virtual_board::UdpIn;
using virtual_board::UdpOut;

const Ipv4Address server_address(0x0a000001U);      // 10.0.0.1
constexpr std::uint32_t boards_from = 0x0a000100U;  // 10.0.1.0
constexpr std::uint16_t dhcp_server_port = 67;
constexpr std::uint16_t dhcp_client_port = 68;
constexpr std::uint16_t tftp_port = 69;
constexpr std::uint16_t data_port = 33'000;
constexpr std::uint32_t nobody = UINT32_MAX;
constexpr Duration mount_time = 30ms;
constexpr Duration report_time = 2ms;
constexpr Duration tick_every = 200ms;  // as the TFTP workers tell their progress
constexpr Duration late = 100ms;        // beyond it a board's timer is one that mostly never rings
constexpr Duration wake_pause_min = 50us;
constexpr TimePoint beginning{std::chrono::hours(24 * 365 * 55)};

Ipv4Address address_of(std::size_t index) {
    return Ipv4Address(boards_from + static_cast<std::uint32_t>(index));
}

std::shared_ptr<const fleet::Fleet> fleet_of(const Plan& plan) {
    auto fleet = std::make_shared<fleet::Fleet>();
    fleet->appliance.interface = "eth1";
    fleet->appliance.address = Ipv4Network(server_address, 16);
    fleet::Profile profile;
    profile.name = "lab";
    fleet->profiles.push_back(profile);
    for (std::size_t i = 0; i < plan.boards.size(); ++i) {
        const PlannedBoard& planned = plan.boards[i];
        fleet::Board board;
        board.name = planned.name;
        board.serial = planned.spec.serial;
        board.mac = planned.spec.mac;
        board.address = address_of(i);
        board.model = planned.spec.profile.model;
        board.profile = "lab";
        board.group = planned.group;
        fleet->boards.push_back(std::move(board));
    }
    return fleet;
}

// By name, as generations are; the files of a tree are shared.
layout::Manifest manifest_of(const Plan& plan) {
    layout::Manifest manifest;
    manifest.generation = 1;
    std::map<const Files*, std::string> trees;
    for (std::size_t i = 0; i < plan.boards.size(); ++i) {
        const PlannedBoard& planned = plan.boards[i];
        const auto [known, is_new] =
            trees.emplace(planned.files.get(), "tree-" + std::to_string(trees.size()));
        if (is_new) {
            for (const auto& [path, content] : *planned.files) {
                manifest.trees[known->second][path] =
                    layout::ObjectFile{Digest(), content->bytes.size()};
            }
        }
        layout::BoardEntry entry;
        entry.name = planned.name;
        entry.serial = planned.spec.serial;
        entry.mac = planned.spec.mac;
        entry.address = address_of(i);
        entry.model = planned.spec.profile.model;
        entry.profile = "lab";
        entry.tree = known->second;
        entry.tftp_prefixes = {planned.spec.serial.to_string() + "/"};
        manifest.boards.push_back(std::move(entry));
    }
    std::sort(
        manifest.boards.begin(),
        manifest.boards.end(),
        [](const layout::BoardEntry& a, const layout::BoardEntry& b) { return a.name < b.name; }
    );
    return manifest;
}

tftp::Settings engine_settings() {
    tftp::Settings settings;
    settings.transfers_max = 2 * boards_max;
    return settings;
}

admission::Settings admission_settings(const Plan& plan, bool enabled) {
    admission::Settings settings = plan.admission;
    settings.enabled = enabled;
    return settings;
}

}  // namespace

World::World(const Plan& plan, bool admission)
    : plan_(plan),
      admission_(admission),
      fleet_(fleet_of(plan)),
      manifest_(manifest_of(plan)),
      doorman_(admission_settings(plan, admission)),
      paths_(manifest_),
      server_(fleet_, this),
      engine_(engine_settings(), *this),
      down_(plan.link_bits_per_second, plan.latency, plan.queue_octets_max),
      up_(plan.link_bits_per_second, plan.latency),
      begun_(beginning),
      now_(beginning),
      server_free_at_(beginning),
      last_tick_(beginning) {
    benches_.resize(plan.boards.size());
    for (std::uint32_t i = 0; i < benches_.size(); ++i) {
        benches_[i].board = std::make_unique<Board>(plan.boards[i].spec);
        index_of_name_.emplace(plan.boards[i].name, i);
        at(begun_ + plan.boards[i].power_after, What::power, i);
    }
    at(begun_ + tick_every, What::tick);
}

World::~World() = default;

Result World::run(const OnProgress& on_progress) {
    const TimePoint end = begun_ + plan_.end_after;
    TimePoint told = begun_;
    while (up_count_ < benches_.size() && now_ < end) {
        // What is on the wire first, then what is due: the earliest of the three.
        TimePoint next = agenda_.top().at;  // the tick is always there
        if (!going_down_.empty()) next = std::min(next, going_down_.front().at);
        if (!going_up_.empty()) next = std::min(next, going_up_.front().at);
        now_ = next;
        if (!going_down_.empty() && going_down_.front().at == next) {
            const Frame frame = std::move(going_down_.front());
            going_down_.pop_front();
            arrive_at_board(frame);
        } else if (!going_up_.empty() && going_up_.front().at == next) {
            const Frame frame = std::move(going_up_.front());
            going_up_.pop_front();
            arrive_at_server(frame);
        } else {
            const Due due = agenda_.top();
            agenda_.pop();
            do_due(due);
        }
        if (now_ - told < 1s) continue;
        told = now_;
        if (on_progress && !on_progress({now_ - begun_, up_count_, benches_.size()})) break;
    }
    result_.admission = admission_;
    result_.elapsed = now_ - begun_;
    result_.link_busy = down_.busy();
    result_.retransmissions = engine_.counters().retransmissions;
    for (Bench& bench : benches_) {
        const virtual_board::Counters& counters = bench.board->counters();
        bench.record.restarts = counters.restarts;
        bench.record.file_timeouts = counters.file_timeouts;
        bench.record.bytes = counters.bytes - bench.bytes_before;
        result_.boards.push_back(bench.record);
    }
    return std::move(result_);
}

void World::at(TimePoint when, What what, std::uint32_t board) {
    agenda_.push({std::max(when, now_), order_++, what, board});
}

void World::do_due(const Due& due) {
    Bench* const bench =
        due.what == What::tick || due.what == What::server_wakes ? nullptr : &benches_[due.board];
    switch (due.what) {
        case What::power:
            bench->record.powered = now_ - begun_;
            bench->board->on_power(now_);
            break;
        case What::board_wakes:
            if (bench->wakes_at != due.at && bench->wakes_late_at != due.at) return;  // outdated
            if (bench->wakes_at == due.at) bench->wakes_at = TimePoint::max();
            if (bench->wakes_late_at == due.at) bench->wakes_late_at = TimePoint::max();
            if (const auto ready = bench->board->next_deadline(); ready && *ready <= now_) {
                bench->board->on_deadline(now_);
            }
            break;
        case What::mounted:
            bench->board->on_mount_result({}, now_);
            break;
        case What::reported:
            bench->board->on_report_result(true, now_);
            break;
        case What::server_wakes:
            if (server_wakes_at_ != due.at) return;
            server_wakes_at_ = TimePoint::max();
            if (const auto ready = server_.next_deadline(); ready && *ready <= now_) {
                take(server_.on_deadline(now_));
            }
            engine_.on_deadline(now_);
            transmit();
            return wake_server_later();
        case What::tick:
            return tick();
    }
    settle(due.board);
}

// ---- boards

void World::settle(std::uint32_t index) {
    Bench& bench = benches_[index];
    Board& board = *bench.board;
    while (auto out = board.poll_transmit(now_)) from_board(index, std::move(*out));
    while (const auto action = board.poll_action()) {
        if (std::holds_alternative<virtual_board::MountRoot>(*action)) {
            at(now_ + mount_time, What::mounted, index);
        } else if (std::holds_alternative<virtual_board::ReportUp>(*action)) {
            at(now_ + report_time, What::reported, index);
        }
    }
    if (board.phase() != bench.phase) enter(bench, board.phase());
    wake_later(index);
}

void World::enter(Bench& bench, Phase phase) {
    const Duration since = now_ - begun_;
    bench.phase = phase;
    if (phase == Phase::kernel) bench.record.fetched = since;
    if (phase != Phase::up || bench.record.up) return;
    bench.record.up = since;
    ++up_count_;
}

void World::wake_later(std::uint32_t index) {
    Bench& bench = benches_[index];
    const auto due = bench.board->next_deadline();
    if (!due || std::min(bench.wakes_at, bench.wakes_late_at) <= *due) return;
    (*due - now_ > late ? bench.wakes_late_at : bench.wakes_at) = *due;
    at(*due, What::board_wakes, index);
}

void World::from_board(std::uint32_t index, UdpOut out) {
    Bench& bench = benches_[index];
    const auto arrival = up_.send(now_, out.bytes.size());
    if (!arrival) return;
    if (out.destination_port == dhcp_server_port && !bench.record.asked &&
        bench.board->phase() == Phase::address) {
        bench.record.asked = now_ - begun_;
    }
    Frame frame;
    frame.at = *arrival;
    frame.board = index;
    frame.source_port = out.source_port;
    frame.destination_port = out.destination_port;
    if (out.bytes.size() <= frame.head.size()) {
        frame.head_octets = static_cast<std::uint16_t>(out.bytes.size());
        std::copy(out.bytes.begin(), out.bytes.end(), frame.head.begin());
    } else {
        frame.whole = std::make_shared<const std::vector<std::byte>>(std::move(out.bytes));
        frame.payload = *frame.whole;
    }
    going_up_.push_back(std::move(frame));
}

void World::arrive_at_board(const Frame& frame) {
    UdpIn datagram;
    datagram.source = server_address;
    datagram.source_port = frame.source_port;
    datagram.destination = frame.destination;
    datagram.destination_port = frame.destination_port;
    scratch_.assign(frame.head.begin(), frame.head.begin() + frame.head_octets);
    scratch_.insert(scratch_.end(), frame.payload.begin(), frame.payload.end());
    datagram.bytes = scratch_;
    benches_[frame.board].board->on_datagram(datagram, now_);
    settle(frame.board);
}

// ---- the appliance

std::uint32_t World::index_of(Ipv4Address address) const {
    const std::uint32_t index = address.value() - boards_from;
    return index < benches_.size() ? index : nobody;
}

dhcp::GateAnswer World::ask(const dhcp::BootCandidate& candidate, TimePoint now) {
    const std::uint32_t index = index_of_name_.at(candidate.board->name);
    const PlannedBoard& planned = plan_.boards[index];
    const admission::BootRequest request{planned.name, planned.group, planned.fetches};
    const bool admitted = doorman_.ask(request, now).admitted();
    Bench& bench = benches_[index];
    if (bench.waits == admitted) {
        bench.waits = !admitted;
        waiting_ += admitted ? std::size_t(-1) : 1;
    }
    if (admitted) return dhcp::Admit{};
    return dhcp::Wait{"admission"};
}

tftp::Resolution World::resolve(
    const tftp::Peer& peer, std::string_view path, TimePoint /*now*/
) {
    const std::uint32_t index = index_of(peer.address);
    if (index == nobody) return tftp::NotFound{"", std::string(path)};
    const PlannedBoard& planned = plan_.boards[index];
    const tftp::Lookup lookup =
        paths_.resolve(manifest_.find_board(planned.name), path, tftp::TrustPrefix::no);
    if (const auto* found = std::get_if<tftp::Found>(&lookup)) {
        return tftp::File{planned.files->at(found->path), planned.name, found->path, 1};
    }
    return tftp::NotFound{planned.name, std::string(path)};
}

void World::arrive_at_server(const Frame& frame) {
    server_free_at_ = std::max(server_free_at_, now_) + plan_.server_per_datagram;
    if (frame.destination_port == dhcp_server_port) {
        dhcp::Arrival arrival;
        if (const auto own = benches_[frame.board].board->address()) arrival.source = *own;
        take(server_.on_message(frame.payload, arrival, now_));
    } else {
        const tftp::Peer peer{address_of(frame.board), frame.source_port};
        const auto bytes =
            frame.whole != nullptr ? frame.payload : std::span(frame.head).first(frame.head_octets);
        if (frame.destination_port == tftp_port) {
            engine_.on_request(peer, bytes, now_);
        } else {
            engine_.on_datagram(peer, bytes, now_);
        }
        transmit();
    }
    wake_server_later();
}

void World::take(const dhcp::Outcome& outcome) {
    for (const dhcp::Event& event : outcome.events) {
        const bool discovered = std::holds_alternative<dhcp::Discovered>(event.what);
        if (discovered && event.client.kind == dhcp::ClientKind::plain) {
            doorman_.on_system(event.client.board);
        }
    }
    for (const dhcp::Reply& reply : outcome.replies) send_reply(reply);
}

void World::send_reply(const dhcp::Reply& reply) {
    const auto message = dhcp::parse(reply.bytes);
    if (!message) return;
    const auto octets = message->chaddr.octets();
    const std::uint32_t index = static_cast<std::uint32_t>(octets[4]) << 8U | octets[5];
    if (index >= benches_.size()) return;
    Bench& bench = benches_[index];
    if (reply.type == dhcp::MessageType::offer && bench.board->phase() == Phase::address) {
        bench.record.offered = now_ - begun_;
        bench.bytes_before = bench.board->counters().bytes;
    }
    const auto arrival = down_.send(std::max(now_, server_free_at_), reply.bytes.size());
    if (!arrival) return;
    Frame frame;
    frame.at = *arrival;
    frame.board = index;
    frame.source_port = dhcp_server_port;
    frame.destination_port = dhcp_client_port;
    frame.destination = Ipv4Address::broadcast();
    frame.whole = std::make_shared<const std::vector<std::byte>>(reply.bytes);
    frame.payload = *frame.whole;
    going_down_.push_back(std::move(frame));
}

void World::transmit() {
    std::array<tftp::Outgoing, 32> batch;
    std::size_t count = batch.size();
    while (count == batch.size()) {
        count = engine_.poll_transmit(batch, now_);
        for (const tftp::Outgoing& out : std::span(batch).first(count)) {
            const std::uint32_t index = index_of(out.peer.address);
            if (index == nobody) continue;
            server_free_at_ = std::max(server_free_at_, now_);
            const auto arrival = down_.send(server_free_at_, out.size());
            if (!arrival) continue;
            Frame frame;
            frame.at = *arrival;
            frame.board = index;
            frame.source_port = data_port;
            frame.destination_port = out.peer.port;
            frame.destination = out.peer.address;
            frame.head_octets = out.header_size;
            std::copy_n(out.header.begin(), out.header_size, frame.head.begin());
            frame.payload = out.payload;
            going_down_.push_back(std::move(frame));
        }
    }
    on_transfers();
}

void World::on_transfers() {
    bool any = false;
    while (const auto event = engine_.poll_event()) {
        if (event->board.empty()) continue;
        doorman_.on_progress(event->board, event->bytes_untold, now_);
        if (event->outcome == tftp::Outcome::complete ||
            event->outcome == tftp::Outcome::complete_unacknowledged) {
            doorman_.on_complete(event->board, event->path);
        }
        any = true;
    }
    if (any) poll_doorman();
}

void World::poll_doorman() {
    for (const std::string& board : doorman_.poll(now_)) take(server_.release(board, now_));
}

void World::wake_server_later() {
    std::optional<TimePoint> due = server_.next_deadline();
    if (const auto tftp = engine_.next_deadline(); tftp && (!due || *tftp < *due)) due = tftp;
    if (!due) return;
    const TimePoint when = std::max(*due, now_ + wake_pause_min);
    if (server_wakes_at_ <= when) return;
    server_wakes_at_ = when;
    at(when, What::server_wakes);
}

void World::tick() {
    engine_.report_progress([this](const std::string& board, std::uint64_t bytes) {
        doorman_.on_progress(board, bytes, now_);
    });
    if (waiting_ > 0) {
        result_.waited_for_admission += now_ - last_tick_;
        result_.link_busy_meanwhile += down_.busy() - busy_at_last_tick_;
    }
    result_.waiting_most = std::max(result_.waiting_most, waiting_);
    last_tick_ = now_;
    busy_at_last_tick_ = down_.busy();
    poll_doorman();
    at(now_ + tick_every, What::tick);
}

}  // namespace bramble::massboot
