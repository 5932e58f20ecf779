// What open pages are told as it changes, a few times a second; without any, nothing is gathered.
#include <utility>

#include "services/bramble/serving.hpp"
#include "services/web/event_json.hpp"
#include "services/web/json.hpp"
#include "services/web/public_json.hpp"

namespace bramble::program {
namespace {

using namespace std::chrono_literals;

constexpr Duration live_tick = 250ms;
constexpr Duration link_tick = 1s;
constexpr std::size_t link_use_max = 300;  // five minutes
constexpr std::size_t queue_shown = 100;

}  // namespace

bool Serving::is_watched() const {
    return live_.has_listeners() || wall_live_.has_listeners();
}

void Serving::start_live() {
    live_timer_ = loop_.make_timer([this] { tell_live(); });
    link_timer_ = loop_.make_timer([this] {
        const std::uint64_t sent = tftp_->figures().engine.out_data_bytes;
        link_use_.push_back(sent - std::exchange(link_bytes_, sent));
        if (link_use_.size() > link_use_max) link_use_.erase(link_use_.begin());
        link_timer_.expire_at(loop_.now() + link_tick);
    });
    link_timer_.expire_at(loop_.now() + link_tick);
}

// Somebody is about to listen: the ticks begin, and end by themselves when nobody does any more.
void Serving::begin_live() {
    if (std::exchange(live_ticks_, true)) return;
    live_timer_.expire_at(loop_.now() + live_tick);
}

void Serving::tell_live() {
    if (!is_watched()) {
        live_ticks_ = false;
        feed_.forget();
        return;
    }
    live_timer_.expire_at(loop_.now() + live_tick);
    const web::LiveFeed::Due due = feed_.take(loop_.now());
    if (due.boards.empty() && !due.status) return;
    Gathered now = gather();
    if (!now.facts.link_use.empty()) now.facts.link_use = {now.facts.link_use.back()};
    const web::View view = now.view(*this);
    if (!due.boards.empty()) {
        if (live_.has_listeners()) live_.publish("boards", web::rows_json(view, due.boards));
        if (wall_live_.has_listeners()) {
            wall_live_.publish("boards", web::public_rows_json(view, due.boards));
        }
    }
    if (due.strangers && live_.has_listeners()) {
        live_.publish("strangers", web::strangers_json(view));
    }
    if (due.status) {
        if (live_.has_listeners()) live_.publish("status", web::status_json(view, queue_shown));
        if (wall_live_.has_listeners()) wall_live_.publish("status", web::public_status_json(view));
    }
}

void Serving::mark_changed(const boards::Reaction& reaction) {
    if (!is_watched()) return;
    for (const boards::StoryLine& line : reaction.lines) feed_.on_board(line.board);
    for (const boards::EndedBoot& ended : reaction.ended) feed_.on_board(ended.board);
    for (const std::string& board : reaction.rebound) feed_.on_board(board);
}

void Serving::mark_changed(const boards::Identity& who) {
    if (!is_watched()) return;
    if (who.board.empty()) {
        feed_.on_stranger();
    } else {
        feed_.on_board(who.board);
    }
}

}  // namespace bramble::program
