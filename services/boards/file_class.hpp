// What a boot file is for, told by its name. It refuses to look inside.
#pragma once

#include <string_view>

namespace bramble::boards {

enum class FileClass {
    start,     // start4.elf and its kin, boot loaders: with them the firmware stage begins
    firmware,  // what belongs to that stage: fixup4.dat, pieeprom.sig, recovery.elf …
    config,    // config.txt, cmdline.txt, device trees, overlays, boot menus
    kernel,    // kernels and initramfs
};

// `path` as in the board's tree. A name that says nothing counts as config.
FileClass classify(std::string_view path);

}  // namespace bramble::boards
