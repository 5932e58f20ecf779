#include "services/state/store.hpp"

#include <fmt/format.h>

namespace bramble::state {
namespace {

// Values are texts where a person may look with the sqlite3 shell; instants are nanoseconds.
constexpr const char* tables = R"(
CREATE TABLE lease (
    address TEXT PRIMARY KEY, mac TEXT NOT NULL, client_id TEXT NOT NULL, serial TEXT,
    board TEXT NOT NULL, hostname TEXT NOT NULL,
    granted_ns INTEGER NOT NULL, expires_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE boot (
    id INTEGER PRIMARY KEY, board TEXT NOT NULL, started_ns INTEGER NOT NULL,
    generation INTEGER NOT NULL, state TEXT NOT NULL, details BLOB NOT NULL
) STRICT;
CREATE INDEX boot_of_board ON boot (board, id);
CREATE TABLE binding (
    board TEXT PRIMARY KEY, generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE adopted (
    name TEXT PRIMARY KEY, serial TEXT, mac TEXT, profile TEXT NOT NULL,
    adopted_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)";

// Came later than the others, and costs an older program nothing: the form stays the same.
constexpr const char* later_tables = R"(
CREATE TABLE IF NOT EXISTS served (
    one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS console (
    id INTEGER PRIMARY KEY, board TEXT NOT NULL, started_ns INTEGER NOT NULL, text TEXT NOT NULL,
    UNIQUE (board, started_ns)
) STRICT;
)";

std::int64_t nanoseconds(TimePoint at) {
    return at.time_since_epoch().count();
}

// One row, or what is wrong with it.
Result<AdoptedBoard> read_adopted(const Statement& row) {
    AdoptedBoard board;
    board.name = row.text(0).value_or("");
    if (const auto serial = row.text(1)) {
        const auto parsed = Serial::parse(*serial);
        if (!parsed) return fail(parsed.error().message);
        board.serial = *parsed;
    }
    if (const auto mac = row.text(2)) {
        const auto parsed = MacAddress::parse(*mac);
        if (!parsed) return fail(parsed.error().message);
        board.mac = *parsed;
    }
    board.profile = row.text(3).value_or("");
    board.adopted = TimePoint(Duration(row.integer(4).value_or(0)));
    return board;
}

}  // namespace

Result<Store> Store::open(const std::filesystem::path& file) {
    auto database = Database::open(file);
    if (!database) return fail(database.error().message);
    Store store(std::move(*database));
    if (auto ready = store.prepare(); !ready) return fail(ready.error().message);
    return store;
}

Result<void> Store::prepare() {
    auto version = database_.prepare("PRAGMA user_version");
    if (!version) return fail(version.error().message);
    if (auto row = version->step(); !row) return fail(row.error().message);
    const std::int64_t written = version->integer(0).value_or(0);
    *version = Statement();
    if (written > format) {
        return fail(fmt::format(
            "state database: its form is {}, this program knows {} (install the newer Bramble "
            "again, or "
            "move the database away)",
            written,
            format
        ));
    }
    if (written == 0) {
        auto made = database_.transaction([this] {
            return database_.execute(tables + fmt::format("PRAGMA user_version = {};", format));
        });
        if (!made) return made;
    }
    if (auto made = database_.execute(later_tables); !made) return made;
    auto put = database_.prepare("INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    auto remove = database_.prepare("DELETE FROM lease WHERE address = ?");
    if (!put) return fail(put.error().message);
    if (!remove) return fail(remove.error().message);
    put_lease_ = std::move(*put);
    remove_lease_ = std::move(*remove);
    return database_.execute(fmt::format(
        "DELETE FROM boot WHERE id <= (SELECT MAX(id) FROM boot) - {};"
        "DELETE FROM console WHERE id <= (SELECT MAX(id) FROM console) - {};",
        boots_max,
        consoles_max
    ));
}

// Only what differs from what is there: a thousand boards that begin one after another would
// otherwise write half a million rows.
Result<void> Store::bind(std::span<const BindingChange> changes) {
    auto put = database_.prepare("INSERT OR REPLACE INTO binding VALUES (?, ?)");
    auto remove = database_.prepare("DELETE FROM binding WHERE board = ?");
    if (!put) return fail(put.error().message);
    if (!remove) return fail(remove.error().message);
    return database_.transaction([&]() -> Result<void> {
        for (const BindingChange& change : changes) {
            auto& statement = change.generation ? *put : *remove;
            statement.bind(1, change.board);
            if (change.generation) {
                statement.bind(2, static_cast<std::int64_t>(*change.generation));
            }
            if (auto done = statement.run(); !done) return done;
        }
        return {};
    });
}

Result<std::map<std::string, std::uint64_t>> Store::bindings() {
    auto rows = database_.prepare("SELECT board, generation FROM binding");
    if (!rows) return fail(rows.error().message);
    std::map<std::string, std::uint64_t> out;
    while (true) {
        const auto row = rows->step();
        if (!row) return fail(row.error().message);
        if (!*row) return out;
        out[rows->text(0).value_or("")] = static_cast<std::uint64_t>(rows->integer(1).value_or(0));
    }
}

Result<void> Store::set_served(std::uint64_t generation) {
    auto put = database_.prepare("INSERT OR REPLACE INTO served VALUES (1, ?)");
    if (!put) return fail(put.error().message);
    put->bind(1, static_cast<std::int64_t>(generation));
    return database_.transaction([&] { return put->run(); });
}

Result<std::optional<std::uint64_t>> Store::served() {
    auto row = database_.prepare("SELECT generation FROM served");
    if (!row) return fail(row.error().message);
    const auto there = row->step();
    if (!there) return fail(there.error().message);
    if (!*there) return std::nullopt;
    return static_cast<std::uint64_t>(row->integer(0).value_or(0));
}

Result<void> Store::adopt(const AdoptedBoard& board) {
    auto insert = database_.prepare("INSERT OR REPLACE INTO adopted VALUES (?, ?, ?, ?, ?)");
    if (!insert) return fail(insert.error().message);
    insert->bind(1, board.name);
    if (board.serial) insert->bind(2, board.serial->to_string());
    if (board.mac) insert->bind(3, board.mac->to_string());
    insert->bind(4, board.profile);
    insert->bind(5, nanoseconds(board.adopted));
    return database_.transaction([&] { return insert->run(); });
}

Result<void> Store::forget(std::string_view name) {
    auto remove = database_.prepare("DELETE FROM adopted WHERE name = ?");
    if (!remove) return fail(remove.error().message);
    remove->bind(1, name);
    return database_.transaction([&] { return remove->run(); });
}

Result<Rows<AdoptedBoard>> Store::adopted() {
    auto rows = database_.prepare("SELECT * FROM adopted ORDER BY name");
    if (!rows) return fail(rows.error().message);
    Rows<AdoptedBoard> out;
    while (true) {
        const auto row = rows->step();
        if (!row) return fail(row.error().message);
        if (!*row) return out;
        auto board = read_adopted(*rows);
        if (board) {
            out.values.push_back(std::move(*board));
        } else {
            out.skipped.push_back("adopted board left out: " + board.error().message);
        }
    }
}

}  // namespace bramble::state
