// What a fleet is, as plain values: the whole of the fleet file after parsing, names resolved to
// nothing but names. It refuses to know YAML, disks and how anything in it is made true.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/types/board_model.hpp"
#include "config/types/digest.hpp"
#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/serial.hpp"
#include "config/types/time_point.hpp"

namespace bramble::fleet {

// Where a value stands in the fleet file or in one of its includes; lines and columns count from 1,
// 0 is "nowhere".
struct SourceLocation {
    std::uint32_t file = 0;  // index into Fleet::sources
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    friend bool operator==(const SourceLocation&, const SourceLocation&) = default;
};

enum class DhcpMode { authoritative, proxy, off };

struct DhcpSettings {
    DhcpMode mode = DhcpMode::authoritative;
    // For boards and guests without an address of their own; a board's own address that lies inside
    // is never leased to another.
    std::optional<Ipv4Range> pool;
    Duration lease = std::chrono::hours(1);
    std::optional<Ipv4Address> router;
    std::vector<Ipv4Address> dns;
    std::string domain;
};

struct NfsAuto {};

struct NfsKernel {};

struct NfsGanesha {};

struct NfsExternal {
    std::string server;
    std::filesystem::path path;

    // "172.16.1.9:/volume1/bramble"
    std::string place() const { return server + ":" + path.string(); }
};

using NfsBackend = std::variant<NfsAuto, NfsKernel, NfsGanesha, NfsExternal>;

struct AdminSettings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    std::optional<std::filesystem::path> token_file;  // needed when `address` is not loopback
    std::vector<std::string> names;  // that browsers may ask for, beside addresses and localhost

    // A second listener for a display on the wall: states of boards, nothing to change.
    struct Wall {
        std::string address;
        std::uint16_t port = 0;
    };

    std::optional<Wall> wall;
};

struct TftpSettings {
    unsigned workers = 0;  // 0: one per core
    Duration retransmit_floor = std::chrono::seconds(1);
};

// How many boards may boot together (mass boot); `off` lets everyone in at once.
struct AdmissionSettings {
    bool enabled = true;
    std::optional<std::uint64_t> link_bits_per_second;  // unset: what the interface says
    unsigned group_max = 0;                            // boards of one group at a time; 0: no limit
    Duration file_timeout = std::chrono::seconds(30);  // TFTP_FILE_TIMEOUT of the boards' EEPROMs
    Duration silence = std::chrono::seconds(15);  // of a board that was let in, before the next is
};

struct HoldUnknown {};

struct IgnoreUnknown {};

struct EnrollUnknown {
    std::string profile;
};

using UnknownBoards = std::variant<HoldUnknown, EnrollUnknown, IgnoreUnknown>;

struct Appliance {
    std::string interface;
    Ipv4Network address;
    DhcpSettings dhcp;
    NfsBackend nfs = NfsAuto{};
    AdminSettings admin;
    TftpSettings tftp;
    AdmissionSettings admission;
    std::filesystem::path store = "/var/lib/bramble";
    UnknownBoards unknown_boards = HoldUnknown{};
    SourceLocation where;
};

// Someone who may log in: of a profile's boards, or of all that boot an image.
struct User {
    std::string name;
    std::optional<std::string> password_hash;  // crypt(3) form; unset: no password log-in
    std::vector<std::string> authorized_keys;
    bool sudo = false;
    std::vector<std::string> groups;  // beside the one of its own; must be there
};

// ---- images
// ----------------------------------------------------------------------------------------------------

struct FileSource {
    std::string location;  // an absolute path, or a URL
    std::optional<Digest> sha256;
};

struct DirectorySource {
    std::optional<std::filesystem::path> boot;
    std::optional<std::filesystem::path> root;
};

struct DebianSource {
    std::string suite;
    std::string arch = "arm64";
    std::vector<std::string> packages;
    std::string mirror;  // empty: the machine's own package sources
};

using ImageSource = std::variant<FileSource, DirectorySource, DebianSource>;

// A text with its place, for messages about what came of it.
struct Placed {
    std::string text;
    SourceLocation where;

    friend bool operator==(const Placed&, const Placed&) = default;
};

// A file that is put into a root.
struct RootFile {
    std::optional<std::filesystem::path> source;  // unset: `content`
    std::string content;
    std::optional<std::uint32_t> mode;  // unset: 0644, or 0755 where the source may be executed
    std::string owner = "root";         // "user" or "user:group", by name or number
    SourceLocation where;
};

struct Customization {
    std::vector<Placed> packages;
    std::vector<Placed> remove;
    std::map<std::string, RootFile> files;  // by the path in the root
    std::vector<User> users;
    std::vector<Placed> enable;
    std::vector<Placed> disable;
    std::vector<Placed> run;
    SourceLocation where;

    bool empty() const {
        return packages.empty() && remove.empty() && files.empty() && users.empty() &&
               enable.empty() && disable.empty() && run.empty();
    }
};

struct Image {
    std::string name;
    ImageSource source;
    Customization customize;
    SourceLocation where;
};

// ---- kernels
// ---------------------------------------------------------------------------------------------------

