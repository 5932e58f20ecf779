// One SQLite database and its statements, with errors as values; the only header behind which
// SQLite lies. It refuses to know any table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/types/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace bramble::state {

// A prepared statement. Values are bound and read by position, from 1 and from 0 as SQLite counts.
class Statement {
public:
    Statement() = default;

    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

    void bind(int position, std::int64_t value);
    void bind(int position, std::string_view text);  // copied
    void bind_blob(int position, std::string_view bytes);
    void bind_null(int position);

    // The next row; false: there is none. A statement that is done is ready to be bound again.
    [[nodiscard]] Result<bool> step();

    // To the end, rows passed over.
    [[nodiscard]] Result<void> run();

    std::optional<std::int64_t> integer(int column) const;  // none: NULL or another type
    std::optional<std::string> text(int column) const;      // of a text or a blob

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };

    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
public:
    // Opens or makes `file`, mode 0640, so that a commit is on stable storage when it returns.
    // Errors: it cannot be opened or is no database; the message says what to do.
    [[nodiscard]] static Result<Database> open(const std::filesystem::path& file);

    [[nodiscard]] Result<Statement> prepare(std::string_view sql);
    [[nodiscard]] Result<void> execute(const std::string& sql);

    // Runs `body` between BEGIN and COMMIT; a failure anywhere leaves the database as it was.
    template <typename F>
    [[nodiscard]] Result<void> transaction(F&& body) {
        if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return begun;
        Result<void> done = body();
        if (done) done = execute("COMMIT");
        if (!done) rollback();
        return done;
    }

private:
    struct Close {
        void operator()(sqlite3* database) const;
    };

    explicit Database(sqlite3* database) : database_(database) {}

    void rollback();

    std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace bramble::state
