// What goes into a kernel: its options from presets and fleet file, the architecture's own words,
// and the key over all of it. It refuses to build and to know the store.
#pragma once

#include <string>
#include <string_view>

#include "config/fleet/fleet.hpp"
#include "config/types/digest.hpp"
#include "config/types/inputs.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/kernel/configuration.hpp"
#include "provisioning/kernel/inquiry.hpp"
#include "provisioning/kernel/pins.hpp"

namespace bramble::kernel {

using host::Path;

// What differs between the two kinds of processor.
struct Architecture {
    std::string_view make;     // ARCH= and the directory below arch/
    std::string_view debian;   // its packages' architecture
    std::string_view prefix;   // of the cross compiler's programs
    std::string_view package;  // that has them
    std::string_view image;    // make's target, a file in arch/<make>/boot
    std::string_view file;     // what Raspberry Pi firmware loads by itself (fact sheet 7.1)
};

const Architecture& architecture_of(fleet::KernelArch arch);

// The name in the boot tree: `file:`, or what the firmware of a Pi 4 looks for.
std::string file_of(const fleet::Kernel& kernel);

// What presets and options ask for; an option wins over a preset, a later preset over an earlier.
Asking asking_of(const fleet::Kernel& kernel);

struct Key {
    Digest digest;
    bool pinned = true;  // false: what the source means is not known yet, the key is provisional
    Inputs inputs{};     // what has a name of all that it covers
};

// Of the source (of a tree every file's path, size and times), the pins, the options, the patches'
// and the configuration file's content, the compiler that would build it (a package needs none),
// the recipe here. Errors name the kernel: a source, a patch that is not there.
[[nodiscard]] Result<Key> key_of(const fleet::Kernel& kernel, const Pins& pins, Inquiry& inquiry);

// What follows the version in `uname -r`: "-bramble-" and twelve digits of the key.
std::string release_suffix(const Digest& key);

// Whether `release` ends as release_suffix makes it; the digits.
std::string_view key_digits(std::string_view release);

// "git https://… at 8f3ab…" for people.
std::string describe_source(const fleet::Kernel& kernel, const Pins& pins);

// Where the fleet file says what the option was asked by, as near as its text tells.
fleet::SourceLocation place_of(
    const fleet::Fleet& fleet, const fleet::Kernel& kernel, std::string_view word
);

}  // namespace bramble::kernel
