#include "provisioning/boot/uboot_script.hpp"

#include <array>
#include <boost/crc.hpp>

namespace bramble::boot {
namespace {

constexpr std::uint32_t magic = 0x27051956;
constexpr std::uint8_t os_linux = 5;
constexpr std::uint8_t type_script = 6;
constexpr std::uint8_t uncompressed = 0;
constexpr std::size_t name_bytes = 32;

std::string big_endian(std::uint32_t value) {
    std::string out;
    for (const unsigned shift : {24U, 16U, 8U, 0U})
        out += static_cast<char>(value >> shift & 0xffU);
    return out;
}

std::uint32_t crc32(std::string_view bytes) {
    boost::crc_32_type sum;
    sum.process_bytes(bytes.data(), bytes.size());
    return sum.checksum();
}

}  // namespace

std::string uboot_script(std::string_view script, ScriptArch arch) {
    // A table of lengths that ends with 0, then the scripts: there is one.
    std::string data = big_endian(static_cast<std::uint32_t>(script.size())) + big_endian(0);
    data += script;

    std::string name = "bramble";
    name.resize(name_bytes, '\0');
    const auto header = [&](std::uint32_t header_crc) {
        std::string out = big_endian(magic) + big_endian(header_crc);
        out += big_endian(0);  // time
        out += big_endian(static_cast<std::uint32_t>(data.size()));
        out += big_endian(0) + big_endian(0);  // load address, entry point: a script has neither
        out += big_endian(crc32(data));
        for (const std::uint8_t octet :
             {os_linux, static_cast<std::uint8_t>(arch), type_script, uncompressed}) {
            out += static_cast<char>(octet);
        }
        return out + name;
    };
    return header(crc32(header(0))) + data;
}

}  // namespace bramble::boot
