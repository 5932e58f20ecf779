#include "tests/simulation/network.hpp"

namespace bramble::simulation {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

}  // namespace

bool Network::is_lost(FrameKind kind, std::size_t board) {
    if (doomed_.erase({kind, board}) > 0) return true;
    return options_.has(Fault::loss) && chance_.percent(options_.loss_percent);
}

Duration Network::delay() {
    const Duration usual = chance_.between(microseconds(60), microseconds(300));
    const bool late =
        options_.has(Fault::reordering) && chance_.percent(options_.reordering_percent);
    return late ? usual + chance_.between(milliseconds(1), milliseconds(20)) : usual;
}

void Network::carry(FrameKind kind, std::size_t board, const Agenda::Deed& arrive) {
    ++frames_;
    const bool twice =
        (options_.has(Fault::duplication) && chance_.percent(options_.duplication_percent)) ||
        (kind == FrameKind::rrq && doubled_.contains(board));
    if (is_lost(kind, board)) {
        ++lost_;
    } else {
        agenda_.after(delay(), arrive);
    }
    if (twice) agenda_.after(delay(), arrive);
}

}  // namespace bramble::simulation
