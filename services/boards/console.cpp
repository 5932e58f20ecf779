#include "services/boards/console.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <iterator>

namespace bramble::boards {
namespace {

// How a boot's end announces itself: kernels, initramfs, boot loaders.
constexpr std::array<std::string_view, 12> alarms = {
    "Kernel panic",
    "Unable to mount root",
    "No working init",
    "not syncing",
    "Oops",
    "mount: mounting",
    "nfsmount:",
    "can't open root",
    "Unable to handle kernel",
    "NFS over",
    "bramble: ",
    "Failed to open"};

bool is_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

// Documentation/networking/netconsole: "level,seq,timestamp,contflag[,key=value…];text\n KEY=value"
std::string_view without_extended_header(std::string_view datagram) {
    constexpr std::size_t header_max = 128;
    const auto end = datagram.substr(0, header_max).find(';');
    if (end == std::string_view::npos) return datagram;
    std::string_view header = datagram.substr(0, end);
    for (int number = 0; number < 3; ++number) {
        const auto comma = header.find(',');
        if (comma == std::string_view::npos || !is_digits(header.substr(0, comma))) return datagram;
        header.remove_prefix(comma + 1);
    }
    if (header.empty() || (header[0] != '-' && header[0] != 'c')) return datagram;
    std::string_view text = datagram.substr(end + 1);
    if (const auto dictionary = text.find("\n "); dictionary != std::string_view::npos) {
        text = text.substr(0, dictionary + 1);
    }
    return text;
}

void Console::add(std::string_view datagram, bool from_loader, TimePoint now) {
    // A line that nobody ended long ago is over; so is one of somebody else.
    if (open_ && (now - last_ > unfinished_max || lines_.back().from_loader != from_loader)) {
        open_ = false;
        escape_ = Escape::none;
    }
    last_ = now;
    for (const char byte : without_extended_header(datagram)) {
        if (byte == '\n') {
            if (!open_) continue;  // an empty line says nothing
            open_ = false;
            escape_ = Escape::none;
            continue;
        }
        if (escape_ == Escape::none && (byte == '\r' || byte == '\0')) continue;
        if (!open_ && escape_ == Escape::none && byte != '\x1b') begin_line(from_loader, now);
        append(byte);
    }
    trim();
}

// ECMA-48: ESC, then "[" and parameters up to a letter, or one letter alone.
void Console::append(char byte) {
    const auto code = static_cast<unsigned char>(byte);
    if (escape_ == Escape::begun) {
        escape_ = byte == '[' ? Escape::inside : Escape::none;
        return;
    }
    if (escape_ == Escape::inside) {
        if (code >= 0x40 && code <= 0x7e) escape_ = Escape::none;
        return;
    }
    if (byte == '\x1b') {
        escape_ = Escape::begun;
    } else if (byte == '\t') {
        put(" ");
    } else if (code < 0x20 || code > 0x7e) {
        put(fmt::format("\\x{:02x}", code));
    } else {
        put(std::string_view(&byte, 1));
    }
}

void Console::begin_line(bool from_loader, TimePoint now) {
    lines_.push_back({now, {}, from_loader});
    open_ = true;
}

void Console::put(std::string_view text) {
    if (lines_.back().text.size() + text.size() > line_bytes_max) {
        begin_line(lines_.back().from_loader, last_);
    }
    lines_.back().text += text;
    bytes_ += text.size();
}

void Console::trim() {
    while (lines_.size() > lines_max || (bytes_ > bytes_max && lines_.size() > 1)) {
        bytes_ -= lines_.front().text.size();
        lines_.pop_front();
        ++dropped_;
    }
}

std::string Console::telling_line() const {
    for (const ConsoleLine& line : lines_) {
        for (const std::string_view alarm : alarms) {
            if (line.text.find(alarm) != std::string::npos) return line.text;
        }
    }
    return lines_.empty() ? std::string() : lines_.back().text;
}

Console Console::take_loader_lines(TimePoint since) {
    Console taken;
    const auto is_later = [since](const ConsoleLine& line) {
        return line.from_loader && line.at >= since;
    };
    auto first = lines_.end();
    while (first != lines_.begin() && is_later(*std::prev(first))) --first;
    for (auto line = first; line != lines_.end(); ++line) {
        bytes_ -= line->text.size();
        taken.bytes_ += line->text.size();
        taken.lines_.push_back(std::move(*line));
    }
    taken.open_ = open_ && first != lines_.end();
    taken.escape_ = taken.open_ ? escape_ : Escape::none;
    taken.last_ = last_;
    if (first != lines_.end()) open_ = false;
    lines_.erase(first, lines_.end());
    return taken;
}

std::string Console::text(TimePoint started) const {
    std::string out;
    if (dropped_ > 0) out += fmt::format("({} earlier lines are not kept)\n", dropped_);
    for (const ConsoleLine& line : lines_) {
        const std::chrono::duration<double> since = line.at - started;
        out += fmt::format("{:9.3f}  {}\n", since.count(), line.text);
    }
    return out;
}

}  // namespace bramble::boards
