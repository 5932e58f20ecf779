// tftp_load: many lock-step TFTP clients behind one packet socket, for benchmarks. One line of JSON
// on stdout.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>

#include "tests/bench/tftp/load_client.hpp"
#include "tests/bench/tftp/packet_port.hpp"

namespace bramble::bench {
namespace {

struct Options {
    std::string interface;
    std::string server;
    std::string base;
    std::size_t clients = 1;
    std::size_t per_station = 1;
    double loss = 0;
    std::uint64_t seed = 1;
    double limit_s = 120;
    double ramp_ms = 0;
    LoadPlan plan;
};

constexpr std::uint16_t first_port = 2048;

TimePoint now() {
    return TimePoint(std::chrono::steady_clock::now().time_since_epoch());
}

float percentile(std::vector<float>& values, double p) {
    if (values.empty()) return 0;
    const auto at = static_cast<std::size_t>(p * static_cast<double>(values.size() - 1));
    std::nth_element(
        values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end()
    );
    return values[at];
}

int run(const Options& options, PacketPort port) {
    const auto server = options.plan.server;
    if (const auto mac = port.resolve(server); !mac) {
        fmt::print(stderr, "{}\n", mac.error().message);
        return 3;
    }
    LoadCounters counters;
    std::mt19937_64 chance(options.seed);
    std::bernoulli_distribution lost(options.loss);
    std::vector<LoadClient> clients;
    std::vector<LoadClient::Send> sends;
    for (std::size_t i = 0; i < options.clients; ++i) {
        const auto slot = static_cast<std::uint16_t>(i % options.per_station);
        clients.emplace_back(
            options.plan,
            i / options.per_station,
            static_cast<std::uint16_t>(first_port + slot * LoadClient::ports),
            counters
        );
        const Station station = port.station(i / options.per_station);
        sends.emplace_back(
            [&, station](std::uint16_t from, std::uint16_t to, std::span<const std::byte> payload) {
                if (lost(chance)) return false;
                port.send(station, from, server, to, payload);
                return true;
            }
        );
    }
    const TimePoint begin = now();
    std::size_t started = 0;
    TimePoint next_tick = begin;
    const auto deadline =
        begin +
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options.limit_s));
    bool busy = true;
    const std::uint32_t base = port.station(0).ip.value();
    while (busy && now() < deadline) {
        const TimePoint t = now();
        const double due =
            options.ramp_ms <= 0
                ? 1.0
                : std::chrono::duration<double, std::milli>(t - begin).count() / options.ramp_ms;
        const auto want =
            static_cast<std::size_t>(std::min(1.0, due) * static_cast<double>(clients.size()));
        for (; started < want; ++started) clients[started].start(t, sends[started]);
        port.flush();
        port.receive(20, [&](const UdpIn& in) {
            if (in.source != server || lost(chance)) return;
            const std::size_t slot =
                static_cast<std::size_t>(in.destination_port - first_port) / LoadClient::ports;
            const std::size_t index = (in.destination.value() - base) * options.per_station + slot;
            if (slot < options.per_station && index < clients.size())
                clients[index].on_datagram(in, now(), sends[index]);
        });
        port.flush();
        if (t < next_tick) continue;
        next_tick = t + std::chrono::milliseconds(50);
        busy = started < clients.size();
        for (std::size_t i = 0; i < started; ++i) {
            clients[i].on_tick(t, sends[i]);
            busy = busy || !(clients[i].finished() || clients[i].failed());
        }
    }
    std::vector<float> totals;
    for (const LoadClient& client : clients) {
        if (client.finished())
            totals.push_back(std::chrono::duration<float>(client.finished_at() - begin).count());
    }
    std::sort(totals.begin(), totals.end());
    const float last = totals.empty() ? 0 : totals.back();
    fmt::print(
        R"({{"clients":{},"finished":{},"seconds":{:.4f},"fastest_s":{:.4f},"bytes":{},"blocks":{},"mb_per_s":{:.2f},"us_per_block":{:.3f},"rrq_retries":{},"duplicate_data":{},"needless_data":{},"errors":{},"file_p50_s":{:.4f},"file_p99_s":{:.4f},"round_trip_p50_us":{:.1f},"round_trip_p99_us":{:.1f}}})"
        "\n",
        clients.size(),
        totals.size(),
        last,
        totals.empty() ? 0 : totals.front(),
        counters.bytes,
        counters.blocks,
        last > 0 ? static_cast<double>(counters.bytes) / 1e6 / last : 0.0,
        counters.blocks > 0 ? 1e6 * last / static_cast<double>(counters.blocks) : 0.0,
        counters.rrq_retries,
        counters.duplicate_data,
        counters.needless_data,
        counters.errors,
        percentile(counters.file_seconds, 0.5),
        percentile(counters.file_seconds, 0.99),
        percentile(counters.round_trip_us, 0.5),
        percentile(counters.round_trip_us, 0.99)
    );
    return totals.size() == clients.size() ? 0 : 1;
}

}  // namespace
}  // namespace bramble::bench

int main(int argc, char** argv) {
    bramble::bench::Options options;
    CLI::App app("Many lock-step TFTP clients behind one packet socket; prints one line of JSON.");
    app.add_option("--interface", options.interface, "the clients' side of the link")->required();
    app.add_option("--server", options.server, "the TFTP server's address")->required();
    app.add_option("--base", options.base, "address of the first client; the others follow it")
        ->required();
    app.add_option("--clients", options.clients, "how many at once");
    app.add_option(
        "--per-station", options.per_station, "clients that share one address (1: like boards)"
    );
    app.add_option(
           "--file",
           options.plan.files,
           "path to fetch, repeatable; {n} is the station's number as eight hex digits"
    )
        ->required();
    app.add_option("--blksize", options.plan.blksize, "block size asked for, in bytes");
    app.add_option("--windowsize", options.plan.windowsize, "window asked for, in blocks");
    app.add_option("--loss", options.loss, "chance that a datagram is lost, each way");
    app.add_option("--seed", options.seed, "of the losses");
    app.add_option("--limit", options.limit_s, "give up after this many seconds");
    app.add_option(
        "--ramp", options.ramp_ms, "spread the start of the clients over this many milliseconds"
    );
    CLI11_PARSE(app, argc, argv);
    const auto server = bramble::Ipv4Address::parse(options.server);
    const auto base = bramble::Ipv4Address::parse(options.base);
    if (!server || !base || options.per_station == 0) {
        fmt::print(stderr, "--server and --base are IPv4 addresses, --per-station is at least 1\n");
        return 2;
    }
    options.plan.server = *server;
    const std::size_t stations = (options.clients + options.per_station - 1) / options.per_station;
    auto port = bramble::bench::PacketPort::open(
        options.interface, *base, stations, 2 * options.clients * options.plan.windowsize
    );
    if (!port) {
        fmt::print(stderr, "{}\n", port.error().message);
        return 3;
    }
    return bramble::bench::run(options, std::move(*port));
}
