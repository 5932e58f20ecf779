#include "services/web/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <span>
#include <unordered_map>
#include <vector>

#include "services/boards/diagnosis.hpp"
#include "services/boards/story.hpp"

namespace bramble::web {
namespace {

using boards::BoardStory;
using boards::Boot;
using boards::Condition;
using boards::Phase;
namespace json = boost::json;

// To the millisecond: more would only make the document longer.
double seconds(Duration span) {
    return std::round(std::chrono::duration<double>(span).count() * 1000) / 1000;
}

template <typename T>
json::value text_or_null(const std::optional<T>& value) {
    if (!value) return nullptr;
    return json::value(value->to_string());
}

// When each phase was entered, in seconds after the start; null: it was not.
json::array entered_array(const Boot& boot) {
    json::array out;
    for (const auto& at : boot.entered) {
        out.push_back(at ? json::value(seconds(*at - boot.started)) : json::value(nullptr));
    }
    return out;
}

json::object boot_object(const Boot& boot) {
    json::object out;
    out["state"] = to_string(boot.state);
    out["phase"] = to_string(boot.phase);
    out["generation"] = boot.generation;
    out["started"] = rfc3339(boot.started);
    out["last_event"] = rfc3339(boot.last_event);
    out["ended"] = boot.ended ? json::value(rfc3339(*boot.ended)) : json::value(nullptr);
    out["seconds"] = seconds(boot.total());
    out["partial"] = boot.partial;
    out["bytes"] = boot.bytes_loaded();
    out["entered"] = entered_array(boot);
    out["ending"] = ascii(boards::describe_end(boot), boards::diagnosis_bytes_max);
    if (!boot.kernel.empty()) out["kernel"] = ascii(boot.kernel);
    if (!boot.hold_reason.empty()) out["waiting_for"] = ascii(boot.hold_reason);
    if (!boot.diagnosis.empty()) {
        out["diagnosis"] = ascii(boot.diagnosis, boards::diagnosis_bytes_max);
    }
    return out;
}

json::array phases_array(const Boot& boot) {
    json::array out;
    for (std::size_t i = 0; i < boards::phase_count; ++i) {
        const auto phase = static_cast<Phase>(i);
        const auto took = boot.duration(phase);
        if (!took) continue;
        json::object row;
        row["phase"] = to_string(phase);
        row["at"] = seconds(*boot.entered[i] - boot.started);
        row["seconds"] = seconds(*took);
        out.push_back(std::move(row));
    }
    return out;
}

std::string_view outcome_word(boards::FileOutcome outcome) {
    constexpr std::array<std::string_view, 5> words = {
        "loaded", "probed", "missing", "failed", "refused"};
    return words[static_cast<std::size_t>(outcome)];
}

std::string_view class_word(boards::FileClass file_class) {
    constexpr std::array<std::string_view, 4> words = {"start", "firmware", "config", "kernel"};
    return words[static_cast<std::size_t>(file_class)];
}

json::array files_array(const Boot& boot) {
    json::array out;
    for (const boards::FileRecord& file : boot.files) {
        json::object row;
        row["path"] = ascii(file.path);
        row["class"] = class_word(file.file_class);
        row["outcome"] = outcome_word(file.outcome);
        row["bytes"] = file.bytes;
        row["at"] = seconds(file.first_asked - boot.started);
        row["until"] = seconds(file.last_ended - boot.started);
        row["seconds"] = seconds(file.took);
        row["loads"] = file.loads;
        row["probes"] = file.probes;
        row["retransmissions"] = file.retransmissions;
        out.push_back(std::move(row));
    }
    return out;
}

json::object whole_boot(const Boot& boot) {
    json::object out = boot_object(boot);
    if (boot.address.is_set()) out["address"] = boot.address.to_string();
    out["discovers"] = boot.discovers;
    out["phases"] = phases_array(boot);
    out["files"] = files_array(boot);
    out["files_dropped"] = boot.files_dropped;
    return out;
}

// Those before the latest one, newest first.
std::vector<const Boot*> earlier_boots(const View& view, const BoardStory& story) {
    std::vector<const Boot*> out;
    const auto add = [&](const auto& boots) {
        for (const Boot& boot : boots) {
            if (!story.boot || boot.started < story.boot->started) out.push_back(&boot);
        }
    };
    if (view.kept != nullptr) {
        add(*view.kept);
    } else {
        add(story.history);
    }
    return out;
}

// nullptr: no such boot.
const Boot* boot_numbered(const View& view, const BoardStory* story, std::size_t number) {
    if (story == nullptr || !story->boot) return nullptr;
    if (number == 0) return &*story->boot;
    const std::vector<const Boot*> earlier = earlier_boots(view, *story);
    return number <= earlier.size() ? earlier[number - 1] : nullptr;
}

std::string console_of(const View& view, const BoardStory& story, const Boot& boot) {
    if (story.boot && &boot == &*story.boot && !story.console.empty()) {
        return story.console.text(boot.started);
    }
    return view.kept_console != nullptr ? (*view.kept_console)(boot.started) : std::string();
}

// Its last lines, for whoever looks at the board as a whole.
json::array console_tail(const boards::Console& console) {
    constexpr std::size_t tail_max = 10;
    json::array out;
    const auto& lines = console.lines();
    for (std::size_t i = lines.size() - std::min(lines.size(), tail_max); i < lines.size(); ++i) {
        out.push_back(json::value(ascii(lines[i].text, boards::Console::line_bytes_max)));
    }
    return out;
}

json::object queue_object(const View& view, const admission::WaitingBoard& waiting) {
    json::object out;
    out["position"] = waiting.position;
    out["waited_seconds"] = seconds(waiting.waited);
    out["expected_start"] = rfc3339(waiting.expected_start);
    out["expected_in_seconds"] = seconds(waiting.expected_start - view.server.now);
    out["retry"] = waiting.retry;
    return out;
}

// Where each board that waits stands in the queue.
using QueuePlaces = std::unordered_map<std::string_view, const admission::WaitingBoard*>;

QueuePlaces queue_places(const View& view) {
    QueuePlaces out;
    if (view.admission == nullptr) return out;
    for (const admission::WaitingBoard& waiting : view.admission->waiting) {
        out.emplace(waiting.board, &waiting);
    }
    return out;
}

json::object admission_object(const View& view, std::size_t queue_max) {
    json::object out;
    const bool enabled = view.admission != nullptr && view.admission->enabled;
    out["enabled"] = enabled;
    if (!enabled) return out;
    const admission::Status& status = *view.admission;
    out["inside"] = status.inside;
    out["capacity"] = status.capacity;
    out["waiting"] = status.waiting.size();
    out["link_bytes_per_second"] = status.link_bytes_per_second;
    json::array queue;
    const std::size_t shown = std::min(queue_max, status.waiting.size());
    queue.reserve(shown);
    for (const admission::WaitingBoard& waiting : std::span(status.waiting).first(shown)) {
        json::object row = queue_object(view, waiting);
        row["board"] = waiting.board;
        row["group"] = waiting.group;
        queue.push_back(std::move(row));
    }
    out["queue"] = std::move(queue);
    return out;
}

// What the fleet says of a board and what its story says.
json::object board_object(const View& view, const fleet::Board& board, const QueuePlaces& places) {
    json::object out;
    out["name"] = board.name;
    out["serial"] = text_or_null(board.serial);
    out["mac"] = text_or_null(board.mac);
    out["address"] = text_or_null(board.address);
    out["profile"] = board.profile;
    out["model"] = to_string(view.fleet.model_of(board));
    const BoardStory* story = view.tracker.find(board.name);
    const Condition condition = story != nullptr ? story->condition() : Condition::never_seen;
    out["condition"] = to_string(condition);
    if (story != nullptr) {
        if (std::string why = story->diagnosis(view.server.now); !why.empty()) {
            out["diagnosis"] = ascii(why, boards::diagnosis_bytes_max);
        }
        if (story->heartbeat) out["heartbeat"] = rfc3339(*story->heartbeat);
    }
    if (const auto place = places.find(board.name); place != places.end()) {
        out["queue"] = queue_object(view, *place->second);
    }
    if (story == nullptr || !story->boot) return out;
    if (!board.address && story->boot->address.is_set()) {
        out["address"] = story->boot->address.to_string();
    }
    out["last_seen"] = rfc3339(story->last_seen);
    out["silent_seconds"] = seconds(view.server.now - story->last_seen);
    out["boot"] = boot_object(*story->boot);
    return out;
}

json::array strangers_array(const View& view) {
    std::vector<const boards::Stranger*> sorted;
    for (const boards::Stranger& stranger : view.tracker.strangers()) sorted.push_back(&stranger);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
        return a->first_seen < b->first_seen;  // so that no row moves when its sender asks again
    });
    json::array out;
    for (const boards::Stranger* stranger : sorted) {
        json::object row;
        row["mac"] = text_or_null(stranger->who.mac);
        row["serial"] = text_or_null(stranger->who.serial);
        row["kind"] = ascii(stranger->who.kind);
        row["reason"] = ascii(stranger->reason);
        row["requests"] = stranger->requests;
        row["first_seen"] = rfc3339(stranger->first_seen);
        row["last_seen"] = rfc3339(stranger->last_seen);
        out.push_back(std::move(row));
    }
    return out;
}

