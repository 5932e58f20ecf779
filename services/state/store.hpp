// What a restart must not lose: leases, which generation a running boot is bound to, finished
// boots, adopted boards. It refuses to decide anything: it keeps what it is given and gives it
// back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/mac_address.hpp"
#include "config/types/result.hpp"
#include "config/types/serial.hpp"
#include "services/boards/tracker.hpp"
#include "services/dhcp/lease.hpp"
#include "services/state/sqlite.hpp"

namespace bramble::state {

// What was read, and one sentence for each row that could not be: it is left out, the others count
// (attack class D5).
template <typename T>
struct Rows {
    std::vector<T> values;
    std::vector<std::string> skipped;
};

// A board that an operator took into the fleet while it was asking.
struct BindingChange {
    std::string board;
    std::optional<std::uint64_t> generation;  // nothing: no boot of it runs any more
};

struct AdoptedBoard {
    std::string name;
    std::optional<Serial> serial;
    std::optional<MacAddress> mac;
    std::string profile;
    TimePoint adopted{};

    friend bool operator==(const AdoptedBoard&, const AdoptedBoard&) = default;
};

// What a board's console said in one boot, as text.
struct KeptConsole {
    std::string board;
    TimePoint started{};  // of the boot
    std::string text;
};

class Store {
public:
    static constexpr int format = 1;                        // of the tables
    static constexpr std::size_t boots_per_board_max = 50;  // finished boots kept; the oldest go
    static constexpr std::size_t boots_max = 100'000;  // of all boards, those no longer there too
    static constexpr std::size_t consoles_max = 5000;  // likewise, of boots that had one

    // Opens or makes the database. Errors: no such directory, no right to write, no database, one
    // that a newer program wrote; each message says what to do.
    [[nodiscard]] static Result<Store> open(const std::filesystem::path& file);

    // Every write is one transaction and on stable storage when it returns; after an error nothing
    // of it is.

    [[nodiscard]] Result<void> write(std::span<const dhcp::LeaseChange> changes);
    [[nodiscard]] Result<Rows<dhcp::Lease>> leases();

    [[nodiscard]] Result<void> add(std::span<const boards::EndedBoot> boots);

    // The latest `count_max` of every board, oldest first.
    [[nodiscard]] Result<Rows<boards::EndedBoot>> boots(
        std::size_t count_max = boots_per_board_max
    );

    // The latest `count_max` of one board, newest first.
    [[nodiscard]] Result<Rows<boards::EndedBoot>> boots_of(
        std::string_view board, std::size_t count_max = boots_per_board_max
    );

    // A boot's console grows after its end too: written again, it replaces what was there. Goes
    // with its boot.
    [[nodiscard]] Result<void> put(std::span<const KeptConsole> consoles);
    // None: that boot had no console.
    [[nodiscard]] Result<std::optional<std::string>> console_of(
        std::string_view board, TimePoint started
    );

    // Of the boots that run: written as they change, all of `changes` or nothing.
    [[nodiscard]] Result<void> bind(std::span<const BindingChange> changes);
    [[nodiscard]] Result<std::map<std::string, std::uint64_t>> bindings();

    // The generation that a serve answers from, for whoever would remove one; it says what the last
    // serve said, also when none runs. None: no serve has ever said.
    [[nodiscard]] Result<void> set_served(std::uint64_t generation);
    [[nodiscard]] Result<std::optional<std::uint64_t>> served();

    // Replaces the board of that name.
    [[nodiscard]] Result<void> adopt(const AdoptedBoard& board);
    [[nodiscard]] Result<void> forget(std::string_view name);
    [[nodiscard]] Result<Rows<AdoptedBoard>> adopted();

private:
    explicit Store(Database database) : database_(std::move(database)) {}

    [[nodiscard]] Result<void> prepare();
    [[nodiscard]] Result<void> put(const dhcp::Lease& lease);
    [[nodiscard]] Result<Rows<boards::EndedBoot>> read_boots(Statement& statement);

    Database database_;
    Statement put_lease_;
    Statement remove_lease_;
};

}  // namespace bramble::state