struct GitSource {
    std::string url;
    std::string branch;
    std::string commit;
};

struct PathSource {
    std::filesystem::path path;
};

struct ArchiveSource {
    std::string location;
    std::optional<Digest> sha256;
};

struct DebSource {
    std::string package;
};

using KernelSource = std::variant<GitSource, PathSource, ArchiveSource, DebSource>;

enum class KernelArch { arm, arm64 };

// Named bundles of options that the project keeps.
inline constexpr std::array<std::string_view, 6> kernel_presets = {
    "nfsroot", "verity", "observe", "livepatch", "kdump", "netconsole"};

struct Kernel {
    std::string name;
    KernelSource source;
    KernelArch arch = KernelArch::arm64;
    std::string defconfig;
    std::string file;
    std::vector<std::string> presets;
    std::map<std::string, std::string> options;
    std::vector<std::filesystem::path> patches;
    SourceLocation where;
};

// ---- profiles and boards
// ---------------------------------------------------------------------------------------

enum class RootMode { per_board, shared, none };

// What becomes of a board's own changes when its base changes.
enum class OnBaseChange { reset, keep };

// auto: btrfs snapshot, reflink, overlayfs or plain copy, whichever the store's filesystem offers
// first.
enum class CopyOnWrite { automatic, btrfs, reflink, overlay, copy };

// How the kernel gets its address before it mounts the root (fact sheet 7.2). DHCP shows in the
// boot's story; a fixed one needs no second exchange and no server that answers it.
enum class KernelAddress { dhcp, fixed };

struct RootSettings {
    RootMode mode = RootMode::per_board;
    CopyOnWrite copy_on_write = CopyOnWrite::automatic;
    std::string nfs_version = "3";  // 3, 4, 4.1, 4.2
    KernelAddress ip = KernelAddress::dhcp;
    OnBaseChange on_base_change = OnBaseChange::reset;
    std::vector<std::string> keep;  // paths carried over when on_base_change is keep
};

struct ConfigEntry {
    std::string key;
    std::string value;

    friend bool operator==(const ConfigEntry&, const ConfigEntry&) = default;
};

// The TFTP prefix that a board's EEPROM was set to (fact sheet 2.4); boards ask by serial unless
// told otherwise.
struct SerialPrefix {};

struct MacPrefix {};

struct StringPrefix {
    std::string text;  // with its trailing slash
};

using TftpPrefix = std::variant<SerialPrefix, MacPrefix, StringPrefix>;

struct Profile {
    std::string name;
    std::optional<BoardModel> model;  // unset: pi4
    std::string image;
    std::optional<std::string> kernel;
    RootSettings root;
    std::vector<std::string> cmdline;
    std::vector<ConfigEntry> config_txt;                      // in the order of the file
    std::map<std::string, std::filesystem::path> boot_files;  // path in the board's tree -> file
    std::optional<std::string> dhcp_bootfile;
    std::vector<User> users;
    std::string group;  // PoE group or switch, for admission
    SourceLocation where;
};

struct Board {
    std::string name;
    std::optional<Serial> serial;
    std::optional<MacAddress> mac;
    std::optional<Ipv4Address> address;
    std::string profile;
    std::optional<BoardModel> model;      // unset: the profile's
    std::vector<std::string> cmdline;     // appended to the profile's
    std::vector<ConfigEntry> config_txt;  // after the profile's, a later key wins
    TftpPrefix tftp_prefix = SerialPrefix{};
    std::string group;
    SourceLocation where;
};

// One file that the fleet was read from, kept for messages and for `explain`.
struct SourceFile {
    std::filesystem::path path;
    std::string text;
};

struct Fleet {
    int version = 1;
    Appliance appliance;
    std::vector<Image> images;
    std::vector<Kernel> kernels;
    std::vector<Profile> profiles;
    std::vector<Board> boards;
    std::vector<SourceFile> sources;

    const Image* find_image(std::string_view name) const;
    const Kernel* find_kernel(std::string_view name) const;
    const Profile* find_profile(std::string_view name) const;
    const Board* find_board(std::string_view name) const;
    BoardModel model_of(const Board& board) const;  // the board's, else its profile's, else pi4

    // "fleet.yaml:12:3: " to begin a message with, as compilers do; empty for nowhere.
    std::string place(const SourceLocation& where) const;
};

// Of the names and texts of all files that the fleet was read from: two fleets with one digest say
// the same.
Digest fleet_digest(const Fleet& fleet);

// Boards by what the wire shows of them. Borrows from the fleet, which must outlive it.
class BoardIndex {
public:
    explicit BoardIndex(const Fleet& fleet);

    const Board* by_mac(MacAddress mac) const;
    const Board* by_serial(Serial serial) const;
    const Board* by_address(Ipv4Address address) const;

    // Option 97 names the board itself, the MAC only its network port: the serial wins where both
    // are known.
    const Board* by_identity(std::optional<Serial> serial, std::optional<MacAddress> mac) const;

private:
    std::map<MacAddress, const Board*> by_mac_;
    std::map<Serial, const Board*> by_serial_;
    std::map<Ipv4Address, const Board*> by_address_;
};

}  // namespace bramble::fleet