json::object counts_object(const View& view) {
    std::array<std::uint64_t, boards::condition_count> counts{};
    for (const fleet::Board& board : view.fleet.boards) {
        const BoardStory* story = view.tracker.find(board.name);
        const Condition condition = story != nullptr ? story->condition() : Condition::never_seen;
        ++counts[static_cast<std::size_t>(condition)];
    }
    json::object out;
    out["total"] = view.fleet.boards.size();
    for (std::size_t i = 0; i < counts.size(); ++i) {
        out[to_string(static_cast<Condition>(i))] = counts[i];
    }
    out["strangers"] = view.tracker.strangers().size();
    return out;
}

std::string_view dhcp_mode_word(fleet::DhcpMode mode) {
    constexpr std::array<std::string_view, 3> words = {"authoritative", "proxy", "off"};
    return words[static_cast<std::size_t>(mode)];
}

}  // namespace

std::string ascii(std::string_view text, std::size_t bytes_max) {
    std::string shown = boards::printable(text, bytes_max);
    for (char& c : shown) {
        if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
    return shown;
}

std::string rfc3339(TimePoint at) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch());
    const std::chrono::sys_seconds utc(whole);
    const auto day = std::chrono::floor<std::chrono::days>(utc);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(utc - day);
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()),
        time.hours().count(),
        time.minutes().count(),
        time.seconds().count()
    );
}

