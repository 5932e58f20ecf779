// The machine as a plan sees it: what sources say and what the store already has, as values. It
// refuses to know how anybody looked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "config/types/digest.hpp"
#include "config/types/inputs.hpp"
#include "provisioning/boot/file_facts.hpp"

namespace bramble::plan {

// What an image became in the store. Recorded when all of it is in place.
struct ImageRecord {
    Digest key;
    layout::BootTree files;      // objects only
    bool has_root = false;       // its tree is roots/<root_name(key)>
    std::string kernel_release;  // empty: not known
    bool initramfs_mounts_nfs4 = false;
    std::string config_txt;                // the image's own, as text; empty: it has none
    std::string cmdline_txt;               // likewise
    std::string release{};                 // of Raspberry Pi OS, in words; empty: another system
    std::vector<std::string> taken_out{};  // of its first-boot machinery, in words
    boot::BootFacts facts{};               // of its kernels and initramfs
    std::string made_by{};                 // the step and its subject; empty: not known
    std::uint64_t took_ms = 0;             // that step; 0: not known
    std::uint64_t root_bytes = 0;          // that its tree occupies; 0: not known
    Inputs inputs{};                       // what the step was given; empty: not known

    friend bool operator==(const ImageRecord&, const ImageRecord&) = default;
};

// What a kernel of the fleet file became in the store: kernels/<key>/. Recorded when all of it is
// in place.
struct KernelRecord {
    Digest key;
    std::string name;        // that it had in the fleet file
    std::string source;      // where it came from, for people
    std::string arch;        // arm, arm64
    std::string compiler{};  // as it tells its version; empty: none was needed, or not recorded
    std::string release;     // `uname -r`
    layout::BootTree files;  // objects: "kernel", device trees, overlays/
    bool has_modules = false;
    bool mounts_root = false;            // needs no initramfs to find its NFS root
    std::set<std::string> nfs_versions;  // 3, 4, 4.1, 4.2
    std::uint64_t steps = 0;             // files built; 0: none
    std::uint64_t took_s = 0;
    std::uint64_t built_at_s = 0;  // since 1970; 0: not recorded
    Inputs inputs{};               // empty: not known

    friend bool operator==(const KernelRecord&, const KernelRecord&) = default;
};

// The name of a base root below roots/: enough of the key to be unique and short enough for an
// nfsroot= parameter (16 hex digits).
std::string root_name(const Digest& key);

// A root tree that a board has: boards/<board>/root.<base>.
struct BoardRoot {
    std::string base;                // root_name of the base it was copied from
    std::optional<Digest> identity;  // the key of the identity last written into it

    friend bool operator==(const BoardRoot&, const BoardRoot&) = default;
};

// What makes one board of those that share a root: an archive over that base.
struct PackedIdentity {
    std::string base;  // root_name of the base it was made over
    Digest identity;   // the key of the identity in it
    layout::ObjectFile archive;

    friend bool operator==(const PackedIdentity&, const PackedIdentity&) = default;
};

// Something that keeps the fleet from being applied, or that the operator should know.
struct Problem {
    fleet::SourceLocation where;
    std::string message;  // what is wrong and what to do about it
    bool fatal = true;

    friend bool operator==(const Problem&, const Problem&) = default;
};

// What the machine looks like, gathered by apply::observe.
struct Observed {
    // image -> key of what it is to be now: of its source, and of what `customize:` makes of that
    std::map<std::string, Digest> sources;
    std::map<std::string, Digest> uncustomized;  // those with `customize:` -> key of the source
    std::map<std::string, Inputs> inputs{};      // of what is not in the store, by plan::made_by
    std::map<std::string, std::uint64_t> source_bytes{};  // of images not in the store, if known
    std::map<Digest, ImageRecord> images;                 // in the store, whole
    std::map<std::filesystem::path, layout::ObjectFile> boot_files;  // of profiles, as they are now
    std::map<std::filesystem::path, boot::FileFacts> boot_file_facts;  // likewise
    // base root, or board, -> program that a cmdline names as init -> whether it is there
    std::map<std::string, std::map<std::string, bool>> base_programs, board_programs;
    std::map<std::string, Digest> kernels;         // kernel -> key of what it is built from, now
    std::map<Digest, KernelRecord> built_kernels;  // in the store, whole
    std::set<Digest> objects;                      // those of boot_files that the store has
    std::map<std::string, std::vector<BoardRoot>> board_roots;  // board -> its trees
    std::map<std::string, layout::ObjectFile> initramfs;        // base root -> its initramfs
    std::map<std::string, PackedIdentity> packed_identities;    // board -> its own
    std::set<std::string> nas_bases;  // shared base roots that the NAS has (nfs: external)
    std::optional<layout::Manifest> current;
    // Boards that keep what `current` gives them, whatever the fleet file says: nothing if nothing.
    std::set<std::string> held{};
    std::uint64_t next_generation = 1;
    std::string filesystem;  // of the store: "ext4", "xfs", "btrfs"; empty: not known
    std::optional<std::uint64_t> free_bytes{};  // there
    unsigned processors = 1;
    std::string overlay_problem;    // why overlays cannot be used there; empty: they can
    std::vector<Problem> problems;  // met while looking: a missing source, an unreadable current
};

}  // namespace bramble::plan
