#include "provisioning/root/elf_program.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

namespace bramble::root {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t headers_max = 64;
constexpr std::size_t entries_max = 512;
constexpr std::size_t name_bytes_max = 255;

constexpr std::uint64_t pt_load = 1;
constexpr std::uint64_t pt_dynamic = 2;
constexpr std::uint64_t pt_interp = 3;
constexpr std::uint64_t dt_null = 0;
constexpr std::uint64_t dt_needed = 1;
constexpr std::uint64_t dt_strtab = 5;

struct Segment {
    std::uint64_t type = 0;
    std::uint64_t offset = 0;
    std::uint64_t address = 0;
    std::uint64_t size = 0;  // in the file
};

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    Result<ElfProgram> read() {
        if (bytes_.size() < 52 ||
            !bytes_.starts_with("\x7f"
                                "ELF"sv) ||
            bytes_[5] != 1) {
            return fail("no little-endian ELF program");
        }
        wide_ = bytes_[4] == 2;
        if (!read_segments()) return fail("its program headers lead outside of it");
        ElfProgram program;
        for (const Segment& segment : segments_) {
            if (segment.type != pt_interp) continue;
            const auto name = text_at(segment.offset);
            if (!name) return fail("its loader's name leads outside of it");
            program.interpreter = *name;
        }
        for (const Segment& segment : segments_) {
            if (segment.type != pt_dynamic) continue;
            if (!read_dynamic(segment, program)) return fail("its dynamic section is damaged");
        }
        return program;
    }

private:
    std::optional<std::uint64_t> number(std::uint64_t offset, std::size_t width) const {
        if (offset > bytes_.size() || bytes_.size() - offset < width) return std::nullopt;
        std::uint64_t value = 0;
        for (std::size_t i = width; i-- > 0;) {
            value = value << 8U | static_cast<std::uint8_t>(bytes_[offset + i]);
        }
        return value;
    }

    std::optional<std::uint64_t> word(std::uint64_t offset) const {
        return number(offset, wide_ ? 8 : 4);
    }

    // Ends at a NUL, within the file and the bound.
    std::optional<std::string> text_at(std::uint64_t offset) const {
        if (offset >= bytes_.size()) return std::nullopt;
        const std::string_view rest = bytes_.substr(offset, name_bytes_max + 1);
        const std::size_t end = rest.find('\0');
        if (end == std::string_view::npos) return std::nullopt;
        return std::string(rest.substr(0, end));
    }

    bool read_segments() {
        const auto table = word(wide_ ? 32 : 28);
        const auto size = number(wide_ ? 54 : 42, 2);
        const auto count = number(wide_ ? 56 : 44, 2);
        if (!table || !size || !count || *count > headers_max) return false;
        for (std::uint64_t i = 0; i < *count; ++i) {
            const std::uint64_t at = *table + i * *size;
            const auto type = number(at, 4);
            const auto offset = word(at + (wide_ ? 8 : 4));
            const auto address = word(at + (wide_ ? 16 : 8));
            const auto length = word(at + (wide_ ? 32 : 16));
            if (!type || !offset || !address || !length) return false;
            segments_.push_back({*type, *offset, *address, *length});
        }
        return true;
    }

    // Where in the file the byte lies that the program has at `address`.
    std::optional<std::uint64_t> offset_of(std::uint64_t address) const {
        for (const Segment& segment : segments_) {
            if (segment.type != pt_load || address < segment.address) continue;
            const std::uint64_t into = address - segment.address;
            if (into < segment.size) return segment.offset + into;
        }
        return std::nullopt;
    }

    bool read_dynamic(const Segment& segment, ElfProgram& program) const {
        const std::uint64_t width = wide_ ? 8 : 4;
        std::vector<std::uint64_t> names;
        std::optional<std::uint64_t> strings;
        for (std::size_t i = 0; i < entries_max; ++i) {
            const auto tag = word(segment.offset + i * 2 * width);
            const auto value = word(segment.offset + i * 2 * width + width);
            if (!tag || !value) return false;
            if (*tag == dt_null) break;
            if (*tag == dt_needed) names.push_back(*value);
            if (*tag == dt_strtab) strings = offset_of(*value);
        }
        if (names.empty()) return true;
        if (!strings) return false;
        for (const std::uint64_t name : names) {
            auto text = text_at(*strings + name);
            if (!text) return false;
            program.needed.push_back(std::move(*text));
        }
        return true;
    }

    std::string_view bytes_;
    bool wide_ = false;
    std::vector<Segment> segments_;
};

}  // namespace

Result<ElfProgram> read_elf(std::string_view bytes) {
    return Reader(bytes).read();
}

}  // namespace bramble::root
