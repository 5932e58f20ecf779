// Any bytes as what a board says beside DHCP and TFTP: frames, the text of its console, the body of
// its report. Consoles stay within their bounds and hold plain ASCII, however the bytes are cut.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "services/boards/console.hpp"
#include "services/io/overheard.hpp"
#include "services/web/up_report.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bramble;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto frame = std::as_bytes(std::span(data, size));
    if (const auto heard = io::parse_overheard(frame)) {
        const auto* begin = heard->payload.data();
        const bool inside =
            heard->payload.empty() ||
            (begin >= frame.data() && begin + heard->payload.size() <= frame.data() + frame.size());
        if (!inside || (heard->is_tcp && !heard->payload.empty())) std::abort();
    }
    const web::ReportBody body = web::read_report_body(text);
    if (body.kernel.size() > 64 || body.heartbeat > web::ReportBody::heartbeat_max) std::abort();

    boards::Console console;
    const TimePoint now{std::chrono::hours(1)};
    for (int round = 0; round < 3; ++round) {
        console.add(text.substr(0, size / 2), round == 1, now);
        console.add(text.substr(size / 2), round == 1, now + std::chrono::seconds(3 * round));
    }
    std::size_t bytes = 0;
    for (const boards::ConsoleLine& line : console.lines()) {
        if (line.text.size() > boards::Console::line_bytes_max) std::abort();
        bytes += line.text.size();
        for (const char c : line.text) {
            if (c < 0x20 || c > 0x7e) std::abort();
        }
    }
    if (console.lines().size() > boards::Console::lines_max) std::abort();
    if (bytes > boards::Console::bytes_max + boards::Console::line_bytes_max) std::abort();
    boards::Console taken = console.take_loader_lines(TimePoint{});
    static_cast<void>(taken.telling_line());
    static_cast<void>(console.text(now));
    return 0;
}
