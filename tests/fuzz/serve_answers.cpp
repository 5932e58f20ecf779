// Any bytes as what a serve answered a subcommand: documents are shown or refused, and a stream of
// events says the same in whatever pieces it comes.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "services/bramble/board_text.hpp"
#include "services/bramble/event_reader.hpp"
#include "services/bramble/event_text.hpp"
#include "services/bramble/status_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bramble::program;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(render_boards(text));
    static_cast<void>(render_board(text));
    static_cast<void>(render_boot_log(text));
    static_cast<void>(render_status(text, text));
    EventReader whole;
    const std::vector<ServerEvent> events = whole.feed(text);
    EventReader pieces;
    std::vector<ServerEvent> again = pieces.feed(text.substr(0, size / 2));
    for (ServerEvent& event : pieces.feed(text.substr(size / 2))) again.push_back(std::move(event));
    if (again != events) std::abort();
    for (const ServerEvent& event : events) {
        static_cast<void>(event_line(event, {}));
        static_cast<void>(event_json_line(event, {}));
    }
    return 0;
}
