#include "services/bramble/boot_events.hpp"

#include <variant>

namespace bramble::program {
namespace {

struct Translate {
    boards::Speaker speaker;

    std::optional<boards::Happening> operator()(const dhcp::Discovered&) const {
        return boards::AskedForAddress{speaker};
    }

    std::optional<boards::Happening> operator()(const dhcp::Offered& event) const {
        return boards::OfferedAddress{speaker, event.address};
    }

    std::optional<boards::Happening> operator()(const dhcp::Acknowledged& event) const {
        return boards::GotAddress{speaker, event.address};
    }

    // In proxy mode another server's address, and ours to answer what to boot.
    std::optional<boards::Happening> operator()(const dhcp::BootServerAnswered& event) const {
        return boards::GotAddress{speaker, event.address};
    }

    std::optional<boards::Happening> operator()(const dhcp::AddressLearned& event) const {
        if (event.ours) return std::nullopt;  // told by Offered and Acknowledged
        return boards::GotAddress{speaker, event.address};
    }

    std::optional<boards::Happening> operator()(const dhcp::Held& event) const {
        std::string reason(to_string(event.reason));
        if (!event.detail.empty()) reason += ": " + event.detail;
        return boards::Held{std::move(reason)};
    }

    template <typename Other>
    std::optional<boards::Happening> operator()(const Other&) const {
        return std::nullopt;
    }
};

boards::FileOutcome file_outcome(tftp::Outcome outcome) {
    switch (outcome) {
        case tftp::Outcome::complete:
        case tftp::Outcome::complete_unacknowledged:
            return boards::FileOutcome::loaded;
        case tftp::Outcome::probe:
        case tftp::Outcome::replaced:
            return boards::FileOutcome::probed;
        case tftp::Outcome::missing:
            return boards::FileOutcome::missing;
        case tftp::Outcome::refused:
            return boards::FileOutcome::refused;
        case tftp::Outcome::aborted:
        case tftp::Outcome::timed_out:
            return boards::FileOutcome::failed;
    }
    return boards::FileOutcome::failed;
}

}  // namespace

std::optional<boards::Event> boot_event(const dhcp::Event& event) {
    const auto speaker = dhcp::is_boot_firmware(event.client.kind) ? boards::Speaker::firmware
                                                                   : boards::Speaker::system;
    auto what = std::visit(Translate{speaker}, event.what);
    if (!what) return std::nullopt;
    boards::Event out;
    out.at = event.at;
    out.who.board = event.client.board;
    out.who.mac = event.client.mac;
    out.who.serial = event.client.serial;
    const auto model = event.client.revision ? event.client.revision->model() : std::nullopt;
    out.who.kind = model ? to_string(*model) : dhcp::to_string(event.client.kind);
    out.what = std::move(*what);
    return out;
}

std::optional<boards::Event> boot_event(const tftp::TransferEvent& event) {
    if (event.board.empty()) return std::nullopt;
    boards::FileEnded file;
    file.path = event.path;
    file.outcome = file_outcome(event.outcome);
    file.bytes = event.bytes;
    file.file_bytes = event.file_bytes;
    file.retransmissions = event.retransmissions;
    file.generation = event.generation;
    file.started = event.started;
    boards::Event out;
    out.at = event.ended;
    out.who.board = event.board;
    out.what = std::move(file);
    return out;
}

std::vector<boards::Identity> identities_of(const fleet::Fleet& fleet) {
    std::vector<boards::Identity> out;
    out.reserve(fleet.boards.size());
    for (const fleet::Board& board : fleet.boards) {
        out.push_back(
            {board.name, board.mac, board.serial, std::string(to_string(fleet.model_of(board)))}
        );
    }
    return out;
}

}  // namespace bramble::program
