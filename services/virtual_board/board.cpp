#include "services/virtual_board/board.hpp"

#include <array>
#include <utility>

#include "services/virtual_board/machine.hpp"

namespace bramble::virtual_board {

std::string_view to_string(Phase phase) {
    static constexpr std::array<std::string_view, 14> names = {
        "off",
        "power",
        "link",
        "address",
        "eeprom files",
        "firmware files",
        "kernel",
        "kernel address",
        "root",
        "userspace",
        "up",
        "retry",
        "hung",
        "halted"};
    return names[static_cast<std::size_t>(phase)];
}

std::string_view to_string(Failure failure) {
    static constexpr std::array<std::string_view, 16> names = {
        "none",
        "no offer",
        "no ack",
        "no route",
        "tftp timeout",
        "bad oack",
        "size mismatch",
        "file too large",
        "no start file",
        "no kernel",
        "no cmdline",
        "bad nfsroot",
        "boot ramdisk",
        "signature mismatch",
        "mount failed",
        "duplicate data hang"};
    return names[static_cast<std::size_t>(failure)];
}

Board::Board(BoardSpec spec, FileObserver* observer)
    : machine_(std::make_unique<Machine>(std::move(spec), observer)) {}

Board::~Board() = default;
Board::Board(Board&&) noexcept = default;
Board& Board::operator=(Board&&) noexcept = default;

void Board::on_power(TimePoint now) {
    machine_->on_power(now);
}

void Board::on_power_off() {
    machine_->on_power_off();
}

void Board::on_datagram(const UdpIn& datagram, TimePoint now) {
    machine_->on_datagram(datagram, now);
}

void Board::on_deadline(TimePoint now) {
    machine_->on_deadline(now);
}

void Board::on_mount_result(const Result<void>& result, TimePoint now) {
    machine_->on_mount_result(result, now);
}

void Board::on_report_result(bool accepted, TimePoint now) {
    machine_->on_report_result(accepted, now);
}

std::optional<UdpOut> Board::poll_transmit(TimePoint now) {
    return machine_->pop_transmit(now);
}

std::optional<Action> Board::poll_action() {
    return machine_->pop_action();
}

std::optional<Event> Board::poll_event() {
    return machine_->pop_event();
}

std::optional<TimePoint> Board::next_deadline() const {
    return machine_->next_deadline();
}

Phase Board::phase() const {
    return machine_->phase;
}

const BootFailure& Board::last_failure() const {
    return machine_->last_failure;
}

std::optional<Ipv4Address> Board::address() const {
    return machine_->address;
}

std::optional<Ipv4Address> Board::tftp_server() const {
    return machine_->server;
}

const BoardSpec& Board::spec() const {
    return machine_->spec;
}

const Counters& Board::counters() const {
    return machine_->counters;
}

const std::vector<ReceivedFile>& Board::received() const {
    return machine_->received;
}

const std::string& Board::tftp_prefix() const {
    return machine_->prefix;
}

}  // namespace bramble::virtual_board
