#include "services/bramble/event_lines.hpp"

#include <fmt/core.h>

#include <ctime>

#include "config/types/text.hpp"

namespace bramble::program {
namespace {

using spdlog::level::level_enum;

std::string who(const dhcp::Client& client) {
    std::string text = " mac=" + client.mac.to_string();
    if (client.serial) text += " serial=" + client.serial->to_string();
    if (!client.board.empty()) text += " board=" + client.board;
    return text;
}

std::string describe_expiry(TimePoint expires) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch()).count();
    const std::time_t time = seconds;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, 32> buffer{};
    std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return buffer.data();
}

// The level and the pairs behind who it is about.
struct Details {
    level_enum level = level_enum::info;
    std::string pairs;
};

struct Describe {
    Details operator()(const dhcp::Discovered& event) const {
        return {level_enum::debug, fmt::format(" secs={}", event.secs)};
    }

    Details operator()(const dhcp::Offered& event) const {
        return {level_enum::debug, " address=" + event.address.to_string()};
    }

    Details operator()(const dhcp::Acknowledged& event) const {
        return {
            level_enum::info,
            fmt::format(
                " address={} state={} expires={}",
                event.address.to_string(),
                to_string(event.state),
                describe_expiry(event.expires)
            )};
    }

    Details operator()(const dhcp::BootServerAnswered& event) const {
        return {
            level_enum::info,
            fmt::format(
                " address={} bootfile=\"{}\"", event.address.to_string(), shown(event.bootfile)
            )};
    }

    Details operator()(const dhcp::Refused& event) const {
        return {
            level_enum::warn,
            fmt::format(
                " address={} reason=\"{}\"", event.address.to_string(), shown(event.reason)
            )};
    }

    Details operator()(const dhcp::Declined& event) const {
        return {level_enum::warn, " address=" + event.address.to_string()};
    }

    Details operator()(const dhcp::Released& event) const {
        return {level_enum::info, " address=" + event.address.to_string()};
    }

    Details operator()(const dhcp::Held& event) const {
        return {
            level_enum::info,
            fmt::format(" reason={} detail=\"{}\"", to_string(event.reason), shown(event.detail))};
    }

    Details operator()(const dhcp::EnrollWanted& event) const {
        return {level_enum::info, " profile=" + event.profile};
    }

    Details operator()(const dhcp::AddressLearned& event) const {
        return {
            level_enum::debug,
            fmt::format(" address={} ours={}", event.address.to_string(), event.ours)};
    }

    Details operator()(const dhcp::ForeignServer& event) const {
        return {level_enum::warn, " server=" + event.server.to_string()};
    }

    Details operator()(const dhcp::AddressConflict& event) const {
        return {level_enum::warn, " address=" + event.address.to_string()};
    }
};

level_enum level_of(tftp::Outcome outcome) {
    switch (outcome) {
        case tftp::Outcome::timed_out:
        case tftp::Outcome::refused:
            return level_enum::warn;
        case tftp::Outcome::aborted:
            return level_enum::info;
        default:
            // Dozens per boot, most of them probes and files that may be missing.
            return level_enum::debug;
    }
}

}  // namespace

std::string shown(std::string_view text) {
    constexpr std::size_t shown_max = 120;
    std::string out;
    for (const char c : text.substr(0, shown_max)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f || c == '"' || c == '\\') {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    if (text.size() > shown_max) out += "…";
    return out;
}

LogLine log_line(const dhcp::Event& event) {
    Details details = std::visit(Describe{}, event.what);
    return {
        details.level,
        fmt::format("dhcp {}{}{}", name_of(event.what), who(event.client), details.pairs)};
}

LogLine log_line(const tftp::TransferEvent& event) {
    std::string text = fmt::format(
        "tftp {} peer={} board={} path=\"{}\"",
        to_string(event.outcome),
        to_string(event.peer),
        event.board.empty() ? "?" : event.board,
        shown(event.path)
    );
    if (event.generation != 0) {
        text += fmt::format(
            " generation={} bytes={}/{} took={} retransmissions={}",
            event.generation,
            event.bytes,
            event.file_bytes,
            describe(event.duration()),
            event.retransmissions
        );
    }
    if (!event.reason.empty()) text += fmt::format(" reason=\"{}\"", shown(event.reason));
    return {level_of(event.outcome), std::move(text)};
}

}  // namespace bramble::program
