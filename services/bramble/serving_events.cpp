#include <spdlog/spdlog.h>

#include <algorithm>

#include "services/boards/translate.hpp"
#include "services/bramble/event_lines.hpp"
#include "services/bramble/serving.hpp"
#include "services/web/event_json.hpp"

namespace bramble::program {
namespace {

template <class Event>
void log(const Event& event) {
    const auto level = level_of(event);
    if (spdlog::should_log(level)) spdlog::log(level, "{}", log_line(event));
}

std::size_t board_name_width(const fleet::Fleet& fleet) {
    std::size_t width = 8;
    for (const fleet::Board& board : fleet.boards) width = std::max(width, board.name.size());
    return width;
}

}  // namespace

void Serving::publish(const boards::StoryLine& line) {
    if (!events_.has_listeners() && !live_.has_listeners()) return;
    const std::string told = web::story_event_json(line);
    events_.publish("story", told);
    if (line.weight != boards::Weight::minor) live_.publish("story", told);
}

void Serving::publish_notice(const dhcp::Event& event) {
    if (!events_.has_listeners() && !live_.has_listeners()) return;
    const std::string text = notice_of(event);
    if (text.empty()) return;
    const std::string told = web::notice_event_json(loop_.now(), text);
    events_.publish("notice", told);
    live_.publish("notice", told);
}

void Serving::publish_reload(std::string_view error) {
    if (!events_.has_listeners() && !is_watched()) return;
    const std::uint64_t generation = current_ ? current_->manifest().generation : 0;
    const std::string told =
        web::reload_event_json(loop_.now(), generation, fleet_->boards.size(), error);
    events_.publish("reload", told);
    live_.publish("reload", told);
    wall_live_.publish("reload", "{}");  // a reason quotes the fleet file
}

void Serving::on_dhcp_events(std::span<const dhcp::Event> events) {
    boards::Reaction reaction;
    for (const dhcp::Event& event : events) {
        log(event);
        tell_doorman(event);
        publish_notice(event);
        if (const auto address = addresses_.on_event(event)) {
            catalog_.set_address(*address, addresses_.find(*address));
        }
        if (const auto* wanted = std::get_if<dhcp::EnrollWanted>(&event.what)) {
            enroll(event.client, wanted->profile);
        }
        // Beside a server that leases, another one is as it should be.
        const bool as_wanted = std::holds_alternative<dhcp::ForeignServer>(event.what) &&
                               fleet_->appliance.dhcp.mode != fleet::DhcpMode::authoritative;
        if (as_wanted) continue;
        if (const auto told = boards::translate(event)) {
            mark_changed(told->who);
            reaction.add(tracker_.on_event(*told));
        }
    }
    carry_out(reaction);
}

void Serving::on_transfers(const std::vector<tftp::TransferEvent>& events) {
    boards::Reaction reaction;
    for (const tftp::TransferEvent& event : events) {
        log(event);
        tell_doorman(event);
        reaction.add(tracker_.on_event(boards::translate(event)));
    }
    carry_out(reaction);
}

void Serving::on_report(const web::UpReport& report, std::string_view body, Ipv4Address address) {
    const web::ReportBody said = web::read_report_body(body);
    note_mount_before_report(report.board, address);
    boards::Event event;
    event.at = loop_.now();
    event.who.board = report.board;
    if (report.heartbeat) {
        event.what = boards::Heartbeat{said.kernel, said.heartbeat};
    } else {
        spdlog::info("up board={} address={}", report.board, address.to_string());
        event.what = boards::ReportedUp{said.kernel, said.heartbeat};
        doorman_.on_system(report.board);
        admit_soon();
    }
    carry_out(tracker_.on_event(event));
}

void Serving::carry_out(const boards::Reaction& reaction) {
    mark_changed(reaction);
    for (const boards::StoryLine& line : reaction.lines) {
        publish(line);
        if (line.phase == "stuck") {
            const auto story = tracker_.boards().find(line.board);
            if (story != tracker_.boards().end() && story->second.boot) {
                boots_.add_stuck(story->second.boot->phase);
            }
        }
        if (line.weight == boards::Weight::alarm) {
            spdlog::warn("story board={} phase={} text=\"{}\"", line.board, line.phase, line.text);
        } else if (line.weight == boards::Weight::major) {
            spdlog::info("story board={} phase={} text=\"{}\"", line.board, line.phase, line.text);
        }
        if (options_.on_story_line && line.weight != boards::Weight::minor) {
            options_.on_story_line(boards::render(line, board_name_width(*fleet_)));
        }
    }
    // In this order: at no moment does the state know neither of a boot.
    remember(reaction.ended);
    keep(reaction.consoles);
    rebind(reaction.rebound);
    look_closer(reaction.stopped);
    if (const auto deadline = tracker_.next_deadline(); deadline && started_) {
        story_timer_.expire_at(*deadline);
    }
}

}  // namespace bramble::program
