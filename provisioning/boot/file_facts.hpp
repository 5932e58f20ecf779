// What the bytes of boot files say to a linter: of a kernel its width, release and NFS; of an
// initramfs its programs; a short text as it is. It refuses to know compression, archives and where
// files lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace bramble::boot {

enum class KernelWidth { unknown, arm, arm64 };

struct KernelFacts {
    KernelWidth width = KernelWidth::unknown;
    std::string release;                 // `uname -r`; empty: not to be seen
    bool configured = false;             // its configuration is known: what follows says something
    bool mounts_root = false;            // an NFS root, without an initramfs
    std::set<std::string> nfs_versions;  // 3, 4, 4.1, 4.2: built in
    std::set<std::string> nfs_modules;   // likewise, with those that are modules

    friend bool operator==(const KernelFacts&, const KernelFacts&) = default;
};

struct InitramfsFacts {
    std::string problem;                       // why it could not be read to its end; empty: it was
    std::set<std::string> programs;            // files that may be executed, "usr/bin/sh"
    std::map<std::string, std::string> links;  // path -> target

    friend bool operator==(const InitramfsFacts&, const InitramfsFacts&) = default;
};

// Of one boot file; neither: nothing that a linter would ask about.
struct FileFacts {
    std::optional<KernelFacts> kernel;
    std::optional<InitramfsFacts> initramfs;
    // What config.txt may include: '\x1a' stands for each byte outside of ASCII.
    std::optional<std::string> text{};

    friend bool operator==(const FileFacts&, const FileFacts&) = default;
};

using BootFacts = std::map<std::string, FileFacts, std::less<>>;  // by the path in the boot tree

// A kernel, not compressed as a whole; none for other bytes. A 32-bit zImage keeps its release
// compressed in itself.
std::optional<KernelFacts> read_kernel(std::string_view bytes);

// Where in a kernel its own configuration stands, gzipped (CONFIG_IKCONFIG); empty: nowhere.
std::string_view embedded_configuration(std::string_view bytes);

// What a .config says, whatever else is in the text.
void add_configuration(KernelFacts& facts, std::string_view configuration);

// Whether the path leads to a file that may be executed, by links too.
bool has_program(const InitramfsFacts& initramfs, std::string_view path);

inline constexpr int links_max = 40;                  // MAXSYMLINKS of Linux
inline constexpr std::size_t path_bytes_max = 4096;   // PATH_MAX of Linux, of a link's target too
inline constexpr std::size_t release_bytes_max = 64;  // __NEW_UTS_LEN of Linux

}  // namespace bramble::boot
