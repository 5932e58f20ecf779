// What a board of a model will miss or stumble over in its boot tree. It refuses to know how the
// tree came to be.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/layout/manifest.hpp"
#include "config/types/board_model.hpp"
#include "provisioning/boot/file_facts.hpp"
#include "provisioning/boot/started.hpp"
#include "provisioning/boot/text.hpp"

namespace bramble::boot {

// Firmware before 2025-09-23 ends a file after 65535 blocks (fact sheet 8, rule 11), of 1024 bytes.
inline constexpr std::uint64_t old_firmware_file_bytes_max = 65535ULL * 1024;

struct TreeFacts {
    BoardModel model = BoardModel::pi4;
    std::string nfs_version;             // empty: no root
    bool initramfs_mounts_nfs4 = false;  // of the image's own initramfs
    BootFacts files{};                   // of files in the tree, as far as known
    std::set<std::string> own_files{};   // paths that come from boot_files: and not from the image
    // Program that init= may name -> whether the root has it, to be executed; others are not known.
    std::map<std::string, bool> root_programs{};
    std::optional<Serial> serial{};  // that a filter of config.txt may ask for
};

// What has to fit together of kernel, initramfs, root and command line. Each finding is one rule's.
std::vector<Finding> lint_kernel(
    const layout::BootTree& tree, const TreeFacts& facts, const Started& started
);

// `tree` with the board's own files laid over it; config.txt and what it includes are read.
std::vector<Finding> lint_tree(const layout::BootTree& tree, const TreeFacts& facts);

}  // namespace bramble::boot
