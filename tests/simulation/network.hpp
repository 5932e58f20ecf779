// The wire between boards and servers: it loses, doubles, delays and overtakes by chance, and
// strikes single frames where a seed says so. It refuses to know what boards and servers are.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "tests/simulation/agenda.hpp"
#include "tests/simulation/options.hpp"

namespace bramble::simulation {

// What a frame is, as far as faults care.
enum class FrameKind : std::uint8_t { discover, request, offer, ack, nak, rrq, tftp };

class Network {
public:
    Network(const Options& options, Agenda& agenda, Chance chance)
        : options_(options), agenda_(agenda), chance_(chance) {}

    // `arrive` is done as often as the frame arrives, each time a little later.
    void carry(FrameKind kind, std::size_t board, const Agenda::Deed& arrive);

    // Single frames that a seed strikes: the first of its kind to or from this board.
    void lose_first(FrameKind kind, std::size_t board) { doomed_.insert({kind, board}); }

    void double_rrqs_of(std::size_t board) { doubled_.insert(board); }

    std::uint64_t frames() const { return frames_; }

    std::uint64_t lost() const { return lost_; }

    void lose() { ++lost_; }

private:
    bool is_lost(FrameKind kind, std::size_t board);
    Duration delay();

    const Options& options_;
    Agenda& agenda_;
    Chance chance_;
    std::set<std::pair<FrameKind, std::size_t>> doomed_;
    std::set<std::size_t> doubled_;
    std::uint64_t frames_ = 0;
    std::uint64_t lost_ = 0;
};

}  // namespace bramble::simulation
