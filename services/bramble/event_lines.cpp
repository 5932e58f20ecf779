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

struct Level {
    template <class Event>
    level_enum operator()(const Event& /*event*/) const {
        using std::is_same_v;
        if (is_same_v<Event, dhcp::Discovered> || is_same_v<Event, dhcp::Offered> ||
            is_same_v<Event, dhcp::AddressLearned> || is_same_v<Event, dhcp::OfferedByAnother>) {
            return level_enum::debug;
        }
        if (is_same_v<Event, dhcp::Refused> || is_same_v<Event, dhcp::Declined> ||
            is_same_v<Event, dhcp::ForeignServer> || is_same_v<Event, dhcp::AddressConflict>) {
            return level_enum::warn;
        }
        return level_enum::info;
    }
};

// The pairs behind who it is about.
struct Describe {
    std::string operator()(const dhcp::Discovered& event) const {
        return fmt::format(" secs={}", event.secs);
    }

    std::string operator()(const dhcp::Offered& event) const { return address(event.address); }

    std::string operator()(const dhcp::Acknowledged& event) const {
        return fmt::format(
            " address={} state={} expires={}",
            event.address.to_string(),
            to_string(event.state),
            describe_expiry(event.expires)
        );
    }

    std::string operator()(const dhcp::BootServerAnswered& event) const {
        return fmt::format(
            " address={} bootfile=\"{}\"", event.address.to_string(), shown(event.bootfile)
        );
    }

    std::string operator()(const dhcp::Refused& event) const {
        return fmt::format(
            " address={} reason=\"{}\"", event.address.to_string(), shown(event.reason)
        );
    }

    std::string operator()(const dhcp::Declined& event) const { return address(event.address); }

    std::string operator()(const dhcp::Released& event) const { return address(event.address); }

    std::string operator()(const dhcp::Held& event) const {
        return fmt::format(
            " reason={} detail=\"{}\"", to_string(event.reason), shown(event.detail)
        );
    }

    std::string operator()(const dhcp::EnrollWanted& event) const {
        return " profile=" + event.profile;
    }

    std::string operator()(const dhcp::AddressLearned& event) const {
        return fmt::format(" address={} ours={}", event.address.to_string(), event.ours);
    }

    std::string operator()(const dhcp::ForeignServer& event) const {
        const std::string from = event.mac ? " from=" + event.mac->to_string() : "";
        return " server=" + event.server.to_string() + from;
    }

    std::string operator()(const dhcp::OfferedByAnother& event) const {
        return fmt::format(
            " server={} address={}", event.server.to_string(), event.address.to_string()
        );
    }

    std::string operator()(const dhcp::ChoseAnotherServer& event) const {
        return fmt::format(
            " server={} address={}", event.server.to_string(), event.address.to_string()
        );
    }

    std::string operator()(const dhcp::AddressConflict& event) const {
        return address(event.address);
    }

    static std::string address(Ipv4Address address) { return " address=" + address.to_string(); }
};

}  // namespace

level_enum level_of(const dhcp::Event& event) {
    return std::visit(Level{}, event.what);
}

level_enum level_of(const tftp::TransferEvent& event) {
    switch (event.outcome) {
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

std::string log_line(const dhcp::Event& event) {
    return fmt::format(
        "dhcp {}{}{}", name_of(event.what), who(event.client), std::visit(Describe{}, event.what)
    );
}

std::string log_line(const tftp::TransferEvent& event) {
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
    return text;
}

std::string notice_of(const dhcp::Event& event) {
    if (const auto* foreign = std::get_if<dhcp::ForeignServer>(&event.what)) {
        return fmt::format(
            "another DHCP server answers here: {}{}",
            foreign->server.to_string(),
            foreign->mac ? fmt::format(" (MAC {})", foreign->mac->to_string()) : ""
        );
    }
    if (const auto* conflict = std::get_if<dhcp::AddressConflict>(&event.what)) {
        return fmt::format("somebody already uses {}", conflict->address.to_string());
    }
    if (!event.client.board.empty()) return "";
    if (const auto* enrolled = std::get_if<dhcp::EnrollWanted>(&event.what)) {
        return fmt::format(
            "a new board is enrolled in '{}':{}", enrolled->profile, who(event.client)
        );
    }
    const auto* held = std::get_if<dhcp::Held>(&event.what);
    if (held == nullptr || held->reason != dhcp::HoldReason::unknown_board) return "";
    return "asks without being in the fleet:" + who(event.client);
}

}  // namespace bramble::program
