#include "services/boards/file_class.hpp"

#include <algorithm>
#include <array>

namespace bramble::boards {
namespace {

struct Rule {
    std::string_view prefix;
    std::string_view suffix;
    FileClass file_class;
};

// The names of the fact sheet's sections 2.5 to 2.8, then those of generic boot loaders. The first
// rule that fits counts.
constexpr std::array<Rule, 29> rules = {{
    {"start", ".elf", FileClass::start},
    {"bootcode", ".bin", FileClass::start},
    {"boot.img", "", FileClass::start},
    {"tryboot.img", "", FileClass::start},
    {"recover", ".elf", FileClass::firmware},
    {"recovery.bin", "", FileClass::firmware},
    {"fixup", ".dat", FileClass::firmware},
    {"pieeprom", "", FileClass::firmware},
    {"vl805", "", FileClass::firmware},
    {"bootsig.bin", "", FileClass::firmware},
    {"boot.sig", "", FileClass::firmware},
    {"tryboot.sig", "", FileClass::firmware},
    {"dt-blob.bin", "", FileClass::firmware},
    {"bootcfg.txt", "", FileClass::firmware},
    {"autoboot.txt", "", FileClass::firmware},
    {"armstub", "", FileClass::firmware},
    {"kernel", "", FileClass::kernel},
    {"recovery", ".img", FileClass::kernel},
    {"initramfs", "", FileClass::kernel},
    {"initrd", "", FileClass::kernel},
    {"vmlinu", "", FileClass::kernel},
    {"linux", "", FileClass::kernel},
    {"Image", "", FileClass::kernel},
    {"zImage", "", FileClass::kernel},
    {"uInitrd", "", FileClass::kernel},
    {"boot.scr", "", FileClass::start},
    {"", ".efi", FileClass::start},
    {"", ".kpxe", FileClass::start},
    {"pxelinux.0", "", FileClass::start},
}};

}  // namespace

FileClass classify(std::string_view path) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    for (const Rule& rule : rules) {
        if (name.size() < rule.prefix.size() + rule.suffix.size()) continue;
        if (name.starts_with(rule.prefix) && name.ends_with(rule.suffix)) return rule.file_class;
    }
    return FileClass::config;
}

}  // namespace bramble::boards
