#include "services/metrics/render.hpp"

#include <algorithm>
#include <array>

#include "services/metrics/families.hpp"

namespace bramble::metrics {
namespace {

double seconds(TimePoint at) {
    return std::chrono::duration<double>(at.time_since_epoch()).count();
}

double seconds(Duration span) {
    return std::chrono::duration<double>(span).count();
}

// Index 1 to 8, as RFC 2132 §9.6 numbers them.
constexpr std::array<std::string_view, 9> dhcp_types = {
    "", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform"};

void add_dhcp(Families& out, const DhcpFigures& figures) {
    const dhcp::Counters& c = figures.counters;
    out.counter("dhcp_messages_received_total", "DHCP messages from clients and relays, by type.");
    for (const std::size_t type : {1, 3, 4, 7, 8})
        out.add(c.received[type], {{"type", dhcp_types[type]}});
    out.counter("dhcp_messages_sent_total", "DHCP messages to clients and relays, by type.");
    for (const std::size_t type : {2, 5, 6}) out.add(c.sent[type], {{"type", dhcp_types[type]}});
    out.counter("dhcp_messages_refused_total", "DHCP messages that were dropped, by reason.")
        .add(c.malformed, {{"reason", "malformed"}})
        .add(c.replies_received, {{"reason", "bootreply"}})
        .add(c.hops_exceeded, {{"reason", "hops"}})
        .add(c.bad_relay, {{"reason", "relay"}})
        .add(c.odd_source, {{"reason", "source"}})
        .add(c.bad_hardware, {{"reason", "hardware"}});
    out.counter(
           "dhcp_messages_unanswered_total", "Well-formed messages that rightly got no answer."
    )
        .add(c.silent);
    out.counter("dhcp_offers_held_total", "Offers that were not made, whatever the reason.")
        .add(c.held);
    out.counter(
           "dhcp_unknown_boards_total", "Requests of boot firmware that the fleet does not know."
    )
        .add(c.unknown_boards);
    out.counter("dhcp_pool_exhausted_total", "Requests for which the pool had no address left.")
        .add(c.pool_exhausted);
    out.counter("dhcp_offers_reclaimed_total", "Unanswered offers whose address went to another.")
        .add(c.offers_reclaimed);
    out.counter("dhcp_addresses_quarantined_total", "Addresses that somebody else was found on.")
        .add(c.quarantined);
    out.counter("dhcp_probes_total", "Conflict probes started.").add(c.probes);
    out.counter("dhcp_probes_skipped_total", "Offers made without a probe: too many at once.")
        .add(c.probes_skipped);
    out.counter("dhcp_options_left_out_total", "Options asked for that had no room in the reply.")
        .add(c.options_left_out);
    out.counter("dhcp_foreign_servers_total", "Sightings of another DHCP server on the wire.")
        .add(c.foreign_servers);
    out.gauge("dhcp_authoritative", "1 where this server leases; 0 beside another one, or off.")
        .add(std::uint64_t{figures.authoritative ? 1U : 0U});
    out.counter("dhcp_replies_not_durable_total", "Replies dropped: their lease was not stored.")
        .add(figures.replies_not_durable);
    out.counter("dhcp_replies_not_sent_total", "Replies that the network did not take.")
        .add(figures.replies_not_sent);
    out.gauge("dhcp_leases", "Leases that hold now.").add(figures.leases);
    out.gauge("dhcp_pool_leases", "Leases of the pool that hold now.").add(figures.pool_leases);
    out.gauge("dhcp_pool_addresses", "Addresses of the pool.").add(figures.pool_addresses);
}

void add_tftp(Families& out, const TftpFigures& figures) {
    const tftp::Counters& c = figures.counters;
    out.counter("tftp_datagrams_received_total", "TFTP datagrams, by what they were.")
        .add(c.in_requests, {{"kind", "request"}})
        .add(c.in_repeated_requests, {{"kind", "repeated_request"}})
        .add(c.in_write_requests, {{"kind", "write_request"}})
        .add(c.in_acks, {{"kind", "ack"}})
        .add(c.in_errors, {{"kind", "error"}})
        .add(c.in_unknown_transfer, {{"kind", "unknown_transfer"}})
        .add(c.in_unexpected, {{"kind", "unexpected"}})
        .add(c.in_malformed, {{"kind", "malformed"}})
        .add(c.in_well_known_port, {{"kind", "well_known_port"}})
        .add(c.in_over_rate, {{"kind", "over_rate"}})
        .add(c.in_over_capacity, {{"kind", "over_capacity"}});
    out.counter("tftp_requests_dropped_total", "Requests that no worker had room for.")
        .add(figures.requests_dropped);
    out.counter("tftp_transfers_started_total", "Transfers begun.").add(c.transfers_started);
    out.counter("tftp_transfers_total", "Requests that came to an end, by outcome.");
    for (std::size_t i = 0; i < c.ended.size(); ++i)
        out.add(c.ended[i], {{"outcome", to_string(static_cast<tftp::Outcome>(i))}});
    out.gauge("tftp_transfers_open", "Transfers that run now.").add(figures.open_transfers);
    out.counter("tftp_datagrams_sent_total", "TFTP datagrams to clients.").add(c.out_datagrams);
    out.counter("tftp_datagrams_not_sent_total", "TFTP datagrams that the network did not take.")
        .add(figures.datagrams_not_sent);
    out.counter("tftp_blocks_sent_total", "DATA blocks to clients, repeated ones too.")
        .add(c.out_data_blocks);
    out.counter(
           "tftp_payload_sent_bytes_total", "Bytes of files in DATA blocks, repeated ones too."
    )
        .add(c.out_data_bytes);
    out.counter(
           "tftp_payload_acknowledged_bytes_total", "Bytes of files that clients acknowledged."
    )
        .add(c.bytes_acknowledged);
    out.counter("tftp_errors_sent_total", "ERROR packets to clients.").add(c.out_errors);
    out.counter("tftp_retransmissions_total", "Blocks sent again after silence.")
        .add(c.retransmissions);
    out.counter("tftp_duplicate_acks_total", "ACKs of blocks that were acknowledged before.")
        .add(c.duplicate_acks);
    out.histogram(
           "tftp_answer_duration_seconds",
           "From taking datagrams, mostly ACKs, off a data socket to having sent the DATA that "
           "they "
           "called for; each datagram counts with the time of the batch it came in."
    )
        .add({
            tftp::AnswerTimes::bounds_seconds,
            figures.answer_times.counts(),
            figures.answer_times.sum_seconds(),
        });
    out.counter("tftp_replies_dropped_total", "Short answers not sent: too many were due.")
        .add(c.replies_dropped);
    out.counter("tftp_events_dropped_total", "Ends of transfers that nobody was told of.")
        .add(c.events_dropped);
}

void add_admission(Families& out, const AdmissionFigures& figures) {
    out.gauge("admission_boards_inside", "Boards that may boot now.").add(figures.inside);
    out.gauge("admission_boards_waiting", "Boards that wait for their turn.").add(figures.waiting);
    out.gauge("admission_boards_capacity", "Boards that may boot at one time.")
        .add(figures.capacity);
    out.gauge(
           "admission_link_bytes_per_second",
           "What the link carries: as configured, corrected by what was measured."
    )
        .add(figures.link_bytes_per_second);
    out.gauge("admission_longest_wait_seconds", "Since the board that waits longest first asked.")
        .add(std::chrono::duration<double>(figures.longest_wait).count());
    const admission::Counters& c = figures.counters;
    out.counter("admission_asked_total", "Times that a board asked to begin its boot.")
        .add(c.asked);
    out.counter("admission_admitted_total", "Boards let in.").add(c.admitted);
    out.counter("admission_deferred_total", "Boards that had to wait.").add(c.deferred);
    out.counter("admission_expired_total", "Boards inside that fell silent, or left the queue.")
        .add(c.expired);
    out.counter("admission_overflowed_total", "Boards let in only because the queue was full.")
        .add(c.overflowed);
    out.counter("admission_uninvited_total", "Boards that fetched files though nobody let them in.")
        .add(c.uninvited);
}

void add_sockets(Families& out, const Figures& figures) {
    out.counter(
           "receive_buffer_overflows_total",
           "Datagrams that the kernel dropped because a socket's receive buffer was full."
    )
        .add(figures.tftp.overflowed_requests, {{"socket", "tftp_requests"}})
        .add(figures.tftp.overflowed_data, {{"socket", "tftp_data"}});
    if (figures.dhcp) out.add(figures.dhcp->overflowed, {{"socket", "dhcp"}});
}

void add_apply(Families& out, const ApplyFigures& apply) {
    out.gauge("apply_last_successful", "Whether the latest apply came to its end.")
        .add(std::uint64_t{apply.succeeded});
    out.gauge(
           "apply_last_end_timestamp_seconds",
           "When the latest apply ended, well or not, in seconds since 1970."
    )
        .add(seconds(apply.ended));
    out.gauge("apply_last_duration_seconds", "How long the latest apply took.")
        .add(seconds(apply.took));
    out.gauge("apply_last_steps", "Steps of the latest apply, by how far they came.")
        .add(apply.steps_done, {{"state", "done"}})
        .add(apply.steps_left, {{"state", "left"}});
    out.gauge("apply_last_warnings", "Warnings of the latest apply.").add(apply.warnings);
}

constexpr std::array conditions = {
    boards::Condition::never_seen,
    boards::Condition::waiting,
    boards::Condition::booting,
    boards::Condition::stuck,
    boards::Condition::up,
    boards::Condition::silent};

std::string_view phase_name(std::size_t index) {
    return to_string(static_cast<boards::Phase>(index));
}

void add_boots(Families& out, const Figures& figures) {
    const BootCounters& c = figures.boots;
    out.counter("boots_total", "Boots that ended, by outcome and the phase they ended in.")
        .add(c.up, {{"outcome", "up"}, {"phase", to_string(boards::Phase::userspace)}});
    for (std::size_t i = 0; i < boards::phase_count; ++i) {
        out.add(
               c.superseded[i], {{"outcome", "superseded"}, {"phase", phase_name(i)}}
        ).add(c.abandoned[i], {{"outcome", "abandoned"}, {"phase", phase_name(i)}});
    }
    out.counter(
        "boots_stuck_total", "Times that a board was silent for longer than its phase may be."
    );
    for (std::size_t i = 0; i < boards::phase_count; ++i) {
        out.add(c.stuck[i], {{"phase", phase_name(i)}});
    }
    out.histogram(
           "boot_duration_seconds",
           "Duration of boots that came up, from the first DISCOVER to the report."
    )
        .add({boot_seconds_bounds, c.up_by_seconds.counts, c.up_by_seconds.sum_seconds});
    out.histogram(
        "boot_phase_duration_seconds", "Duration of the phases that boots passed, by phase."
    );
    for (std::size_t i = 0; i < boards::phase_count; ++i) {
        const auto& passed = c.phases_by_seconds[i];
        out.add(
            {phase_seconds_bounds, passed.counts, passed.sum_seconds}, {{"phase", phase_name(i)}}
        );
    }
}

void add_boards(Families& out, const Figures& figures) {
    out.gauge("boards", "Boards of the fleet file, by condition.");
    for (const boards::Condition condition : conditions) {
        const auto count = std::ranges::count(figures.boards, condition, &BoardFigures::condition);
        out.add(static_cast<std::uint64_t>(count), {{"condition", to_string(condition)}});
    }
    out.gauge("boards_in_phase", "Boards whose boot has not ended, by the phase they are in.");
    for (std::size_t i = 0; i < boards::phase_count; ++i) {
        const auto phase = static_cast<boards::Phase>(i);
        const auto count = std::ranges::count(figures.boards, phase, &BoardFigures::phase);
        out.add(static_cast<std::uint64_t>(count), {{"phase", phase_name(i)}});
    }
    out.gauge("strangers", "Senders of DISCOVERs that the fleet does not know.")
        .add(figures.strangers);
    out.gauge("board_up", "Whether the board's latest boot came up.");
    for (const BoardFigures& board : figures.boards) {
        const bool up = board.condition == boards::Condition::up;
        out.add(std::uint64_t{up}, {{"board", board.name}});
    }
    out.gauge("board_stuck", "Whether the board is silent for longer than its phase may be.");
    for (const BoardFigures& board : figures.boards) {
        const bool stuck = board.condition == boards::Condition::stuck;
        out.add(std::uint64_t{stuck}, {{"board", board.name}});
    }
    out.gauge("board_silent", "Whether a board that was up has stopped saying so.");
    for (const BoardFigures& board : figures.boards) {
        const bool silent = board.condition == boards::Condition::silent;
        out.add(std::uint64_t{silent}, {{"board", board.name}});
    }
    out.gauge(
        "board_last_boot_duration_seconds", "Duration of the board's latest boot that came up."
    );
    for (const BoardFigures& board : figures.boards) {
        if (board.last_boot) out.add(seconds(*board.last_boot), {{"board", board.name}});
    }
}

void add_program(Families& out, const Figures& figures) {
    out.gauge("build_info", "Constant 1, with the program's version.")
        .add(std::uint64_t{1}, {{"version", figures.version}});
    out.gauge("start_time_seconds", "When the program started, in seconds since 1970.")
        .add(seconds(figures.started));
    out.gauge("generation", "Number of the generation that new boots get; 0: none.")
        .add(figures.generation);
    const ReloadFigures& reload = figures.reload;
    out.gauge("config_last_reload_successful", "Whether the latest reload was taken over whole.")
        .add(std::uint64_t{reload.last_succeeded});
    out.gauge(
           "config_last_reload_success_timestamp_seconds",
           "When a reload was taken over last, in seconds since 1970."
    )
        .add(seconds(reload.last_success));
    out.counter("config_reloads_total", "Reloads of fleet file and generation, by result.")
        .add(reload.succeeded, {{"result", "ok"}})
        .add(reload.failed, {{"result", "failed"}});
}

}  // namespace

std::string render(const Figures& figures) {
    Families out;
    add_program(out, figures);
    if (figures.apply) add_apply(out, *figures.apply);
    if (figures.dhcp) add_dhcp(out, *figures.dhcp);
    add_tftp(out, figures.tftp);
    add_sockets(out, figures);
    if (figures.admission) add_admission(out, *figures.admission);
    add_boots(out, figures);
    add_boards(out, figures);
    return out.text();
}

}  // namespace bramble::metrics
