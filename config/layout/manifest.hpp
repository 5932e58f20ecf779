// A generation as a value: for each board, what it will be served. The two halves of Bramble meet
// here: provisioning writes a manifest, services read it. It refuses to know how a file came to be
// or how it is sent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/types/board_model.hpp"
#include "config/types/boot_path.hpp"
#include "config/types/digest.hpp"
#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/result.hpp"
#include "config/types/serial.hpp"

namespace bramble::layout {

// A boot file in the object store.
struct ObjectFile {
    Digest digest;
    std::uint64_t size = 0;

    friend bool operator==(const ObjectFile&, const ObjectFile&) = default;
};

// A generated text (config.txt, cmdline.txt), carried in the manifest itself.
struct TextFile {
    std::string text;

    friend bool operator==(const TextFile&, const TextFile&) = default;
};

using BootFile = std::variant<ObjectFile, TextFile>;

// Path below the board's prefix, "overlays/disable-bt.dtbo", -> file. No leading slash, no "..", no
// empty part.
using BootTree = std::map<std::string, BootFile, std::less<>>;

// What a board mounts as its root.
struct Export {
    std::filesystem::path path;  // on the server
    std::string server;          // address or name, as the board reaches it
    std::string nfs_version = "3";
    bool read_only = false;

    friend bool operator==(const Export&, const Export&) = default;
};

struct BoardEntry {
    std::string name;
    std::optional<Serial> serial;
    std::optional<MacAddress> mac;
    std::optional<Ipv4Address> address;
    BoardModel model = BoardModel::pi4;
    std::string profile;
    std::string tree;  // key into Manifest::trees: what it shares with its profile's boards
    BootTree files;    // its own: texts, and files that differ; they win over `tree`
    std::vector<std::string> tftp_prefixes;  // each with its trailing slash; the serial's first
    std::optional<std::string> bootfile;     // for boards without Raspberry Pi firmware
    std::optional<Export> root;              // none: boot files only
    std::string kernel_release;              // `uname -r` to expect; empty: not known

    friend bool operator==(const BoardEntry&, const BoardEntry&) = default;
};

struct Manifest {
    static constexpr int format = 1;

    std::uint64_t generation = 0;
    std::string created;  // RFC 3339, UTC
    Digest fleet;         // of the fleet file's texts, to see whether an apply is due
    std::map<std::string, BootTree> trees;
    std::vector<BoardEntry> boards;  // by name

    const BoardEntry* find_board(std::string_view name) const;

    // The file that `board` is served at `path` (relative, prefix taken off); nullptr: it has none.
    const BootFile* find_file(const BoardEntry& board, std::string_view path) const;

    friend bool operator==(const Manifest&, const Manifest&) = default;
};

using bramble::is_boot_path;

// JSON of one manifest; parse(write(m)) == m. Errors of parse: not JSON, an unknown format, a
// missing or mistyped field, a path that may not stand in a tree; the message names the place.
// Bounded: 256 MiB of text, depth 16.
std::string write_manifest(const Manifest& manifest);
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view json);

}  // namespace bramble::layout
