#include "tests/conformance/tftp/conversation.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

namespace bramble::tftp {
namespace {

std::span<const std::byte> as_octets(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::vector<std::byte> octets_of(const Outgoing& datagram) {
    const auto head = datagram.head();
    std::vector<std::byte> octets(head.begin(), head.end());
    octets.insert(octets.end(), datagram.payload.begin(), datagram.payload.end());
    return octets;
}

}  // namespace

std::vector<std::byte> file_bytes(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<std::byte>((i * 2654435761U) >> 13U);
    }
    return bytes;
}

void MemoryFiles::add(const std::string& path, std::size_t bytes) {
    auto stored = std::make_shared<Stored>();
    stored->bytes = file_bytes(bytes);
    stored->content.bytes = stored->bytes;
    files_[path] = std::move(stored);
}

Resolution MemoryFiles::resolve(const Peer& /*peer*/, std::string_view path, TimePoint /*now*/) {
    ++asked;
    if (!forbidden_.empty() && path == forbidden_) {
        return Refused{"pi-01", std::string(path), "forbidden"};
    }
    const auto found = files_.find(path);
    if (found == files_.end()) return NotFound{"pi-01", std::string(path)};
    return File{
        std::shared_ptr<const Content>(found->second, &found->second->content),
        "pi-01",
        std::string(path),
        7};
}

std::string describe(const Outgoing& datagram) {
    const std::vector<std::byte> octets = octets_of(datagram);
    const auto packet = parse(octets);
    if (!packet) return fmt::format("malformed: {}", to_string(packet.error().what));
    if (const auto* data = std::get_if<Data>(&*packet)) {
        return fmt::format("DATA {} {}", data->block.value(), data->payload.size());
    }
    if (const auto* error = std::get_if<ErrorMessage>(&*packet)) {
        return fmt::format("ERROR {} {}", error->code, error->text);
    }
    if (const auto* oack = std::get_if<Oack>(&*packet)) {
        std::string line = "OACK";
        for (const OptionText& option : oack->options.all()) {
            line += fmt::format(" {}={}", option.name, option.value);
        }
        return line;
    }
    return "not a server's datagram";
}

Conversation::Conversation(const Settings& settings) : engine(settings, files) {}

void Conversation::ask(std::string_view path, std::string_view mode_and_options) {
    std::string octets("\0\1", 2);
    octets += path;
    octets += '\0';
    std::istringstream words{std::string(mode_and_options)};
    for (std::string word; words >> word;) {
        const std::size_t equals = word.find('=');
        octets += word.substr(0, equals);
        octets += '\0';
        if (equals == std::string::npos) continue;
        octets += word.substr(equals + 1);
        octets += '\0';
    }
    request_bytes(octets);
}

void Conversation::ask_to_write(std::string_view path) {
    std::string octets("\0\2", 2);
    octets += path;
    octets += '\0';
    octets += "octet";
    octets += '\0';
    request_bytes(octets);
}

void Conversation::ack(unsigned block) {
    std::array<std::byte, 4> buffer{};
    engine.on_datagram(peer, emit_ack(BlockNumber(static_cast<std::uint16_t>(block)), buffer), now);
}

void Conversation::error(std::uint16_t code, std::string_view text) {
    std::array<std::byte, 512> buffer{};
    engine.on_datagram(peer, emit_error(static_cast<ErrorCode>(code), text, buffer), now);
}

void Conversation::request_bytes(std::string_view octets) {
    engine.on_request(peer, as_octets(octets), now);
}

void Conversation::data_bytes(std::string_view octets) {
    engine.on_datagram(peer, as_octets(octets), now);
}

std::vector<Outgoing> Conversation::transmit() {
    std::vector<Outgoing> all;
    std::array<Outgoing, 3> batch;  // small, so that windows cross the edge of a batch
    for (;;) {
        const std::size_t count = engine.poll_transmit(batch, now);
        all.insert(all.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(count));
        if (count < batch.size()) return all;
    }
}

Lines Conversation::answers() {
    Lines lines;
    for (const Outgoing& datagram : transmit()) lines.push_back(describe(datagram));
    return lines;
}

std::vector<TransferEvent> Conversation::events() {
    std::vector<TransferEvent> all;
    while (auto event = engine.poll_event()) all.push_back(std::move(*event));
    return all;
}

Lines Conversation::wait(Duration span) {
    Lines lines;
    const TimePoint from = now;
    while (now < from + span) {
        now += std::chrono::milliseconds(10);
        engine.on_deadline(now);
        for (const std::string& line : answers()) {
            lines.push_back(
                fmt::format("{:.2f} {}", std::chrono::duration<double>(now - from).count(), line)
            );
        }
    }
    return lines;
}

std::vector<std::byte> Conversation::load(
    std::string_view path, std::string_view mode_and_options
) {
    std::vector<std::byte> file;
    std::uint64_t expected = 1;
    ask(path, mode_and_options);
    while (engine.open_transfers() > 0) {
        const auto datagrams = transmit();
        if (datagrams.empty()) ADD_FAILURE() << "the server fell silent at block " << expected;
        if (datagrams.empty()) break;
        unsigned last = 0;
        for (const Outgoing& datagram : datagrams) {
            const std::vector<std::byte> octets = octets_of(datagram);
            const auto packet = parse(octets);
            if (const auto* data = std::get_if<Data>(&*packet)) {
                EXPECT_EQ(data->block, BlockNumber::of_count(expected));
                file.insert(file.end(), data->payload.begin(), data->payload.end());
                last = data->block.value();
                ++expected;
            }
        }
        now += std::chrono::microseconds(200);
        ack(last);
    }
    return file;
}

}  // namespace bramble::tftp
