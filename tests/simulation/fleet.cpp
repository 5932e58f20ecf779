#include "tests/simulation/fleet.hpp"

#include <fmt/format.h>

#include <array>

#include "services/bytes/byte_writer.hpp"

namespace bramble::simulation {

namespace {

using virtual_board::BoardSpec;
using virtual_board::Family;
using virtual_board::TftpPrefix;

constexpr std::uint32_t reserved_from = 0x0a000100U;  // 10.0.1.0
constexpr std::uint32_t pool_from = 0x0a006400U;      // 10.0.100.0

// Ten boards of a lab, as their firmware came over the years.
constexpr std::array<std::string_view, 10> mixture = {
    "pi4-2023",
    "pi4-2023",
    "pi4-2020",
    "pi4-2026",
    "pi5-2026",
    "pi4-2023",
    "pi3b+",
    "pi4-2021",
    "pi4-2026",
    "pi5-2026"};

// Every 16 bytes: the board, the file, the place in it. A block of another board, of another file
// or from another place cannot pass for this one.
File stamped(std::uint32_t board, std::uint32_t file, std::size_t size) {
    std::vector<std::byte> bytes(size + 16);
    ByteWriter out(bytes);
    while (out.room() >= 16) {
        const auto place = static_cast<std::uint32_t>(out.size());
        out.u32(0xb0a2d000U + board);
        out.u32(file);
        out.u32(place);
        out.u32(place * 0x9e3779b9U ^ board);
    }
    bytes.resize(size);
    return std::make_shared<const std::vector<std::byte>>(std::move(bytes));
}

File of_text(const std::string& text) {
    const auto raw = std::as_bytes(std::span(text));
    return std::make_shared<const std::vector<std::byte>>(raw.begin(), raw.end());
}

struct Sized {
    std::string path;
    std::size_t size;
};

// Real names; sizes in the proportions of fact sheet 9, with odd ends and one exact multiple.
std::vector<Sized> firmware_of(Family family, std::size_t kernel_bytes) {
    const std::size_t start = kernel_bytes / 4 + 7;
    const std::vector<Sized> shared = {
        {"overlays/overlay_map.dtb", 1971}, {"overlays/disable-bt.dtbo", 1024}};
    std::vector<Sized> files;
    switch (family) {
        case Family::pi3:
            files = {
                {"bootcode.bin", 5456},
                {"start.elf", start},
                {"fixup.dat", 722},
                {"bcm2710-rpi-3-b-plus.dtb", 3100},
                {"kernel8.img", kernel_bytes + 883}};
            break;
        case Family::pi4:
            files = {
                {"start4.elf", start},
                {"fixup4.dat", 535},
                {"bcm2711-rpi-4-b.dtb", 4748},
                {"kernel8.img", kernel_bytes}};
            break;
        case Family::pi5:
            files = {{"bcm2712-rpi-5-b.dtb", 7874}, {"kernel_2712.img", kernel_bytes + 43}};
            break;
    }
    files.insert(files.end(), shared.begin(), shared.end());
    return files;
}

RevisionCode revision_of(Family family) {
    switch (family) {
        case Family::pi3:
            return RevisionCode(0xa020d3);
        case Family::pi5:
            return RevisionCode(0xd04170);
        case Family::pi4:
            break;
    }
    return RevisionCode(0xc03112);
}

std::string string_prefix(unsigned index, const Options& options) {
    // Two neighbours share one where that fault is asked for.
    return fmt::format("lab-{}/", options.has(Fault::equal_prefix) ? index / 20 : index);
}

SimulatedBoard make_board(unsigned index, const Options& options, Chance& chance) {
    SimulatedBoard board;
    board.name = fmt::format("pi-{:03}", index);
    BoardSpec& spec = board.spec;
    spec.profile = *virtual_board::find_profile(mixture[index % mixture.size()]);
    spec.revision = revision_of(spec.profile.family);
    spec.mac = MacAddress(
        {0xdc,
         0xa6,
         0x32,
         0,
         static_cast<std::uint8_t>(index >> 8U),
         static_cast<std::uint8_t>(index)}
    );
    spec.serial = Serial(0x10000000U + index * 0x01000193U);
    spec.hostname = board.name;
    spec.userspace_dhcp = index % 3 == 0;
    spec.seed = chance.next();
    spec.record_events = board.name == options.trace;
    if (index % 10 == 3) spec.eeprom.tftp_prefix = TftpPrefix::mac;
    if (index % 10 == 1 || index % 20 == 5) {
        spec.eeprom.tftp_prefix = TftpPrefix::text;
        spec.eeprom.tftp_prefix_str = string_prefix(index, options);
    }
    if (index % 4 != 0) board.reserved = Ipv4Address(reserved_from + index);
    return board;
}

fleet::Board fleet_entry(const SimulatedBoard& board) {
    fleet::Board entry;
    entry.name = board.name;
    entry.serial = board.spec.serial;
    entry.mac = board.spec.mac;
    entry.address = board.reserved;
    entry.model = board.spec.profile.model;
    entry.profile = "lab";
    if (board.spec.eeprom.tftp_prefix == TftpPrefix::mac) entry.tftp_prefix = fleet::MacPrefix{};
    if (board.spec.eeprom.tftp_prefix == TftpPrefix::text) {
        entry.tftp_prefix = fleet::StringPrefix{board.spec.eeprom.tftp_prefix_str};
    }
    return entry;
}

void add_tree(SimulatedFleet& made, const SimulatedBoard& board, unsigned index, std::size_t size) {
    layout::BoardEntry entry;
    entry.name = board.name;
    entry.serial = board.spec.serial;
    entry.mac = board.spec.mac;
    entry.address = board.reserved;
    entry.model = board.spec.profile.model;
    entry.profile = "lab";
    entry.tftp_prefixes = {board.spec.serial.to_string() + "/", board.spec.mac.with_dashes() + "/"};
    if (board.spec.eeprom.tftp_prefix == TftpPrefix::text) {
        entry.tftp_prefixes.push_back(board.spec.eeprom.tftp_prefix_str);
    }
    auto& files = made.files[board.name];
    std::uint32_t number = 0;
    for (const Sized& file : firmware_of(board.spec.profile.family, size)) {
        files[file.path] = stamped(index, number++, file.size);
        entry.files[file.path] = layout::ObjectFile{Digest(), file.size};
    }
    const std::string config = fmt::format("# {}\narm_64bit=1\ndtoverlay=disable-bt\n", board.name);
    const std::string cmdline = fmt::format(
        "console=tty1 root=/dev/nfs nfsroot={}:/srv/boards/{}/root,vers=3,tcp,rsize=131072,"
        "wsize=131072 rw ip=dhcp rootwait\n",
        server_address.to_string(),
        board.name
    );
    for (const auto& [path, text] :
         {std::pair("config.txt", config), std::pair("cmdline.txt", cmdline)}) {
        files[path] = of_text(text);
        entry.files[path] = layout::TextFile{text};
    }
    made.manifest.boards.push_back(std::move(entry));
}

}  // namespace

const std::vector<std::byte>* SimulatedFleet::find(
    const std::string& board, std::string_view requested
) const {
    const auto tree = files.find(board);
    const layout::BoardEntry* entry = manifest.find_board(board);
    if (tree == files.end() || entry == nullptr) return nullptr;
    std::string path(requested);
    for (std::size_t at = 0; (at = path.find("//", at)) != std::string::npos;) path.erase(at, 1);
    if (path.starts_with('/')) path.erase(0, 1);  // a Pi 5 that has dropped its prefix
    for (const std::string& prefix : entry->tftp_prefixes) {
        if (path.starts_with(prefix)) {
            path.erase(0, prefix.size());
            break;
        }
    }
    const auto file = tree->second.find(path);
    return file == tree->second.end() ? nullptr : file->second.get();
}

SimulatedFleet make_fleet(const Options& options, std::uint64_t seed) {
    Chance chance(seed ^ 0xf1ee7U);
    SimulatedFleet made;
    fleet::Fleet fleet;
    fleet.appliance.interface = "eth1";
    fleet.appliance.address = Ipv4Network(server_address, 16);
    fleet.appliance.dhcp.pool = Ipv4Range{
        Ipv4Address(pool_from), Ipv4Address(pool_from + std::max(options.boards / 2, 8U))};
    fleet.appliance.dhcp.router = server_address;
    fleet::Profile profile;
    profile.name = "lab";
    fleet.profiles.push_back(profile);
    made.manifest.generation = 7;
    for (unsigned i = 0; i < options.boards + strangers; ++i) {
        SimulatedBoard board = make_board(i, options, chance);
        board.stranger = i >= options.boards;
        if (!board.stranger) {
            fleet.boards.push_back(fleet_entry(board));
            add_tree(made, board, i, std::size_t{options.kernel_kib} * 1024);
        }
        made.boards.push_back(std::move(board));
    }
    made.fleet = std::make_shared<const fleet::Fleet>(std::move(fleet));
    return made;
}

}  // namespace bramble::simulation
