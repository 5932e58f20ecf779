// Programs for tests: an ELF file of 64 bits, little endian, as read_elf should see it. It refuses
// to hold anything that could run.
#pragma once

#include <string>

#include "provisioning/root/elf_program.hpp"

namespace bramble::root {

inline std::string elf_program(const ElfProgram& what) {
    const auto put = [](std::string& bytes, std::size_t at, std::uint64_t value, std::size_t width
                     ) {
        for (std::size_t i = 0; i < width; ++i) {
            bytes[at + i] = static_cast<char>(value >> (8 * i) & 0xffU);
        }
    };
    constexpr std::size_t header_bytes = 64;
    constexpr std::size_t segment_bytes = 56;
    constexpr std::uint64_t address = 0x10000;  // of the file's first byte once it is loaded
    std::string strings(1, '\0');
    std::vector<std::size_t> names;
    for (const std::string& name : what.needed) {
        names.push_back(strings.size());
        strings += name + '\0';
    }
    const std::size_t interp_at = strings.size();
    strings += what.interpreter + '\0';
    const std::size_t dynamic_at = header_bytes + 3 * segment_bytes;
    const std::size_t strings_at = dynamic_at + (names.size() + 2) * 16;
    std::string bytes(strings_at, '\0');
    bytes.replace(
        0,
        6,
        std::string(
            "\x7f"
            "ELF\x02\x01",
            6
        )
    );
    bytes += strings;
    put(bytes, 32, header_bytes, 8);
    put(bytes, 54, segment_bytes, 2);
    put(bytes, 56, 3, 2);
    const auto segment = [&](std::size_t index, std::uint64_t type, std::size_t at, std::size_t size
                         ) {
        const std::size_t place = header_bytes + index * segment_bytes;
        put(bytes, place, type, 4);
        put(bytes, place + 8, at, 8);
        put(bytes, place + 16, address + at, 8);
        put(bytes, place + 32, size, 8);
    };
    segment(0, 1, 0, bytes.size());
    segment(1, 2, dynamic_at, strings_at - dynamic_at);
    segment(
        2, what.interpreter.empty() ? 0 : 3, strings_at + interp_at, what.interpreter.size() + 1
    );
    std::size_t entry = dynamic_at;
    for (const std::size_t name : names) {
        put(bytes, entry, 1, 8);
        put(bytes, entry + 8, name, 8);
        entry += 16;
    }
    put(bytes, entry, 5, 8);
    put(bytes, entry + 8, address + strings_at, 8);
    return bytes;
}

}  // namespace bramble::root
