// What a program of a root tree needs to start: its loader and its libraries, read from its ELF
// header. It refuses to know where those lie.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"

namespace bramble::root {

struct ElfProgram {
    std::string interpreter;          // the dynamic loader's absolute path; empty: none is needed
    std::vector<std::string> needed;  // names of libraries (DT_NEEDED), in their order
};

// Of a little-endian program or library of 32 or 64 bits (System V ABI, generic part, chapters 4
// and 5). Errors: it is none, or an offset leads outside of it. Bounded: 64 program headers, 512
// dynamic entries, names of 255 bytes.
[[nodiscard]] Result<ElfProgram> read_elf(std::string_view bytes);

}  // namespace bramble::root
