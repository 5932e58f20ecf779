// What the first bytes of a kernel say of it: 32 bits or 64, and which release. It refuses to know
// compression and which board will run it.
#pragma once

#include <string>
#include <string_view>

namespace bramble::rehearsal {

enum class KernelWidth { unknown, arm, arm64 };

struct KernelFacts {
    KernelWidth width = KernelWidth::unknown;
    std::string release;  // `uname -r`; empty: not to be seen (a zImage keeps its own compressed)

    friend bool operator==(const KernelFacts&, const KernelFacts&) = default;
};

inline constexpr std::size_t release_bytes_max = 64;  // __NEW_UTS_LEN

// Any bytes: what is no kernel has neither width nor release.
KernelFacts read_kernel(std::string_view bytes);

}  // namespace bramble::rehearsal
