#include "services/state/store.hpp"

namespace bramble::state {
namespace {

std::int64_t nanoseconds(TimePoint at) {
    return at.time_since_epoch().count();
}

}  // namespace

Result<void> Store::put(std::span<const KeptConsole> consoles) {
    if (consoles.empty()) return {};
    auto insert = database_.prepare(
        "INSERT OR REPLACE INTO console (board, started_ns, text) VALUES (?, ?, ?)"
    );
    // A boot that runs has no row yet, and is younger than those that have.
    auto trim = database_.prepare(
        "DELETE FROM console WHERE board = ?1 AND started_ns < "
        "(SELECT MIN(started_ns) FROM boot WHERE board = ?1)"
    );
    if (!insert) return fail(insert.error().message);
    if (!trim) return fail(trim.error().message);
    return database_.transaction([&]() -> Result<void> {
        for (const KeptConsole& one : consoles) {
            insert->bind(1, one.board);
            insert->bind(2, nanoseconds(one.started));
            insert->bind(3, one.text);
            if (auto done = insert->run(); !done) return done;
            trim->bind(1, one.board);
            if (auto done = trim->run(); !done) return done;
        }
        return {};
    });
}

Result<std::optional<std::string>> Store::console_of(std::string_view board, TimePoint started) {
    auto row = database_.prepare("SELECT text FROM console WHERE board = ? AND started_ns = ?");
    if (!row) return fail(row.error().message);
    row->bind(1, board);
    row->bind(2, nanoseconds(started));
    const auto there = row->step();
    if (!there) return fail(there.error().message);
    if (!*there) return std::nullopt;
    return row->text(0);
}

}  // namespace bramble::state
