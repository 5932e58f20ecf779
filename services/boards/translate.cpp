#include "services/boards/translate.hpp"

#include <fmt/format.h>

namespace bramble::boards {
namespace {

std::string in_words(const dhcp::Held& held) {
    switch (held.reason) {
        case dhcp::HoldReason::unknown_board:
            return "the fleet file does not know it";
        case dhcp::HoldReason::not_yet:
            return held.detail.empty() ? "it is not its turn" : held.detail;
        case dhcp::HoldReason::reservation_busy:
            return "another client still has its address" +
                   (held.detail.empty() ? "" : " (" + held.detail + ")");
        case dhcp::HoldReason::pool_exhausted:
            return "no address of the pool is free";
        case dhcp::HoldReason::no_pool:
            return "it has no address in the fleet file, and the fleet has no pool";
        case dhcp::HoldReason::no_bootfile:
            return "its profile names nothing that it can load (dhcp: bootfile)";
    }
    return held.detail;
}

struct Translate {
    Speaker speaker;

    std::optional<Happening> operator()(const dhcp::Discovered& /*event*/) const {
        return AskedForAddress{speaker};
    }

    std::optional<Happening> operator()(const dhcp::Offered& event) const {
        return OfferedAddress{speaker, event.address};
    }

    std::optional<Happening> operator()(const dhcp::Acknowledged& event) const {
        return GotAddress{speaker, event.address};
    }

    // In proxy mode another server leases: what was overheard stands for the acknowledgement.
    std::optional<Happening> operator()(const dhcp::AddressLearned& event) const {
        if (event.ours) return std::nullopt;
        return GotAddress{speaker, event.address};
    }

    std::optional<Happening> operator()(const dhcp::Held& event) const {
        return Held{in_words(event)};
    }

    std::optional<Happening> operator()(const dhcp::ForeignServer& event) const {
        return ForeignServerHeard{event.server, event.mac};
    }

    std::optional<Happening> operator()(const dhcp::OfferedByAnother& event) const {
        return OfferedByAnother{event.server, event.address};
    }

    std::optional<Happening> operator()(const dhcp::ChoseAnotherServer& event) const {
        return TookAnotherOffer{event.server, event.address};
    }

    template <typename Other>
    std::optional<Happening> operator()(const Other& /*event*/) const {
        return std::nullopt;
    }
};

FileOutcome outcome_of(tftp::Outcome outcome) {
    switch (outcome) {
        case tftp::Outcome::complete:
        case tftp::Outcome::complete_unacknowledged:
            return FileOutcome::loaded;
        case tftp::Outcome::probe:
            return FileOutcome::probed;
        case tftp::Outcome::missing:
            return FileOutcome::missing;
        case tftp::Outcome::refused:
            return FileOutcome::refused;
        default:
            return FileOutcome::failed;
    }
}

std::string kind_of(const dhcp::Client& client) {
    if (client.revision) {
        if (const auto model = client.revision->model()) return std::string(to_string(*model));
    }
    return std::string(to_string(client.kind));
}

}  // namespace

std::optional<Event> translate(const dhcp::Event& event) {
    const Speaker speaker =
        dhcp::is_boot_firmware(event.client.kind) ? Speaker::firmware : Speaker::system;
    auto what = std::visit(Translate{speaker}, event.what);
    if (!what) return std::nullopt;
    Identity who{event.client.board, event.client.mac, event.client.serial, kind_of(event.client)};
    return Event{event.at, std::move(who), std::move(*what)};
}

Event translate(const tftp::TransferEvent& event) {
    FileEnded file;
    file.path = event.path;
    file.outcome = outcome_of(event.outcome);
    // Without the last ACK the count lacks its last window, though the board has it.
    file.bytes = file.outcome == FileOutcome::loaded ? event.file_bytes : event.bytes;
    file.file_bytes = event.file_bytes;
    file.retransmissions = event.retransmissions;
    file.generation = event.generation;
    file.started = event.started;
    Identity who;
    who.board = event.board;
    return Event{event.ended, std::move(who), std::move(file)};
}

}  // namespace bramble::boards
