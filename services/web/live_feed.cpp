#include "services/web/live_feed.hpp"

#include <utility>

namespace bramble::web {

LiveFeed::Due LiveFeed::take(TimePoint now) {
    Due out;
    out.status = now >= status_due_;
    if (out.status) {
        status_due_ = now + status_every;
        out.strangers = std::exchange(strangers_, false);
    }
    while (!boards_.empty() && out.boards.size() < rows_max) {
        out.boards.push_back(std::move(boards_.extract(boards_.begin()).value()));
    }
    return out;
}

}  // namespace bramble::web
