// What a restart must not lose, written as it happens and read back at the start.
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <string>

#include "services/bramble/generations.hpp"
#include "services/bramble/serving.hpp"

namespace bramble::program {
namespace {

template <typename Rows>
void warn_of_skipped(const Rows& rows) {
    for (const std::string& skipped : rows.skipped) spdlog::warn("state: {}", skipped);
}

// A name that is no other board's and can stand in a path and in DNS.
std::string enrolled_name(const dhcp::Client& client) {
    if (client.serial) return "pi-" + client.serial->to_string();
    return "board-" + client.mac.with_dashes();
}

}  // namespace

Result<void> Serving::open_state() {
    auto opened = state::Store::open(store_.state_db());
    if (!opened) return tl::unexpected(opened.error());
    state_ = std::move(*opened);
    return {};
}

void Serving::note(const Result<void>& written, std::string_view what) {
    if (written) return;
    ++state_failures_;
    spdlog::error("state: {} could not be written: {}", what, written.error().message);
}

void Serving::restore_leases() {
    auto leases = state_->leases();
    if (!leases) {
        spdlog::error("state: leases of earlier runs are lost: {}", leases.error().message);
        return;
    }
    warn_of_skipped(*leases);
    dhcp_server_->restore(leases->values);
    addresses_.restore(leases->values);
}

// Boots that were running go on where they were, from the generation that they began with.
void Serving::restore_boots() {
    auto boots = state_->boots(1);
    if (boots) {
        warn_of_skipped(*boots);
        for (boards::EndedBoot& ended : boots->values) {
            tracker_.restore(ended.board, std::move(ended.boot), loop_.now());
        }
    }
    auto running = state_->bindings();
    if (!running) return;
    running_boots_ = *running;
    const std::uint64_t current = current_ ? current_->manifest().generation : 0;
    for (const auto& [board, generation] : running_boots_) {
        if (generation != current && !older_.contains(generation)) {
            auto loaded = load_generation(store_, generation);
            if (!loaded) {
                spdlog::warn(
                    "board={} boots on from generation {}: {}",
                    board,
                    current,
                    loaded.error().message
                );
                continue;
            }
            older_.emplace(generation, std::move(*loaded));
        }
        tracker_.resume(board, generation, loop_.now());
    }
    rebind(running_boards());  // those that could not be resumed do not run any more
}

bool Serving::persist(std::span<const dhcp::LeaseChange> changes) {
    const auto written = state_->write(changes);
    note(written, "leases");
    return written.has_value();
}

void Serving::remember(const std::vector<boards::EndedBoot>& ended) {
    if (ended.empty()) return;
    for (const boards::EndedBoot& boot : ended) boots_.add(boot.boot);
    note(state_->add(ended), "boot history");
}

std::vector<std::string> Serving::running_boards() const {
    std::vector<std::string> names;
    for (const auto& [board, generation] : running_boots_) names.push_back(board);
    return names;
}

// Read for whoever looks at one board: a few milliseconds of the control thread, none of a worker.
std::vector<boards::Boot> Serving::kept_boots(std::string_view board) {
    std::vector<boards::Boot> out;
    auto kept = state_->boots_of(board);
    if (!kept) {
        spdlog::error("state: boots of board={} cannot be read: {}", board, kept.error().message);
        return out;
    }
    warn_of_skipped(*kept);
    for (boards::EndedBoot& ended : kept->values) out.push_back(std::move(ended.boot));
    return out;
}

std::string Serving::kept_console(std::string_view board, TimePoint started) {
    auto text = state_->console_of(board, started);
    if (!text) {
        spdlog::error(
            "state: a console of board={} cannot be read: {}", board, text.error().message
        );
        return {};
    }
    return text->value_or("");
}

void Serving::keep(const std::vector<boards::EndedConsole>& consoles) {
    if (consoles.empty()) return;
    std::vector<state::KeptConsole> ended;
    for (const boards::EndedConsole& one : consoles) {
        ended.push_back({one.board, one.started, one.console.text(one.started)});
        consoles_to_keep_.erase(one.board);
    }
    note(state_->put(ended), "consoles");
}

// Those that have grown, together: a console says dozens of lines a second.
void Serving::keep_consoles() {
    std::vector<state::KeptConsole> grown;
    for (const std::string& board : consoles_to_keep_) {
        const boards::BoardStory* story = tracker_.find(board);
        if (story == nullptr || !story->boot || story->console.empty()) continue;
        grown.push_back({board, story->boot->started, story->console.text(story->boot->started)});
    }
    consoles_to_keep_.clear();
    note(state_->put(grown), "consoles");
}

// Stored for every boot that runs, also of the current generation: another may be published while
// we are down.
void Serving::rebind(const std::vector<std::string>& boards) {
    std::vector<state::BindingChange> changes;
    for (const std::string& board : boards) {
        const auto generation = tracker_.running_generation(board);
        const auto written = running_boots_.find(board);
        if (generation) {
            if (written != running_boots_.end() && written->second == *generation) continue;
            running_boots_[board] = *generation;
        } else {
            if (written == running_boots_.end()) continue;
            running_boots_.erase(written);
        }
        changes.push_back({board, generation});
        const auto older = generation ? older_.find(*generation) : older_.end();
        catalog_.bind(board, older == older_.end() ? nullptr : older->second);
    }
    if (changes.empty()) return;
    note(state_->bind(changes), "running boots");
    forget_unneeded_generations();
}

void Serving::enroll(const dhcp::Client& client, const std::string& profile) {
    const auto enrolled = state_->adopted();
    if (enrolled && enrolled->values.size() >= enrolled_max) {
        spdlog::warn(
            "mac={} is not enrolled: {} boards are already", client.mac.to_string(), enrolled_max
        );
        return;
    }
    state::AdoptedBoard board;
    board.name = enrolled_name(client);
    board.serial = client.serial;
    board.mac = client.mac;
    board.profile = profile;
    board.adopted = loop_.now();
    const auto written = state_->adopt(board);
    note(written, "an enrolled board");
    if (!written) return;
    spdlog::info(
        "enrolled board={} mac={} profile={}: `bramble apply` makes its tree",
        board.name,
        client.mac.to_string(),
        profile
    );
    // Not from inside the batch that asked: the DHCP core is in the middle of it.
    loop_.post([this] {
        reload("a board was enrolled");
        if (options_.on_fleet_grown) options_.on_fleet_grown();
    });
}

}  // namespace bramble::program
