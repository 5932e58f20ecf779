// Any octets as a program of an image: refused, or a loader and libraries with names that end.
#include "provisioning/root/elf_program.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto program = bramble::root::read_elf(bytes);
    if (!program) return program.error().message.empty() ? (std::abort(), 0) : 0;
    for (const std::string& name : program->needed) {
        if (name.size() > 255 || bytes.find(name) == std::string_view::npos) std::abort();
    }
    return 0;
}
