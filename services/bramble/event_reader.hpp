// Server-sent events out of the bytes that carry them, in whatever pieces they come. It refuses to
// know what the events mean.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bramble::program {

struct ServerEvent {
    std::string name;  // "message" unless the server said
    std::string data;  // its lines joined by \n

    friend bool operator==(const ServerEvent&, const ServerEvent&) = default;
};

class EventReader {
public:
    // Of one line, and of one event's data; what is beyond is left out.
    static constexpr std::size_t bytes_max = 1024 * 1024;

    // Events that end within `piece`; comments and events without data are none.
    std::vector<ServerEvent> feed(std::string_view piece);

private:
    void end_line(std::vector<ServerEvent>& events);

    std::string line_;
    ServerEvent event_;
    bool has_data_ = false;
    bool after_return_ = false;  // \r\n ends one line, also when a piece ends between them
};

}  // namespace bramble::program
