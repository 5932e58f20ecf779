#include "services/state/sqlite.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace bramble::state {
namespace {

constexpr int value_bytes_max = 1 << 20;  // one text or blob; nothing of ours comes near
constexpr int busy_ms = 2000;             // somebody looks with the sqlite3 shell

tl::unexpected<Error> failure(sqlite3* database) {
    const int code = sqlite3_extended_errcode(database);
    const int kind = code & 0xff;
    std::string remedy;
    if (kind == SQLITE_FULL) remedy = " (make room on the store's filesystem)";
    if (kind == SQLITE_READONLY) remedy = " (the user that runs Bramble must own it)";
    if (kind == SQLITE_NOTADB || kind == SQLITE_CORRUPT) {
        remedy =
            " (move it away: boards keep the addresses of the fleet file, leases of the pool are "
            "granted anew)";
    }
    return fail(fmt::format("state database: {}{}", sqlite3_errmsg(database), remedy));
}

// Leases tell who is where: not for everyone (attack class A1). SQLite gives its journal the mode
// of the database.
Result<void> make_private(const std::filesystem::path& file) {
    const auto refuse = [&file](int error) {
        const std::string_view remedy =
            error == EACCES ? "only the user that runs Bramble and root may use it"
                            : "its directory must exist and belong to the user that runs Bramble";
        return fail(fmt::format(
            "state database {}: {} ({})",
            file.string(),
            std::generic_category().message(error),
            remedy
        ));
    };
    const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (made >= 0) {
        ::close(made);
        return {};
    }
    if (errno != EEXIST) return refuse(errno);
    // O_PATH: closing any other descriptor of the file would drop the locks of a connection that
    // this process has open already (fcntl(2)), and the next program to close the database would
    // take its journal away under us.
    const int fd = ::open(file.c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return refuse(errno);

    struct stat status {};

    int error = 0;
    if (::fstat(fd, &status) != 0) error = errno;
    if (error == 0 && S_ISLNK(status.st_mode)) error = ELOOP;
    if (error == 0 && ::faccessat(AT_FDCWD, file.c_str(), R_OK | W_OK, AT_EACCESS) != 0) {
        error = errno;
    }
    const bool too_open = (status.st_mode & 07777U & ~0640U) != 0;
    const std::string by_descriptor = fmt::format("/proc/self/fd/{}", fd);
    if (error == 0 && too_open && ::chmod(by_descriptor.c_str(), 0640) != 0) error = errno;
    ::close(fd);
    if (error != 0) return refuse(error);
    return {};
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

void Database::Close::operator()(sqlite3* database) const {
    sqlite3_close_v2(database);
}

// A bind fails only for a position that the statement does not have, or for want of memory.
void Statement::bind(int position, std::int64_t value) {
    sqlite3_bind_int64(statement_.get(), position, value);
}

void Statement::bind(int position, std::string_view text) {
    sqlite3_bind_text64(
        statement_.get(), position, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8
    );
}

void Statement::bind_blob(int position, std::string_view bytes) {
    sqlite3_bind_blob64(statement_.get(), position, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

void Statement::bind_null(int position) {
    sqlite3_bind_null(statement_.get(), position);
}

Result<bool> Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) {
        sqlite3_reset(statement_.get());
        return false;
    }
    auto error = failure(sqlite3_db_handle(statement_.get()));
    sqlite3_reset(statement_.get());
    return error;
}

Result<void> Statement::run() {
    while (true) {
        const auto row = step();
        if (!row) return fail(row.error().message);
        if (!*row) return {};
    }
}

std::optional<std::int64_t> Statement::integer(int column) const {
    if (sqlite3_column_type(statement_.get(), column) != SQLITE_INTEGER) return std::nullopt;
    return sqlite3_column_int64(statement_.get(), column);
}

std::optional<std::string> Statement::text(int column) const {
    const int type = sqlite3_column_type(statement_.get(), column);
    if (type != SQLITE_TEXT && type != SQLITE_BLOB) return std::nullopt;
    const void* bytes = sqlite3_column_blob(statement_.get(), column);
    const int size = sqlite3_column_bytes(statement_.get(), column);
    if (bytes == nullptr) return std::string();
    return std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

Result<Database> Database::open(const std::filesystem::path& file) {
    if (auto ready = make_private(file); !ready) return fail(ready.error().message);
    sqlite3* handle = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    const int code = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
    Database database(handle);  // also after a failure the handle must be closed
    if (handle == nullptr) return fail("state database: out of memory");
    if (code != SQLITE_OK) return failure(handle);
    sqlite3_busy_timeout(handle, busy_ms);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, value_bytes_max);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // The log is synced at every commit: with NORMAL, the last commits may be lost with the power.
    for (const char* pragma :
         {"PRAGMA trusted_schema = OFF",
          "PRAGMA journal_mode = WAL",
          "PRAGMA synchronous = FULL"}) {
        if (auto done = database.execute(pragma); !done) return fail(done.error().message);
    }
    return database;
}

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(
        database_.get(),
        sql.data(),
        static_cast<int>(sql.size()),
        SQLITE_PREPARE_PERSISTENT,
        &statement,
        nullptr
    );
    if (code != SQLITE_OK) return failure(database_.get());
    return Statement(statement);
}

Result<void> Database::execute(const std::string& sql) {
    if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return failure(database_.get());
    return {};
}

void Database::rollback() {
    // SQLite has rolled back by itself after some errors; a second time is an error without
    // meaning.
    if (sqlite3_get_autocommit(database_.get()) == 0) static_cast<void>(execute("ROLLBACK"));
}

}  // namespace bramble::state
