// A Raspberry Pi's side of a network boot as a pure state machine: DHCP, TFTP, the kernel's own
// DHCP, the NFS root, the report that userspace is up (fact sheet 10.2). It is strict: it refuses
// what a board refuses; and it refuses to know sockets, clocks and the server's code.
//
// Drive it so: on_power() once; then, for ever, hand in what arrives and what is due, and after
// each such call drain poll_transmit() and poll_action(), and wake it again at next_deadline().
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/types/digest.hpp"
#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"
#include "config/types/time_point.hpp"
#include "services/virtual_board/board_spec.hpp"

namespace bramble::virtual_board {

// A UDP datagram as it reached the board's port.
struct UdpIn {
    Ipv4Address source;
    std::uint16_t source_port = 0;
    Ipv4Address destination;  // 255.255.255.255, or what the sender took for the board's address
    std::uint16_t destination_port = 0;
    std::span<const std::byte> bytes;
};

// A UDP datagram that the board sends; from 0.0.0.0 and to 255.255.255.255 as an Ethernet broadcast
// while it has no address.
struct UdpOut {
    Ipv4Address source;
    std::uint16_t source_port = 0;
    Ipv4Address destination;
    std::uint16_t destination_port = 0;
    std::vector<std::byte> bytes;
};

// The board configured this address: the outside makes it answer ARP for it.
struct UseAddress {
    Ipv4Network network;  // its own address with the prefix length
    std::optional<Ipv4Address> gateway;
};

// The board has no address any longer: it was reset, or its kernel begins anew.
struct DropAddress {};

// Mount the root and read /sbin/init and /etc/fstab from it; answer with on_mount_result().
struct MountRoot {
    std::string server;
    std::string path;
    std::string version;         // "3", "4", "4.1", "4.2"
    std::uint32_t rsize = 4096;  // the kernel's default unless the command line says otherwise
    std::uint32_t wsize = 4096;
    std::string options;  // all of nfsroot= after the path
    std::string cmdline;  // the kernel's whole command line
};

// Userspace runs: tell the server so; answer with on_report_result().
struct ReportUp {
    std::string server;  // that the files came from
    std::string cmdline;
};

using Action = std::variant<UseAddress, DropAddress, MountRoot, ReportUp>;

enum class Phase {
    off,
    power,           // DRAM, earlier boot modes
    link,            // waiting for the Ethernet link
    address,         // DHCP of the boot loader
    eeprom_files,    // TFTP of the boot loader
    firmware_files,  // TFTP of start4.elf (start.elf)
    kernel,          // the kernel decompresses itself and finds its devices
    kernel_address,  // its own DHCP
    root,            // mounting
    userspace,       // up to the report
    up,
    retry,   // NET_BOOT_MAX_RETRIES: waiting 5 s
    hung,    // F#1631: only a power cycle helps
    halted,  // BOOT_ORDER is at its end
};

std::string_view to_string(Phase phase);

enum class Failure {
    none,
    no_offer,            // DHCP_TIMEOUT passed without address and boot server
    no_ack,              // an OFFER was accepted and never acknowledged
    no_route,            // the TFTP server is off-link and there is no gateway
    tftp_timeout,        // a file that had to come was never answered or stalled
    bad_oack,            // an option or value that was not asked for
    size_mismatch,       // fewer or more bytes than tsize said
    file_too_large,      // beyond block 65535 without roll-over
    no_start_file,       // LED 0+4
    no_kernel,           // LED 0+7
    no_cmdline,          // none, or one without an NFS root
    bad_nfsroot,         // options that the mounting program does not take
    boot_ramdisk,        // boot.img was fetched; what is inside is beyond this model
    signature_mismatch,  // pieeprom.upd is not what pieeprom.sig says, LED 2+4
    mount_failed,
    duplicate_data_hang,  // F#1631
};

std::string_view to_string(Failure failure);

// (long, short) flashes (fact sheet 4).
struct LedCode {
    unsigned long_flashes = 0;
    unsigned short_flashes = 0;

