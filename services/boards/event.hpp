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

struct Mounted {};  // its root, as the NFS server saw it

struct ReportedUp {};  // userspace runs and said so

using Happening =
    std::variant<AskedForAddress, OfferedAddress, GotAddress, Held, FileEnded, Mounted, ReportedUp>;

struct Event {
    TimePoint at{};
    Identity who;
    Happening what;
};

}  // namespace bramble::boards
