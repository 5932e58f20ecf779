// Who may begin its boot: what the servers see goes to the doorman, whose turn it is gets its
// offer.
#include <spdlog/spdlog.h>

#include "services/bramble/serving.hpp"

namespace bramble::program {
namespace {

constexpr std::uint64_t unknown_link_bits = 1'000'000'000;  // what most labs have

}  // namespace

admission::Settings Serving::admission_settings(const fleet::Fleet& fleet) {
    const fleet::AdmissionSettings& wanted = fleet.appliance.admission;
    const auto bits = wanted.link_bits_per_second
                          ? wanted.link_bits_per_second
                          : io::link_bits_per_second(fleet.appliance.interface);
    admission::Settings settings;
    settings.enabled = wanted.enabled;
    settings.link_bytes_per_second =
        admission::payload_bytes_per_second(bits.value_or(unknown_link_bits));
    settings.group_max = wanted.group_max;
    settings.file_limit = wanted.file_timeout;
    settings.silence = wanted.silence;
    return settings;
}

void Serving::start_admission() {
    admission_timer_ = loop_.make_timer([this] {
        const TimePoint now = loop_.now();
        for (const auto& [board, bytes] : tftp_->take_progress()) {
            doorman_.on_progress(board, bytes, now);
            tracker_.on_progress(board, now);
        }
        admission_timer_.expire_at(now + admission::Doorman::tick);
        admit();
    });
    // Not from inside the batch that freed a place: the DHCP core is in the middle of it.
    admit_timer_ = loop_.make_timer([this] { admit(); });
    admission_timer_.expire_at(loop_.now());
    if (!fleet_->appliance.admission.enabled) return;
    const admission::Status status = doorman_.status(loop_.now());
    spdlog::info(
        "admission: up to {} boards boot together, for a link that carries {:.1f} MB/s",
        status.capacity,
        static_cast<double>(status.link_bytes_per_second) / 1e6
    );
}

void Serving::admit() {
    for (const std::string& board : doorman_.poll(loop_.now())) {
        spdlog::debug("admitted board={}", board);
        if (dhcp_) dhcp_->release(board);
    }
}

void Serving::admit_soon() {
    if (started_ && doorman_.anyone_waits()) admit_timer_.expire_at(loop_.now());
}

// Who waits and is of the fleet no more would take a place that nobody uses.
void Serving::set_admission() {
    doorman_.set_settings(admission_settings(*fleet_));
    gate_.set_enabled(fleet_->appliance.admission.enabled);
    for (const admission::WaitingBoard& waiting : doorman_.status(loop_.now()).waiting) {
        if (fleet_->find_board(waiting.board) == nullptr) doorman_.forget(waiting.board);
    }
    admit_soon();
}

// A kernel's own DHCP comes behind all that its firmware fetched. GRUB and its kin ask like a
// system and go on fetching; of boards that may run them only silence says that they are done.
void Serving::tell_doorman(const dhcp::Event& event) {
    const std::string& name = event.client.board;
    if (name.empty() || dhcp::is_boot_firmware(event.client.kind)) return;
    if (!std::holds_alternative<dhcp::Discovered>(event.what) || !doorman_.knows(name)) return;
    const fleet::Board* board = fleet_->find_board(name);
    if (board == nullptr || fleet_->model_of(*board) == BoardModel::generic) return;
    doorman_.on_system(name);
    admit_soon();
}

void Serving::tell_doorman(const tftp::TransferEvent& event) {
    if (event.board.empty()) return;
    doorman_.on_progress(event.board, event.bytes_untold, loop_.now());
    const bool whole = event.outcome == tftp::Outcome::complete ||
                       event.outcome == tftp::Outcome::complete_unacknowledged;
    if (!whole) return;
    doorman_.on_complete(event.board, event.path);
    admit_soon();
}

}  // namespace bramble::program
