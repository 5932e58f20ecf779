// What one datagram costs the DHCP codec: a DISCOVER as a Pi's firmware sends it in, an OFFER out.
#include <benchmark/benchmark.h>

#include <string_view>
#include <vector>

#include "services/dhcp/message.hpp"

namespace bramble::dhcp {
namespace {

void add(Message& message, std::uint8_t code, std::string_view octets) {
    message.options.set(static_cast<OptionCode>(code), std::as_bytes(std::span(octets)));
}

// Fact sheet 1.1: vendor class, machine identifier, architecture and the list of what it wants.
Message discover() {
    using namespace std::string_view_literals;
    Message message;
    message.xid = TransactionId(0x26f30339);
    message.chaddr = *MacAddress::parse("dc:a6:32:01:02:03");
    add(message, 55, "\x01\x03\x2b\x3c\x42\x43\x80\x81\x82\x83\x84\x85\x86\x87"sv);
    add(message, 93, "\0\0"sv);
    add(message, 94, "\x01\x02\x01"sv);
    add(message, 97, "\0RPi4\x11\0\xd0\x31\x32\xa6\xdc\xe1\x42\x97\x0c"sv);
    add(message, 60, "PXEClient:Arch:00000:UNDI:002001"sv);
    return message;
}

void parse_discover(benchmark::State& state) {
    const std::vector<std::byte> datagram = emit(discover(), bootp_bytes_min);
    if (!parse(datagram)) {
        state.SkipWithError("the DISCOVER does not parse");
        return;
    }
    for (auto _ : state) benchmark::DoNotOptimize(parse(datagram));
}

void emit_offer(benchmark::State& state) {
    Message message = discover();
    message.op = Operation::reply;
    message.type = MessageType::offer;
    if (emit(message, bootp_bytes_min).size() < bootp_bytes_min) {
        state.SkipWithError("the OFFER is too short");
        return;
    }
    for (auto _ : state) benchmark::DoNotOptimize(emit(message, bootp_bytes_min));
}

BENCHMARK(parse_discover);
BENCHMARK(emit_offer);

}  // namespace
}  // namespace bramble::dhcp

BENCHMARK_MAIN();
