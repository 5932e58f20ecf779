// One virtual board and an honest little server in virtual time, for the tests of this folder; a
// test bends single answers. It refuses to be clever: what it sends is written out here.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/virtual_board/board.hpp"
#include "services/virtual_board/dhcp_wire.hpp"

namespace bramble::virtual_board {

using namespace std::chrono_literals;

inline const Ipv4Address lab_server(0xac100101U);  // 172.16.1.1
inline const Ipv4Address lab_board(0xac100103U);   // 172.16.1.3

inline std::vector<std::byte> bytes_of(std::string_view text) {
    const auto raw = std::as_bytes(std::span(text));
    return {raw.begin(), raw.end()};
}

// Text with hex digits, blanks and lines that begin with '#'.
std::vector<std::byte> from_hex(std::string_view text);

// A server's DHCP message as a list of fields and options; bytes() writes it.
struct Answer {
    std::uint8_t op = 2;
    std::uint32_t xid = 0;
    MacAddress chaddr;
    Ipv4Address yiaddr = lab_board;
    Ipv4Address siaddr = lab_server;
    std::vector<std::pair<std::uint8_t, std::string>> options;
    bool end = true;

    static Answer to(const UdpOut& request, std::uint8_t type);
    Answer& with(std::uint8_t code, std::string value);
    Answer& without(std::uint8_t code);
    std::vector<std::byte> bytes() const;
};

std::string four(Ipv4Address address);  // as option value
std::string known_good_option43(std::string_view text = "Raspberry Pi Boot");

struct Lab {
    Lab() : Lab(standard_spec()) {}

    explicit Lab(BoardSpec spec);

    static BoardSpec standard_spec(std::string_view profile);

    static BoardSpec standard_spec() { return standard_spec("pi4-2023"); }

    // Runs until the board is up, hung, halted or `limit` has passed.
    void run(Duration limit = 5min);
    void run_until(const std::function<bool()>& done, Duration limit = 5min);

    TimePoint now{};
    Board board;
    std::map<std::string, std::string> files;  // by path as requested
    // Bends what is sent; returning nothing drops it.
    std::function<std::optional<std::vector<std::byte>>(Answer answer, std::uint8_t type)> dhcp;
    std::function<
        std::vector<std::vector<std::byte>>(const std::string& path, std::vector<std::byte> packet)>
        tftp;  // what arrives in the place of one packet
    bool answers_options = true;
    bool mounts = true;
    bool accepts_report = true;

    std::vector<UdpOut> sent;  // by the board
    std::vector<TimePoint> sent_at;
    std::vector<std::string> log;  // "path full", "path probe", "path nf", "path started"
    std::vector<Action> actions;

private:
    struct Session {
        std::string path;
        std::string content;
        std::size_t blksize = 512;
        std::uint64_t acknowledged = 0;
        TimePoint sent_at{};
        std::size_t line = 0;  // of the log
    };

    void on_board_sent(const UdpOut& out);
    void on_dhcp(const UdpOut& out);
    void on_tftp(const UdpOut& out);
    void on_rrq(const UdpOut& out);
    void send_data(const UdpOut& out, Session& session, std::uint64_t block);
    void deliver_tftp(const UdpOut& out, const Session& session, std::vector<std::byte> packet);
    void drain();

    struct Arrival {
        TimePoint at;
        Ipv4Address source;
        std::uint16_t source_port;
        Ipv4Address destination;
        std::uint16_t destination_port;
        std::vector<std::byte> bytes;
    };

    std::map<std::uint16_t, Session> sessions_;  // by the board's port
    std::vector<Arrival> arrivals_;
};

// The tree of one board of any profile, below its serial's prefix.
std::map<std::string, std::string> standard_tree(const BoardSpec& spec);

inline constexpr std::string_view standard_cmdline =
    "console=serial0,115200 root=/dev/nfs nfsroot=172.16.1.1:/srv/pi-01,vers=3,tcp,rsize=131072 rw "
    "ip=dhcp rootwait\n";

}  // namespace bramble::virtual_board
