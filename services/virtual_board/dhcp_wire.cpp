#include "services/virtual_board/dhcp_wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>

#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"

namespace bramble::virtual_board {

namespace {

constexpr std::uint32_t magic_cookie = 0x63825363;
constexpr std::size_t file_and_sname_bytes = 64 + 128;
constexpr std::string_view pxe_vendor_class = "PXEClient:Arch:00000:UNDI:002001";
constexpr std::uint8_t discover_type = 1;
constexpr std::uint8_t request_type = 3;

// Fact sheet 1.1 and 2.8; ipconfig.c ic_req_params.
constexpr std::array<std::uint8_t, 14> eeprom_parameters = {
    1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135};
constexpr std::array<std::uint8_t, 12> rom_parameters = {
    43, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135, 66};
constexpr std::array<std::uint8_t, 9> kernel_parameters = {1, 3, 6, 12, 15, 17, 26, 40, 42};
constexpr std::array<std::uint8_t, 6> userspace_parameters = {1, 3, 6, 12, 15, 42};

void put_little_endian(ByteWriter& out, std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) out.u8(static_cast<std::uint8_t>(value >> 8U * i));
}

void put_option(ByteWriter& out, std::uint8_t code, std::span<const std::uint8_t> value) {
    out.u8(code);
    out.u8(static_cast<std::uint8_t>(value.size()));
    out.octets(value);
}

void put_text_option(ByteWriter& out, std::uint8_t code, std::string_view value) {
    out.u8(code);
    out.u8(static_cast<std::uint8_t>(value.size()));
    out.text(value);
}

void put_address_option(ByteWriter& out, std::uint8_t code, Ipv4Address value) {
    put_option(out, code, value.octets());
}

// op to file and the cookie: RFC 2131 figure 1.
void put_header(ByteWriter& out, MacAddress mac, std::uint32_t xid, std::uint16_t secs) {
    out.u8(1);  // BOOTREQUEST
    out.u8(1);  // Ethernet
    out.u8(MacAddress::size);
    out.u8(0);  // hops
    out.u32(xid);
    out.u16(secs);
    out.u16(0);     // flags: a unicast answer is understood before there is an address
    out.zeros(16);  // ciaddr, yiaddr, siaddr, giaddr
    out.octets(mac.octets());
    out.zeros(10);
    out.zeros(file_and_sname_bytes);
    out.u32(magic_cookie);
}

// Fact sheet 1.2: the prefix turned round in 2022, nothing behind it did.
void put_option97(ByteWriter& out, const BoardSpec& spec) {
    out.u8(97);
    out.u8(17);
    out.u8(0);
    switch (spec.profile.option97) {
        case Option97::serial_only:
            for (int i = 0; i < 4; ++i) put_little_endian(out, spec.serial.value());
            return;
        case Option97::rpi4_little_endian:
            out.text("RPi4");
            break;
        case Option97::rpi4_big_endian:
            out.text("4iPR");
            break;
        case Option97::rpi5_big_endian:
            out.text("5iPR");
            break;
    }
    put_little_endian(out, spec.revision.value());
    out.octets(std::span(spec.mac.octets()).subspan(2));
    put_little_endian(out, spec.serial.value());
}

void put_firmware_discover(ByteWriter& out, const BoardSpec& spec) {
    if (spec.profile.family == Family::pi3) {
        put_option(out, 55, rom_parameters);
    } else {
        put_option(out, 55, eeprom_parameters);
    }
    put_option(out, 93, std::array<std::uint8_t, 2>{0, 0});  // "x86 BIOS", on every model
    put_option(out, 94, std::array<std::uint8_t, 3>{1, 2, 1});
    put_option97(out, spec);
    put_text_option(out, 60, pxe_vendor_class);
}

void put_userspace_identity(ByteWriter& out, const BoardSpec& spec) {
    std::array<std::uint8_t, 7> client_id{1};
    std::ranges::copy(spec.mac.octets(), client_id.begin() + 1);
    put_option(out, 61, client_id);
    put_option(out, 57, std::array<std::uint8_t, 2>{0x05, 0xdc});  // 1500
    if (!spec.hostname.empty()) put_text_option(out, 12, spec.hostname.substr(0, 63));
    put_option(out, 55, userspace_parameters);
}

std::vector<std::byte> finish(ByteWriter& out) {
    out.u8(255);
    const auto written = out.written();
    return {written.begin(), written.end()};
}

}  // namespace

std::vector<std::byte> make_discover(
    const BoardSpec& spec, DhcpStage stage, std::uint32_t xid, std::uint16_t secs
) {
    std::array<std::byte, dhcp_reply_bytes_max> buffer{};
    ByteWriter out(buffer);
    put_header(out, spec.mac, xid, secs);
    put_option(out, 53, std::array{discover_type});
    if (stage == DhcpStage::firmware) put_firmware_discover(out, spec);
    if (stage == DhcpStage::kernel) put_option(out, 55, kernel_parameters);
    if (stage == DhcpStage::userspace) put_userspace_identity(out, spec);
    return finish(out);
}

std::vector<std::byte> make_request(
    const BoardSpec& spec,
    DhcpStage stage,
    std::uint32_t xid,
    std::uint16_t secs,
    const Selection& selection
) {
    std::array<std::byte, dhcp_reply_bytes_max> buffer{};
    ByteWriter out(buffer);
    put_header(out, spec.mac, xid, secs);
    put_option(out, 53, std::array{request_type});
    if (stage == DhcpStage::kernel) {  // ipconfig.c: 54 before 50
        put_address_option(out, 54, selection.server);
        put_address_option(out, 50, selection.yiaddr);
        put_option(out, 55, kernel_parameters);
        return finish(out);
    }
    put_address_option(out, 50, selection.yiaddr);
    put_address_option(out, 54, selection.server);
    if (stage == DhcpStage::userspace) put_userspace_identity(out, spec);
    // No 55, no 93, no 97; and no 60 before 2020-06 (fact sheet 1.3): the server must remember.
    if (stage == DhcpStage::firmware && spec.profile.request_has_vendor_class) {
        put_text_option(out, 60, pxe_vendor_class);
    }
    return finish(out);
}

