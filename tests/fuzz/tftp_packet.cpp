// Any octets as a datagram, and any octets as the script of a hostile client: the codec's two
// directions agree, and the engine keeps its bounds.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "services/bytes/byte_reader.hpp"
#include "services/tftp/engine.hpp"

namespace bramble::tftp {
namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

// What parse accepts, emit writes, and parse reads it back as the same octets.
void check_codec(std::span<const std::byte> datagram) {
    const auto packet = parse(datagram);
    if (!packet) {
        require(packet.error().offset <= datagram.size());
        return;
    }
    const auto* request = std::get_if<Request>(&*packet);
    if (request == nullptr || request->mode == Mode::unknown) return;
    std::array<std::byte, request_bytes_max> buffer{};
    const auto written = emit_request(*request, buffer);
    require(!written.empty());
    const auto again = parse(written);
    require(again.has_value());
    const auto& second = std::get<Request>(*again);
    require(second.path == request->path && second.mode == request->mode);
    require(second.options.count == request->options.count);
}

class OneFile : public Resolver {
public:
    Resolution resolve(const Peer& /*peer*/, std::string_view path, TimePoint /*now*/) override {
        if (path.empty() || path[0] == 'm') return NotFound{};
        if (path[0] == 'r') return Refused{{}, {}, "no"};
        return File{std::make_shared<const Content>(Content{bytes}), "board", std::string(path), 1};
    }

    const std::vector<std::byte> bytes = std::vector<std::byte>(70'000);
};

struct Bounds {
    Engine& engine;
    const OneFile& files;
    const Settings& settings;

    void check(TimePoint now) const {
        std::array<Outgoing, 7> batch;
        std::size_t total = 0;
        for (;;) {
            const std::size_t count = engine.poll_transmit(batch, now);
            for (std::size_t i = 0; i < count; ++i) check(batch[i]);
            total += count;
            require(total < 100'000);  // it comes to an end
            if (count < batch.size()) break;
        }
        require(engine.open_transfers() <= settings.transfers_max);
        while (engine.poll_event()) {
        }
    }

    void check(const Outgoing& out) const {
        require(out.peer.port >= 1024);
        require(out.header_size <= Outgoing::header_max);
        require(out.payload.size() <= settings.options.blksize_max);
        const std::byte* first = out.payload.data();
        if (out.header_size == 4 && out.header[1] == std::byte{3} && !out.payload.empty()) {
            require(first >= files.bytes.data());
            require(first + out.payload.size() <= files.bytes.data() + files.bytes.size());
        }
    }
};

// Steps of {what, length, octets}: to port 69, to the data socket, from another port, or a pause.
void run_script(std::span<const std::byte> script) {
    OneFile files;
    Settings settings;
    settings.transfers_max = 20;
    settings.clients.transfers_per_client_max = 8;
    Engine engine(settings, files);
    const Bounds bounds{engine, files, settings};
    TimePoint now{std::chrono::hours(24 * 365 * 50)};
    Peer peer{Ipv4Address({10, 0, 0, 2}), 2000};
    ByteReader reader(script);
    for (int steps = 0; steps < 200; ++steps) {
        const auto what = reader.u8();
        const auto length = reader.u8();
        if (!what || !length) break;
        const auto octets = reader.take(std::min<std::size_t>(*length, reader.remaining()));
        switch (*what % 5) {
            case 0:
                engine.on_request(peer, *octets, now);
                break;
            case 1:
                engine.on_datagram(peer, *octets, now);
                break;
            case 2:
                peer.port = static_cast<std::uint16_t>(1000 + *length);
                break;
            case 3:
                peer.address = Ipv4Address(0x0a000000U + *length % 4);
                break;
            default:
                now += std::chrono::milliseconds(*length * 20);
                engine.on_deadline(now);
        }
        if (*what % 2 == 0) bounds.check(now);
    }
    for (int i = 0; i < 5000 && engine.open_transfers() > 0; ++i) {
        now = std::max(now, engine.next_deadline().value_or(now + std::chrono::seconds(1)));
        engine.on_deadline(now);
        bounds.check(now);
    }
    require(engine.open_transfers() == 0);  // silence ends everything
}

}  // namespace
}  // namespace bramble::tftp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto octets = std::as_bytes(std::span(data, size));
    bramble::tftp::check_codec(octets);
    bramble::tftp::run_script(octets);
    return 0;
}
