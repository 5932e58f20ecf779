#include "services/tftp/engine.hpp"

#include <algorithm>
#include <utility>

#include "services/bytes/byte_writer.hpp"

namespace bramble::tftp {
namespace {

using namespace std::string_view_literals;

// T10: a port below 1024 belongs to another server (67, 69, echo, chargen …), never to a client
// that drew a transfer identifier; to answer it is how two servers begin to talk for ever.
constexpr std::uint16_t client_port_min = 1024;

// A path as it came, for an event: no longer than a tree's paths can be.
std::string as_asked(std::string_view path) {
    return std::string(path.substr(0, 255));
}

// FNV-1a over a request's octets.
std::uint64_t key_of(std::span<const std::byte> datagram) {
    std::uint64_t key = 0xcbf29ce484222325ULL;
    for (const std::byte b : datagram) {
        key = (key ^ static_cast<std::uint64_t>(b)) * 0x100000001b3ULL;
    }
    return key;
}

std::uint32_t hash_of(const Peer& peer) {
    return static_cast<std::uint32_t>(std::hash<Peer>{}(peer));
}

}  // namespace

Engine::Engine(const Settings& settings, Resolver& resolver)
    : settings_(settings), resolver_(resolver), by_peer_(256), clients_(settings.clients) {}

void Engine::set_settings(const Settings& settings) {
    settings_ = settings;
    clients_.set_limits(settings.clients);
}

Slot Engine::find(const Peer& peer) const {
    return by_peer_.find(hash_of(peer), [&](Slot slot) { return sessions_[slot].peer == peer; });
}

void Engine::on_request(const Peer& peer, std::span<const std::byte> datagram, TimePoint now) {
    if (peer.port < client_port_min) {
        ++counters_.in_well_known_port;
        return;
    }
    const auto packet = parse(datagram);
    if (!packet) {
        ++counters_.in_malformed;
        return;
    }
    const auto* request = std::get_if<Request>(&*packet);
    if (request == nullptr) {  // an ACK belongs to the data socket; an ERROR is never answered
        ++counters_.in_unexpected;
        return;
    }
    const Asked asked{
        peer,
        key_of(datagram),
        negotiate(request->options.all(), settings_.options),
        request->path};
    if (const Slot slot = find(peer); slot != no_slot && !request->write) {
        if (is_repetition(slot, asked.key, now)) {
            ++counters_.in_repeated_requests;
            return;
        }
    }
    if (!clients_.admit(peer.address, now)) {
        ++counters_.in_over_rate;
        return;
    }
    TransferEvent event;
    event.path = as_asked(request->path);
    event.outcome = Outcome::refused;
    if (request->write) {
        ++counters_.in_write_requests;
        event.reason = "it asked to write";
        reply(peer, ErrorCode::access_violation, "this server is read-only\0"sv);
        turn_away(peer, std::move(event), now);
    } else if (request->mode != Mode::octet) {
        // netascii would change the octets of a kernel on their way; serving octets under its name
        // would have the client change them.
        ++counters_.in_requests;
        event.reason = "it asked in a mode other than octet";
        reply(peer, ErrorCode::illegal_operation, "only mode octet is served\0"sv);
        turn_away(peer, std::move(event), now);
    } else {
        on_read_request(asked, now);
    }
}

// The same peer asked while its transfer runs. True: nothing more is to be done.
bool Engine::is_repetition(Slot slot, std::uint64_t key, TimePoint now) {
    Transfer& transfer = *sessions_[slot].transfer;
    if (sessions_[slot].request_key == key) {
        if (!transfer.heard()) {
            transfer.on_repeated_request(now, settings_.transfer);
            settle(slot, now);
            return true;
        }
        // Duplicated by the network when the transfer moved within the last second; a board that
        // was reset and drew its old port again otherwise (fact sheet 10.3).
        if (now - transfer.last_heard() < RoundTrip::initial) return true;
    }
    end(slot, transfer.outcome_if_left(), now);
    return false;
}

void Engine::on_read_request(const Asked& asked, TimePoint now) {
    Resolution resolution = resolver_.resolve(asked.peer, asked.path, now);
    if (auto* file = std::get_if<File>(&resolution)) {
        if (!make_room(asked.peer, now)) {
            // Silence: the client asks again in two seconds. An ERROR would tell a board that the
            // file is missing, and it would boot without it.
            ++counters_.in_over_capacity;
            return;
        }
        ++counters_.in_requests;
        start(asked, std::move(*file), now);
        return;
    }
    ++counters_.in_requests;
    TransferEvent event;
    if (auto* absent = std::get_if<NotFound>(&resolution)) {
        event.board = std::move(absent->board);
        event.path = std::move(absent->path);
        event.outcome = Outcome::missing;
    } else {
        auto& refused = std::get<Refused>(resolution);
        event.board = std::move(refused.board);
        event.path = std::move(refused.path);
        event.reason = std::move(refused.reason);
        event.outcome = Outcome::refused;
    }
    // At once: silence would cost a board 30 s per file (fact sheet 2.2). What is refused looks
    // exactly as what is not there: a board with a foreign prefix then drops it, and whoever
    // guesses learns nothing.
    reply(asked.peer, ErrorCode::file_not_found, "file not found\0"sv);
    turn_away(asked.peer, std::move(event), now);
}

// A place for one more transfer of this client, made free by a transfer that nobody ever
// acknowledged if need be: forged requests push out each other, never a board that is loading.
bool Engine::make_room(const Peer& peer, TimePoint now) {
    const Slot client = clients_.find(peer.address);
    if (clients_.transfers(client) >= settings_.clients.transfers_per_client_max) {
        Slot oldest = no_slot;
        for (Slot slot = clients_.newest_transfer(client); slot != no_slot;
             slot = clients_.older_transfer(slot)) {
            if (!sessions_[slot].transfer->heard()) oldest = slot;
        }
        if (oldest == no_slot) return false;
        end(oldest, Outcome::replaced, now);
    }
    return by_peer_.size() < settings_.transfers_max;
}

Slot Engine::claim_slot() {
    if (free_.empty()) {
        sessions_.emplace_back();
        return static_cast<Slot>(sessions_.size() - 1);
    }
    const Slot slot = free_.back();
    free_.pop_back();
    return slot;
}

void Engine::start(const Asked& asked, File file, TimePoint now) {
    static_assert(sizeof(Session) <= 512, "with its links and paths: far below 2 KiB per transfer");
    const Slot slot = claim_slot();
    Session& session = sessions_[slot];
    session.peer = asked.peer;
    session.request_key = asked.key;
    session.board = std::move(file.board);
    session.path = std::move(file.path);
    session.generation = file.generation;
    session.bytes_told = 0;
    session.transfer.emplace(std::move(file.content), asked.terms, now);
    by_peer_.insert(hash_of(asked.peer), slot);
    clients_.add_transfer(clients_.find(asked.peer.address), slot);
    ++counters_.transfers_started;
    settle(slot, now);
}

void Engine::on_datagram(const Peer& peer, std::span<const std::byte> datagram, TimePoint now) {
    const auto packet = parse(datagram);
    if (!packet) {
        ++counters_.in_malformed;
        return;
    }
    if (const Slot slot = find(peer); slot != no_slot) {
        on_packet(slot, *packet, now);
        return;
    }
    ++counters_.in_unknown_transfer;
    // RFC 1350 §4: a wrong transfer identifier is told so, and nobody else is disturbed. Only what
    // a lost client would send, never in answer to an ERROR, and never many (T10, T12).
    const bool lost = std::holds_alternative<Ack>(*packet) || std::holds_alternative<Data>(*packet);
    if (!lost || peer.port < client_port_min) return;
    const unsigned rate = settings_.unknown_transfer_per_second;
    if (!unknown_transfer_.take(rate, rate, now)) return;
    reply(peer, ErrorCode::unknown_transfer_id, "no such transfer\0"sv);
}

void Engine::on_packet(Slot slot, const Packet& packet, TimePoint now) {
    Transfer& transfer = *sessions_[slot].transfer;
    if (const auto* ack = std::get_if<Ack>(&packet)) {
        ++counters_.in_acks;
        transfer.on_ack(ack->block, now);
        settle(slot, now);
    } else if (const auto* error = std::get_if<ErrorMessage>(&packet)) {
        ++counters_.in_errors;
        transfer.on_error(error->code);
        settle(slot, now);
    } else {
        ++counters_.in_unexpected;  // DATA, OACK or a request: not a reader's (T8)
    }
}

void Engine::settle(Slot slot, TimePoint now) {
    Session& session = sessions_[slot];
    if (const auto outcome = session.transfer->outcome()) {
        end(slot, *outcome, now);
        return;
    }
    if (session.queued || !session.transfer->wants_to_transmit()) return;
    session.queued = true;
    ready_.push(slot);
}

std::shared_ptr<const Content> Engine::fail(const Peer& peer, TimePoint now) {
    const Slot slot = find(peer);
    if (slot == no_slot) return nullptr;
    std::shared_ptr<const Content> content = sessions_[slot].transfer->content();
    reply(peer, ErrorCode::not_defined, "the file is damaged on the server\0"sv);
    end(slot, Outcome::aborted, now, "the file is damaged in the store");
    return content;
}

void Engine::end(Slot slot, Outcome outcome, TimePoint now, std::string reason) {
    Session& session = sessions_[slot];
    const TransferStats& stats = session.transfer->stats();
    TransferEvent event;
    event.peer = session.peer;
    event.board = std::move(session.board);
    event.path = std::move(session.path);
    event.outcome = outcome;
    event.reason = std::move(reason);
    event.generation = session.generation;
    event.file_bytes = session.transfer->content()->bytes.size();
    event.bytes = stats.bytes_acknowledged;
    event.bytes_untold = stats.bytes_acknowledged - session.bytes_told;
    event.blocks_sent = stats.blocks_sent;
    event.retransmissions = stats.retransmissions;
    event.blksize = session.transfer->terms().blksize;
    event.windowsize = session.transfer->terms().windowsize;
    event.started = stats.started;
    event.ended = now;
    counters_.retransmissions += stats.retransmissions;
    counters_.duplicate_acks += stats.duplicate_acks;
    counters_.bytes_acknowledged += stats.bytes_acknowledged;
    retired_.push_back(session.transfer->content());
    session.transfer.reset();
    by_peer_.erase(hash_of(session.peer), slot);
    clients_.remove_transfer(slot);
    wheel_.disarm(slot);
    free_.push_back(slot);
    add_event(std::move(event));
}

void Engine::turn_away(const Peer& peer, TransferEvent event, TimePoint now) {
    event.peer = peer;
    event.started = now;
    event.ended = now;
    add_event(std::move(event));
}

void Engine::add_event(TransferEvent event) {
    ++counters_.ended[static_cast<std::size_t>(event.outcome)];
    if (events_.size() >= settings_.events_max) {
        ++counters_.events_dropped;
        return;
    }
    events_.push(std::move(event));
}

std::optional<TransferEvent> Engine::poll_event() {
    if (events_.empty()) return std::nullopt;
    return events_.pop();
}

void Engine::reply(const Peer& peer, ErrorCode code, std::string_view text) {
    if (replies_.size() >= settings_.replies_max) {
        ++counters_.replies_dropped;
        return;
    }
    replies_.push({peer, code, text});
}

std::size_t Engine::poll_transmit(std::span<Outgoing> out, TimePoint now) {
    retired_.clear();
    std::size_t filled = 0;
    while (filled < out.size() && !replies_.empty()) {
        const Reply reply = replies_.pop();
        Outgoing& datagram = out[filled++];
        ByteWriter writer(datagram.header);
        writer.u16(static_cast<std::uint16_t>(Opcode::error));
        writer.u16(static_cast<std::uint16_t>(reply.code));
        datagram.peer = reply.peer;
        datagram.peer_is_there = false;
        datagram.header_size = static_cast<std::uint16_t>(writer.size());
        datagram.payload = std::as_bytes(std::span(reply.text));
        ++counters_.out_errors;
    }
    while (filled < out.size() && !ready_.empty()) {
        const Slot slot = ready_.front();
        Session& session = sessions_[slot];
        bool sent = false;
        while (session.transfer && filled < out.size()) {
            if (!session.transfer->poll_transmit(out[filled], now, settings_.transfer)) break;
            sent = true;
            Outgoing& datagram = out[filled++];
            datagram.peer = session.peer;
            counters_.out_data_bytes += datagram.payload.size();
            counters_.out_data_blocks += datagram.header_size == 4 ? 1 : 0;
        }
        if (sent) wheel_.arm(slot, session.transfer->deadline(), now);
        if (session.transfer && session.transfer->wants_to_transmit()) break;  // `out` is full
        session.queued = false;
        ready_.pop();
    }
    counters_.out_datagrams += filled;
    return filled;
}

void Engine::on_deadline(TimePoint now) {
    wheel_.advance(now, [&](Slot slot) {
        Transfer& transfer = *sessions_[slot].transfer;
        if (transfer.deadline() > now) {  // acknowledged since; armed again when it sends
            return;
        }
        transfer.on_deadline(now, settings_.transfer);
        settle(slot, now);
    });
}

}  // namespace bramble::tftp
