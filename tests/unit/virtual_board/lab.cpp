#include "tests/unit/virtual_board/lab.hpp"

#include <algorithm>
#include <array>

#include "config/types/text.hpp"
#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"

namespace bramble::virtual_board {

std::vector<std::byte> from_hex(std::string_view text) {
    std::vector<std::byte> out;
    int high = -1;
    bool comment = false;
    for (const char c : text) {
        if (c == '#') comment = true;
        if (c == '\n') comment = false;
        const int digit = comment ? -1 : hex_value(c);
        if (digit < 0) continue;
        if (high < 0) {
            high = digit;
        } else {
            out.push_back(static_cast<std::byte>(high * 16 + digit));
            high = -1;
        }
    }
    return out;
}

std::string four(Ipv4Address address) {
    const auto octets = address.octets();
    return {octets.begin(), octets.end()};
}

std::string known_good_option43(std::string_view text) {
    std::string out("\x06\x01\x03\x0a\x04\x00PXE\x09", 10);
    out += static_cast<char>(text.size() + 3);
    out += std::string(2, '\0') + static_cast<char>(text.size());
    out += text;
    return out + '\xff';
}

Answer Answer::to(const UdpOut& request, std::uint8_t type) {
    ByteReader reader(request.bytes);
    Answer answer;
    reader.take(4);
    answer.xid = *reader.u32();
    reader.take(20);
    answer.chaddr = MacAddress(*reader.octets<6>());
    answer.with(53, std::string(1, static_cast<char>(type)))
        .with(54, four(lab_server))
        .with(51, std::string("\0\0\x0e\x10", 4))
        .with(1, four(Ipv4Address(0xffffff00U)))
        .with(3, four(lab_server))
        .with(60, "PXEClient")
        .with(43, known_good_option43())
        .with(66, lab_server.to_string());
    return answer;
}

Answer& Answer::with(std::uint8_t code, std::string value) {
    without(code);
    options.emplace_back(code, std::move(value));
    return *this;
}

Answer& Answer::without(std::uint8_t code) {
    std::erase_if(options, [&](const auto& option) { return option.first == code; });
    return *this;
}

std::vector<std::byte> Answer::bytes() const {
    std::array<std::byte, 1500> buffer{};
    ByteWriter out(buffer);
    out.octets(std::array<std::uint8_t, 4>{op, 1, 6, 0});
    out.u32(xid);
    out.zeros(8);
    out.u32(yiaddr.value());
    out.u32(siaddr.value());
    out.zeros(4);
    out.octets(chaddr.octets());
    out.zeros(10 + 192);
    out.u32(0x63825363);
    for (const auto& [code, value] : options) {
        out.u8(code);
        out.u8(static_cast<std::uint8_t>(value.size()));
        out.text(value);
    }
    if (end) out.u8(255);
    return {out.written().begin(), out.written().end()};
}

BoardSpec Lab::standard_spec(std::string_view profile) {
    BoardSpec spec;
    spec.profile = *find_profile(profile);
    spec.mac = *MacAddress::parse("dc:a6:32:01:02:03");
    spec.serial = Serial(0x1234abcdU);
    if (spec.profile.family == Family::pi5) spec.revision = RevisionCode(0xd04170);
    if (spec.profile.family == Family::pi3) spec.revision = RevisionCode(0xa020d3);
    return spec;
}

std::map<std::string, std::string> standard_tree(const BoardSpec& spec) {
    const std::string p = spec.serial.to_string() + "/";
    std::map<std::string, std::string> files;
    files[p + "config.txt"] = "arm_64bit=1\ndtoverlay=disable-bt\n";
    files[p + "cmdline.txt"] = standard_cmdline;
    files[p + "overlays/overlay_map.dtb"] = std::string(1500, 'm');
    files[p + "overlays/disable-bt.dtbo"] = std::string(1024, 'b');
    switch (spec.profile.family) {
        case Family::pi3:
            files["bootcode.bin"] = std::string(5000, 'c');
            files[p + "start.elf"] = std::string(9000, 's');
            files[p + "fixup.dat"] = std::string(700, 'f');
            files[p + "bcm2710-rpi-3-b-plus.dtb"] = std::string(4000, 'd');
            files[p + "kernel8.img"] = std::string(30000, 'k');
            break;
        case Family::pi4:
            files[p + "start4.elf"] = std::string(9000, 's');
            files[p + "fixup4.dat"] = std::string(700, 'f');
            files[p + "bcm2711-rpi-4-b.dtb"] = std::string(4000, 'd');
            files[p + "kernel8.img"] = std::string(30000, 'k');
            break;
        case Family::pi5:
            files[p + "bcm2712-rpi-5-b.dtb"] = std::string(4000, 'd');
            files[p + "kernel_2712.img"] = std::string(30000, 'k');
            break;
    }
    if (spec.profile.doubles_slashes) {
        files[p + "/config.txt"] = files[p + "config.txt"];
        files[p + "/cmdline.txt"] = files[p + "cmdline.txt"];
    }
    return files;
}

Lab::Lab(BoardSpec spec) : board(spec), files(standard_tree(spec)) {}

void Lab::run(Duration limit) {
    run_until(
        [&] {
            return board.phase() == Phase::up || board.phase() == Phase::hung ||
                   board.phase() == Phase::halted;
        },
        limit
    );
}

void Lab::drain() {
    while (auto out = board.poll_transmit(now)) {
        sent.push_back(*out);
        sent_at.push_back(now);
        on_board_sent(*out);
    }
    while (auto action = board.poll_action()) {
        actions.push_back(*action);
        if (std::holds_alternative<MountRoot>(*action)) {
            const Result<void> refused = fail("access denied");
            board.on_mount_result(mounts ? Result<void>() : refused, now);
        }
        if (std::holds_alternative<ReportUp>(*action)) {
            board.on_report_result(accepts_report, now);
        }
        return drain();  // what it sends because of that
    }
}

void Lab::run_until(const std::function<bool()>& done, Duration limit) {
    const TimePoint end = now + limit;
    if (board.phase() == Phase::off) board.on_power(now);
    drain();
    while (!done()) {
        const auto due = board.next_deadline();
        const auto first = std::ranges::min_element(arrivals_, {}, &Arrival::at);
        const bool arrives = first != arrivals_.end() && (!due || first->at <= *due);
        if (!arrives && !due) return;
        const TimePoint next = std::max(now, arrives ? first->at : *due);
        if (next > end) break;
        now = next;
        if (arrives) {
            const Arrival arrival = *first;
            arrivals_.erase(first);
            board.on_datagram(
                {arrival.source,
                 arrival.source_port,
                 arrival.destination,
                 arrival.destination_port,
                 arrival.bytes},
                now
            );
        } else {
            board.on_deadline(now);
        }
        drain();
    }
    if (!done()) now = end;
}

void Lab::on_board_sent(const UdpOut& out) {
    if (out.destination_port == dhcp_server_port) return on_dhcp(out);
    if (out.destination == lab_server) on_tftp(out);
}

void Lab::on_dhcp(const UdpOut& out) {
    const bool request = out.bytes[242] == std::byte{3};
    const std::uint8_t type = request ? 5 : 2;
    const Answer answer = Answer::to(out, type);
    const auto bytes = dhcp ? dhcp(answer, type) : answer.bytes();
    if (!bytes) return;
    arrivals_.push_back(
        {now + 1ms, lab_server, dhcp_server_port, lab_board, dhcp_client_port, *bytes}
    );
}

void Lab::deliver_tftp(const UdpOut& out, const Session& session, std::vector<std::byte> packet) {
    std::vector<std::vector<std::byte>> packets{packet};
    if (tftp) packets = tftp(session.path, std::move(packet));
    Duration delay = 200us;
    for (auto& each : packets) {
        arrivals_.push_back(
            {now + delay,
             lab_server,
             static_cast<std::uint16_t>(30000 + out.source_port % 1000),
             out.source,
             out.source_port,
             std::move(each)}
        );
        delay += 50us;
    }
}

void Lab::on_rrq(const UdpOut& out) {
    ByteReader reader(out.bytes);
    reader.u16();
    Session session;
    session.path = *reader.nul_terminated();
    reader.nul_terminated();
    std::string oack(1, '\0');
    oack += '\x06';
    const auto file = files.find(session.path);
    while (!reader.at_end()) {
        const std::string name(*reader.nul_terminated());
        const std::string value(*reader.nul_terminated());
        if (name == "blksize" && answers_options) session.blksize = std::stoul(value);
        if (file == files.end()) continue;
        const std::string answer = name == "tsize" ? std::to_string(file->second.size()) : value;
        oack += name + '\0' + answer + '\0';
    }
    session.line = log.size();
    if (file == files.end()) {
        log.push_back(session.path + " nf");
        return deliver_tftp(out, session, bytes_of({"\0\5\0\1not found\0", 14}));
    }
    log.push_back(session.path + " started");
    session.content = file->second;
    sessions_[out.source_port] = session;
    if (!answers_options || oack.size() == 2) {
        return send_data(out, sessions_[out.source_port], 1);
    }
    deliver_tftp(out, session, bytes_of(oack));
}

void Lab::send_data(const UdpOut& out, Session& session, std::uint64_t block) {
    const std::size_t from = (block - 1) * session.blksize;
    if (from > session.content.size()) {
        log[session.line] = session.path + " full";
        return;
    }
    std::string packet("\0\3", 2);
    packet += static_cast<char>(block >> 8U);
    packet += static_cast<char>(block);
    packet += session.content.substr(from, session.blksize);
    session.sent_at = now;
    deliver_tftp(out, session, bytes_of(packet));
}

void Lab::on_tftp(const UdpOut& out) {
    ByteReader reader(out.bytes);
    const auto opcode = reader.u16();
    if (out.destination_port == 69) return on_rrq(out);
    const auto found = sessions_.find(out.source_port);
    if (found == sessions_.end()) return;
    Session& session = found->second;
    if (opcode == 5) {
        log[session.line] = session.path + " probe";
        sessions_.erase(found);
        return;
    }
    const std::uint16_t ack = *reader.u16();
    const bool repeated =
        session.acknowledged > 0 && ack == static_cast<std::uint16_t>(session.acknowledged);
    if (repeated && now - session.sent_at < 1s) return;
    session.acknowledged +=
        static_cast<std::uint16_t>(ack - static_cast<std::uint16_t>(session.acknowledged));
    send_data(out, session, session.acknowledged + 1);
}

}  // namespace bramble::virtual_board
