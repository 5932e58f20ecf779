// What can happen to a board while it boots, as values that the shell makes of what the servers
// saw. It refuses to know DHCP and TFTP beyond these words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/serial.hpp"
#include "config/types/time_point.hpp"

namespace bramble::boards {

struct Identity {
    std::string board;  // its name in the fleet; empty: the fleet does not know it
    std::optional<MacAddress> mac;
    std::optional<Serial> serial;
    std::string kind;  // for people, of strangers: "pi4", "U-Boot", "PXE"

    friend bool operator==(const Identity&, const Identity&) = default;
};

// Who speaks when DHCP is spoken: the boot firmware (EEPROM, U-Boot, PXE) or what runs behind it.
enum class Speaker { firmware, system };

struct AskedForAddress {  // DISCOVER
    Speaker speaker = Speaker::firmware;
};

struct OfferedAddress {
    Speaker speaker = Speaker::firmware;
    Ipv4Address address;
};

struct GotAddress {  // ACK
    Speaker speaker = Speaker::firmware;
    Ipv4Address address;
};

// No offer was made: the board waits, or is not wanted.
struct Held {
    std::string reason;  // "3 boards are ahead of it"
};

enum class FileOutcome {
    loaded,   // whole
    probed,   // the board looked whether it is there
    missing,  // it is not: normal for most names
    failed,   // silence or an error in mid-transfer
    refused,  // not this board's to have
};

struct FileEnded {
    std::string path;  // in the board's tree
    FileOutcome outcome = FileOutcome::loaded;
    std::uint64_t bytes = 0;       // that arrived
    std::uint64_t file_bytes = 0;  // 0: no such file
    std::uint64_t retransmissions = 0;
    std::uint64_t generation = 0;  // that it was served from; 0: from none
    TimePoint started{};           // the event's own instant is the end
};

// It answered another server's offer: that one names its address, and perhaps its boot files.
struct TookAnotherOffer {
    Ipv4Address server;
    Ipv4Address address;
};

// Another DHCP server was heard on this wire, whoever it spoke to: no board's own doing.
struct ForeignServerHeard {
    Ipv4Address server;
    std::optional<MacAddress> mac;  // that its answers came from
};

// Another server was heard offering it an address; whether it takes that is not known yet.
struct OfferedByAnother {
    Ipv4Address server;
    Ipv4Address address;
};

// What serves a root: NFS version 3 takes all of them, version 4 the last alone.
enum class NfsDoor { portmapper, mount, nfs };

inline constexpr std::size_t nfs_door_count = 3;

// It wants a connection to the NFS server.
struct Knocked {
    NfsDoor door = NfsDoor::nfs;
    bool again = false;  // the same connection once more: the first attempt was not answered
};

struct Mounted {};  // its root: it keeps a connection to the NFS server

struct ReportedUp {         // userspace runs and said so
    std::string kernel;     // its `uname -r`; empty: not said
    Duration heartbeat{0};  // how often it will say so again; 0: never
};

struct Heartbeat {  // it still runs; says the same, for whom the report did not reach
    std::string kernel;
    Duration every{0};
};

// Its console's text, as its boot loader or its kernel sent it: any bytes.
struct ConsoleSaid {
    std::string bytes;
    Ipv4Address source;
};

// What a look at its generation and its root came to, once it had stopped.
struct Examined {
    std::optional<int> phase;  // of the finding, as Phase counts; none: nothing was found
    bool stops = false;        // what was found keeps it from booting; false: it may
    std::string finding;       // "kernel8.img is a 32-bit kernel, and …"
    std::string remedy;
    bool nfs_is_silent = false;  // nobody answers where its root is served

    friend bool operator==(const Examined&, const Examined&) = default;
};

using Happening = std::variant<
    AskedForAddress,
    OfferedAddress,
    GotAddress,
    Held,
    FileEnded,
    TookAnotherOffer,
    ForeignServerHeard,
    OfferedByAnother,
    Knocked,
    Mounted,
    ReportedUp,
    Heartbeat,
    ConsoleSaid,
    Examined>;

struct Event {
    TimePoint at{};
    Identity who;
    Happening what;
};

}  // namespace bramble::boards