namespace {

std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<std::uint32_t> as_u32(std::span<const std::byte> bytes) {
    ByteReader reader(bytes);
    return reader.u32();
}

// Fills in one option. False: its length is wrong for it.
bool take_option(DhcpReply& reply, std::uint8_t code, std::span<const std::byte> value) {
    const auto address = [&](std::optional<Ipv4Address>& into, bool list) {
        if (value.size() < 4 || value.size() % 4 != 0 || (!list && value.size() != 4)) return false;
        into = Ipv4Address(*as_u32(value));
        return true;
    };
    switch (code) {
        case 1:
            return address(reply.mask, false);
        case 3:
            return address(reply.router, true);
        case 54:
            return address(reply.server, false);
        case 51:
            reply.lease_s = as_u32(value);
            return value.size() == 4;
        case 53:
            if (value.size() != 1) return false;
            reply.type = static_cast<ReplyType>(value[0]);
            return true;
        case 17:
            reply.root_path = as_text(value);
            return true;
        case 60:
            reply.vendor_class = as_text(value);
            return true;
        case 66:
            reply.tftp_text = as_text(value);
            return true;
        case 43:
            reply.vendor_options.assign(value.begin(), value.end());
            return true;
        default:
            return true;
    }
}

Result<void> take_options(DhcpReply& reply, ByteReader& reader, DhcpStage stage) {
    std::bitset<256> seen;
    while (true) {
        const auto code = reader.u8();
        if (!code) return fail("the options have no END");
        if (*code == 255) break;
        if (*code == 0) {
            if (stage == DhcpStage::firmware) return fail("a pad stands between the options");
            continue;
        }
        const auto length = reader.u8();
        const auto value = length ? reader.take(*length) : std::nullopt;
        if (!value) return fail(fmt::format("option {} runs past the end", *code));
        if (seen.test(*code)) return fail(fmt::format("option {} stands twice", *code));
        if (*code == 52) return fail("option overload is not understood");
        seen.set(*code);
        if (!take_option(reply, *code, *value)) {
            return fail(fmt::format("option {} has a wrong length", *code));
        }
    }
    if (!seen.test(53)) return fail("no DHCP message type");
    if (reply.type != ReplyType::offer && reply.type != ReplyType::ack &&
        reply.type != ReplyType::nak) {
        return fail("not a server's message type");
    }
    return {};
}

}  // namespace

Result<DhcpReply> parse_reply(std::span<const std::byte> bytes, DhcpStage stage) {
    if (bytes.size() > dhcp_reply_bytes_max) return fail("longer than 548 bytes");
    ByteReader reader(bytes);
    DhcpReply reply;
    const auto start = reader.octets<4>();  // op, htype, hlen, hops
    const auto xid = reader.u32();
    const auto secs_flags_ciaddr = reader.take(8);
    const auto yiaddr = reader.u32();
    const auto siaddr = reader.u32();
    const auto giaddr = reader.take(4);
    const auto chaddr = reader.octets<MacAddress::size>();
    const auto rest = reader.take(10 + file_and_sname_bytes);
    const auto cookie = reader.u32();
    if (!start || !xid || !secs_flags_ciaddr || !yiaddr || !siaddr || !giaddr || !chaddr || !rest ||
        !cookie) {
        return fail("shorter than a DHCP header");
    }
    if ((*start)[0] != 2) return fail("not a BOOTREPLY");
    if ((*start)[1] != 1 || (*start)[2] != MacAddress::size) return fail("not for Ethernet");
    if (*cookie != magic_cookie) return fail("no magic cookie");
    reply.xid = *xid;
    reply.yiaddr = Ipv4Address(*yiaddr);
    reply.siaddr = Ipv4Address(*siaddr);
    reply.chaddr = MacAddress(*chaddr);
    if (auto taken = take_options(reply, reader, stage); !taken) {
        return tl::unexpected(taken.error());
    }
    return reply;
}

bool boot_menu_names(std::span<const std::byte> option43, std::string_view text) {
    ByteReader reader(option43);
    while (const auto code = reader.u8()) {
        if (*code == 255) return false;
        if (*code == 0) continue;
        const auto length = reader.u8();
        const auto value = length ? reader.take(*length) : std::nullopt;
        if (!value) return false;  // raw text where TLVs belong: E#58
        if (*code != 9) continue;
        ByteReader menu(*value);  // entries of type(2), length(1), text
        while (!menu.at_end()) {
            const auto type = menu.u16();
            const auto text_length = menu.u8();
            const auto entry = text_length ? menu.take(*text_length) : std::nullopt;
            if (!type || !entry) break;
            if (as_text(*entry).find(text) != std::string_view::npos) return true;
        }
    }
    return false;
}

std::optional<Ipv4Address> boot_server(
    const DhcpReply& reply, Ipv4Address source, std::string_view pxe_option43
) {
    if (reply.tftp_text) {
        if (const auto address = Ipv4Address::parse(*reply.tftp_text)) return *address;
    }
    const bool pxe = reply.vendor_class.starts_with("PXEClient") &&
                     boot_menu_names(reply.vendor_options, pxe_option43);
    if (!pxe) return std::nullopt;
    if (reply.siaddr.is_set()) return reply.siaddr;
    return reply.server.value_or(source);
}

}  // namespace bramble::virtual_board