// Where this server leases, any other one is a fault.
json::array foreign_servers_array(const View& view) {
    json::array out;
    if (view.fleet.appliance.dhcp.mode != fleet::DhcpMode::authoritative) return out;
    for (const boards::ForeignServer& server : view.tracker.foreign_servers(view.server.now)) {
        out.push_back(json::object{
            {"address", server.address.to_string()},
            {"mac", server.mac ? json::value(server.mac->to_string()) : json::value(nullptr)},
            {"heard", rfc3339(server.heard)}});
    }
    return out;
}

std::string status_json(const View& view, std::size_t queue_max) {
    const ServerFacts& server = view.server;
    json::object out;
    out["version"] = server.version;
    out["now"] = rfc3339(server.now);
    out["uptime_seconds"] = seconds(server.now - server.started);
    out["generation"] = server.generation;
    out["generation_created"] = server.generation_created;
    out["reload_error"] = server.reload_error;
    out["draining"] = server.draining;
    out["interface"] = view.fleet.appliance.interface;
    out["address"] = view.fleet.appliance.address.to_string();
    out["dhcp_mode"] = dhcp_mode_word(view.fleet.appliance.dhcp.mode);
    out["leases"] = server.leases;
    out["open_transfers"] = server.open_transfers;
    out["bytes_sent"] = server.bytes_sent;
    out["boards"] = counts_object(view);
    out["admission"] = admission_object(view, queue_max);
    out["foreign_servers"] = foreign_servers_array(view);
    if (!server.link_use.empty()) {
        out["link_use"] = json::array(server.link_use.begin(), server.link_use.end());
    }
    return json::serialize(out);
}

std::string boards_json(const View& view) {
    json::object out;
    out["now"] = rfc3339(view.server.now);
    json::array boards;
    boards.reserve(view.fleet.boards.size());
    const QueuePlaces places = queue_places(view);
    for (const fleet::Board& board : view.fleet.boards) {
        boards.push_back(board_object(view, board, places));
    }
    out["boards"] = std::move(boards);
    out["strangers"] = strangers_array(view);
    return json::serialize(out);
}

std::string rows_json(const View& view, std::span<const std::string> names) {
    json::array boards;
    boards.reserve(names.size());
    const QueuePlaces places = queue_places(view);
    for (const std::string& name : names) {
        const fleet::Board* board = view.fleet.find_board(name);
        if (board != nullptr) boards.push_back(board_object(view, *board, places));
    }
    json::object out;
    out["now"] = rfc3339(view.server.now);
    out["boards"] = std::move(boards);
    return json::serialize(out);
}

std::string strangers_json(const View& view) {
    json::object out;
    out["now"] = rfc3339(view.server.now);
    out["strangers"] = strangers_array(view);
    return json::serialize(out);
}

std::optional<std::string> board_json(const View& view, std::string_view name) {
    const fleet::Board* board = view.fleet.find_board(name);
    if (board == nullptr) return std::nullopt;
    json::object out = board_object(view, *board, queue_places(view));
    const BoardStory* story = view.tracker.find(name);
    json::array history;
    if (story != nullptr) {
        if (story->boot) out["boot"] = whole_boot(*story->boot);
        out["console_lines"] = story->console.lines().size() + story->console.dropped();
        out["console_tail"] = console_tail(story->console);
        for (const Boot* earlier : earlier_boots(view, *story)) {
            history.push_back(boot_object(*earlier));
        }
    }
    out["history"] = std::move(history);
    return json::serialize(out);
}

std::optional<std::string> boot_json(const View& view, std::string_view name, std::size_t number) {
    const BoardStory* story = view.tracker.find(name);
    const Boot* boot = boot_numbered(view, story, number);
    if (boot == nullptr) return std::nullopt;
    json::object out;
    out["name"] = name;
    out["number"] = number;
    out["boot"] = whole_boot(*boot);
    out["console"] = console_of(view, *story, *boot);
    return json::serialize(out);
}

std::string done_json(std::string_view message) {
    json::object out;
    out["message"] = ascii(message);
    return json::serialize(out);
}

std::optional<std::string> console_text(
    const View& view, std::string_view name, std::size_t number
) {
    const BoardStory* story = view.tracker.find(name);
    const Boot* boot = boot_numbered(view, story, number);
    if (boot == nullptr) return std::nullopt;
    return console_of(view, *story, *boot);
}

std::string error_json(std::string_view message) {
    json::object out;
    out["error"] = ascii(message);
    return json::serialize(out);
}

}  // namespace bramble::web
