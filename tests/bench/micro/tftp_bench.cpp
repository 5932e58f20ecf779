// What one datagram costs the TFTP core, sockets left out: the codec, and an ACK in with its DATA
// out for one transfer and for thousands in turn.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "services/tftp/engine.hpp"

namespace bramble::tftp {
namespace {

class OneFile : public Resolver {
public:
    Resolution resolve(const Peer& /*peer*/, std::string_view path, TimePoint /*now*/) override {
        return File{std::make_shared<const Content>(Content{bytes}), "pi-01", std::string(path), 1};
    }

    const std::vector<std::byte> bytes = std::vector<std::byte>(64U << 20U);
};

std::span<const std::byte> make_request(std::span<std::byte> buffer) {
    Request request;
    request.path = "d9780558/start4.elf";
    request.options.add("tsize", "0");
    request.options.add("blksize", "1468");
    return emit_request(request, buffer);
}

void parse_request(benchmark::State& state) {
    std::array<std::byte, request_bytes_max> buffer{};
    const auto datagram = make_request(buffer);
    for (auto _ : state) benchmark::DoNotOptimize(parse(datagram));
}

void parse_ack(benchmark::State& state) {
    std::array<std::byte, 4> buffer{};
    const auto datagram = emit_ack(BlockNumber(7), buffer);
    for (auto _ : state) benchmark::DoNotOptimize(parse(datagram));
}

void emit_and_parse_data(benchmark::State& state) {
    std::array<std::byte, 1472> buffer{};
    const std::vector<std::byte> block(1468);
    for (auto _ : state) benchmark::DoNotOptimize(parse(emit_data(BlockNumber(7), block, buffer)));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * block.size()));
}

// One lock-step block of each of `range(0)` transfers, in batches of 64 as the shell has them.
void ack_to_data(benchmark::State& state) {
    const auto transfers = static_cast<std::size_t>(state.range(0));
    OneFile files;
    Settings settings;
    settings.clients.transfers_per_client_max = static_cast<unsigned>(transfers);
    settings.clients.request_burst = 1U << 30U;
    Engine engine(settings, files);
    TimePoint now{std::chrono::hours(24 * 365 * 50)};
    std::array<std::byte, request_bytes_max> buffer{};
    const auto request = make_request(buffer);
    std::array<Outgoing, 64> batch;
    std::array<std::byte, 4> ack{};
    std::vector<Peer> peers;
    std::uint64_t blocks = 0;
    const auto start_all = [&] {
        for (const Peer& peer : peers) engine.on_request(peer, request, now);
        while (engine.poll_transmit(batch, now) == batch.size()) {
        }
    };
    for (std::size_t i = 0; i < transfers; ++i) {
        peers.push_back(
            {Ipv4Address(0x0a000000U + static_cast<std::uint32_t>(i)),
             static_cast<std::uint16_t>(40'000 + i % 20'000)}
        );
    }
    start_all();
    std::uint64_t block = 0;
    const std::uint64_t blocks_max = files.bytes.size() / 1468;
    for (auto _ : state) {
        const auto datagram = emit_ack(BlockNumber::of_count(block), ack);
        for (std::size_t i = 0; i < transfers; ++i) {
            now += std::chrono::microseconds(5);
            engine.on_datagram(peers[i], datagram, now);
            if (i % 64 == 63 || i + 1 == transfers) blocks += engine.poll_transmit(batch, now);
        }
        if (++block < blocks_max) continue;
        state.PauseTiming();
        block = 0;
        now += std::chrono::seconds(10);
        start_all();
        while (engine.poll_event()) {
        }
        state.ResumeTiming();
    }
    if (blocks == 0) std::abort();
    state.SetItemsProcessed(static_cast<std::int64_t>(blocks));
}

// From the request to the probe's end: what a board does 20 times in a boot.
void probe(benchmark::State& state) {
    OneFile files;
    Settings settings;
    settings.clients.request_burst = 1U << 30U;
    Engine engine(settings, files);
    const Peer peer{Ipv4Address(0x0a000001U), 40'000};
    TimePoint now{std::chrono::hours(24 * 365 * 50)};
    std::array<std::byte, request_bytes_max> buffer{};
    const auto request = make_request(buffer);
    std::array<std::byte, 64> error{};
    const auto early = emit_error(ErrorCode::not_defined, "Early terminate", error);
    std::array<Outgoing, 8> batch;
    for (auto _ : state) {
        now += std::chrono::milliseconds(1);
        engine.on_request(peer, request, now);
        engine.poll_transmit(batch, now);
        engine.on_datagram(peer, early, now);
        benchmark::DoNotOptimize(engine.poll_event());
    }
}

BENCHMARK(parse_request);
BENCHMARK(parse_ack);
BENCHMARK(emit_and_parse_data);
BENCHMARK(ack_to_data)->Arg(1)->Arg(64)->Arg(1000)->Arg(10'000);
BENCHMARK(probe);

}  // namespace
}  // namespace bramble::tftp

BENCHMARK_MAIN();