    friend bool operator==(const LedCode&, const LedCode&) = default;
};

struct BootFailure {
    Failure failure = Failure::none;
    std::string detail;  // for a person
    std::optional<LedCode> led;
};

// A file that arrived whole.
struct ReceivedFile {
    std::string path;  // as requested, with its prefix
    std::uint64_t size = 0;
    Digest digest;
};

// Sees every byte that the board took, also of transfers that ended half-way.
class FileObserver {
public:
    virtual ~FileObserver() = default;
    virtual void on_bytes(
        std::string_view path, std::uint64_t offset, std::span<const std::byte> bytes
    ) = 0;
    virtual void on_file(const ReceivedFile& file) = 0;
};

// Since the board was made; a power cycle does not reset them.
struct Counters {
    std::uint64_t power_ons = 0;
    std::uint64_t restarts = 0;  // BOOT_ORDER f
    std::uint64_t discovers = 0;
    std::uint64_t requests = 0;
    std::uint64_t offers = 0;          // with our xid and chaddr
    std::uint64_t offers_refused = 0;  // of them, giving neither an address nor a boot server
    std::uint64_t naks = 0;
    std::uint64_t replies_malformed = 0;
    std::uint64_t address_changes = 0;  // the kernel was given another address than the firmware
    std::uint64_t rrqs = 0;             // first ones
    std::uint64_t rrq_retries = 0;
    std::uint64_t ack_retries = 0;
    std::uint64_t probes = 0;  // ended by "Early terminate"
    std::uint64_t missing = 0;
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint64_t duplicate_data = 0;
    std::uint64_t ignored_datagrams = 0;  // wrong port, wrong source, no sense
    std::uint64_t bad_oacks = 0;
    std::uint64_t file_timeouts = 0;
    std::uint64_t kernel_fallbacks = 0;  // the first kernel of the list was missing (F#1292)
    std::uint64_t self_updates = 0;      // EEPROM flashed
    std::uint64_t hangs = 0;
    std::uint64_t config_lost = 0;  // config.txt arrived and was ignored: must never happen
};

struct Event {
    TimePoint at;
    Phase phase = Phase::off;
    std::string text;     // for a person: "address 172.16.1.3, files from 172.16.1.1"
    bool detail = false;  // one message or one file, not a step of the boot
};

class Board {
public:
    static constexpr std::size_t events_max = 512;  // unread ones; the oldest go first

    // `observer` may be null; it must outlive the board.
    explicit Board(BoardSpec spec, FileObserver* observer = nullptr);
    ~Board();
    Board(Board&&) noexcept;
    Board& operator=(Board&&) noexcept;

    // Power on, or a power cycle at any moment: port counter, xid and prefix begin anew.
    void on_power(TimePoint now);
    void on_power_off();

    void on_datagram(const UdpIn& datagram, TimePoint now);
    void on_deadline(TimePoint now);
    void on_mount_result(const Result<void>& result, TimePoint now);
    void on_report_result(bool accepted, TimePoint now);

    std::optional<UdpOut> poll_transmit(TimePoint now);  // call until empty
    std::optional<Action> poll_action();                 // call until empty
    std::optional<Event> poll_event();                   // call until empty

    std::optional<TimePoint> next_deadline() const;

    Phase phase() const;

    bool booted() const { return phase() == Phase::up; }

    // What this boot saw last of trouble; `none` while all is well. It stays over a restart.
    const BootFailure& last_failure() const;

    std::optional<Ipv4Address> address() const;  // configured now
    std::optional<Ipv4Address> tftp_server() const;
    const BoardSpec& spec() const;
    const Counters& counters() const;
    const std::vector<ReceivedFile>& received() const;  // since the last (re)start
    const std::string& tftp_prefix() const;  // in use now: empty once the firmware dropped it

private:
    class Machine;
    std::unique_ptr<Machine> machine_;
};

}  // namespace bramble::virtual_board
