#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "services/state/store.hpp"

namespace bramble::state {
namespace {

namespace json = boost::json;
using boards::Boot;
using boards::FileRecord;

std::int64_t nanoseconds(TimePoint at) {
    return at.time_since_epoch().count();
}

json::value optional_instant(const std::optional<TimePoint>& at) {
    return at ? json::value(nanoseconds(*at)) : json::value(nullptr);
}

json::array to_json(const FileRecord& file) {
    return {
        file.path,
        static_cast<int>(file.file_class),
        static_cast<int>(file.outcome),
        file.bytes,
        file.took.count(),
        file.loads,
        file.probes,
        file.retransmissions,
        nanoseconds(file.first_asked),
        nanoseconds(file.last_ended),
        file.asked};
}

json::value optional_text(const std::optional<MacAddress>& mac) {
    return mac ? json::value(mac->to_string()) : json::value(nullptr);
}

// What rows of earlier programs do not have: left out where there is nothing to say.
void add_later_details(const Boot& boot, json::object& details) {
    details["kernel"] = boot.kernel;
    details["heartbeat"] = boot.heartbeat.count();
    details["restarts"] = boot.restarts;
    details["failed_before"] = boot.failed_before;
    details["widest_gap"] = boot.widest_gap.count();
    details["mac"] = optional_text(boot.mac);
    details["mac_of_twin"] = optional_text(boot.mac_of_twin);
    if (boot.other_offer) {
        details["other_offer"] = {
            boot.other_offer->server.to_string(), boot.other_offer->address.to_string()};
    }
    if (boot.rival_offer) {
        details["rival_offer"] = {
            boot.rival_offer->server.to_string(), boot.rival_offer->address.to_string()};
    }
    json::array knocked;
    for (const bool one : boot.knocked) knocked.push_back(one);
    details["knocked"] = std::move(knocked);
    details["knocks_unanswered"] = boot.knocks_unanswered;
}

std::string details_of(const Boot& boot) {
    json::array entered;
    for (const auto& at : boot.entered) entered.push_back(optional_instant(at));
    json::array files;
    for (const FileRecord& file : boot.files) files.push_back(to_json(file));
    json::object details{
        {"last_event", nanoseconds(boot.last_event)},
        {"ended", optional_instant(boot.ended)},
        {"partial", boot.partial},
        {"phase", static_cast<int>(boot.phase)},
        {"entered", std::move(entered)},
        {"address", boot.address.to_string()},
        {"discovers", boot.discovers},
        {"offers", boot.offers},
        {"hold_reason", boot.hold_reason},
        {"files", std::move(files)},
        {"files_dropped", boot.files_dropped},
        {"diagnosis", boot.diagnosis}};
    add_later_details(boot, details);
    return json::serialize(details);
}

// Reads of JSON values throw when a value has another type or is too large; read_details turns that
// into an error.
TimePoint instant(const json::value& value) {
    return TimePoint(Duration(value.to_number<std::int64_t>()));
}

std::optional<TimePoint> optional_instant(const json::value& value) {
    if (value.is_null()) return std::nullopt;
    return instant(value);
}

template <typename E>
E enumerator(const json::value& value, E last) {
    const int number = value.to_number<int>();
    if (number < 0 || number > static_cast<int>(last))
        throw boost::system::system_error(json::make_error_code(json::error::not_exact));
    return static_cast<E>(number);
}

std::string text(const json::value& value) {
    return std::string(value.as_string());
}

FileRecord read_file(const json::array& fields) {
    FileRecord file;
    file.path = text(fields.at(0));
    file.file_class = enumerator(fields.at(1), boards::FileClass::kernel);
    file.outcome = enumerator(fields.at(2), boards::FileOutcome::refused);
    file.bytes = fields.at(3).to_number<std::uint64_t>();
    file.took = Duration(fields.at(4).to_number<std::int64_t>());
    file.loads = fields.at(5).to_number<unsigned>();
    file.probes = fields.at(6).to_number<unsigned>();
    file.retransmissions = fields.at(7).to_number<std::uint64_t>();
    file.first_asked = instant(fields.at(8));
    file.last_ended = instant(fields.at(9));
    file.asked = file.loads + file.probes;
    if (fields.size() > 10) file.asked = fields.at(10).to_number<unsigned>();
    return file;
}

std::optional<MacAddress> optional_mac(const json::value& value) {
    if (value.is_null()) return std::nullopt;
    const auto mac = MacAddress::parse(text(value));
    return mac ? std::optional(*mac) : std::nullopt;
}

std::optional<boards::OtherOffer> optional_offer(const json::value* value) {
    if (value == nullptr) return std::nullopt;
    const json::array& pair = value->as_array();
    return boards::OtherOffer{
        Ipv4Address::parse(text(pair.at(0))).value_or(Ipv4Address()),
        Ipv4Address::parse(text(pair.at(1))).value_or(Ipv4Address())};
}

// A row that an earlier program wrote has none of these.
void read_later_details(const json::object& details, Boot& boot) {
    if (!details.contains("kernel")) return;
    boot.kernel = text(details.at("kernel"));
    boot.heartbeat = Duration(details.at("heartbeat").to_number<std::int64_t>());
    boot.restarts = details.at("restarts").to_number<unsigned>();
    boot.failed_before = details.at("failed_before").to_number<unsigned>();
    boot.widest_gap = Duration(details.at("widest_gap").to_number<std::int64_t>());
    boot.mac = optional_mac(details.at("mac"));
    boot.mac_of_twin = optional_mac(details.at("mac_of_twin"));
    boot.other_offer = optional_offer(details.if_contains("other_offer"));
    boot.rival_offer = optional_offer(details.if_contains("rival_offer"));
    const json::array& knocked = details.at("knocked").as_array();
    for (std::size_t i = 0; i < boot.knocked.size(); ++i) boot.knocked[i] = knocked.at(i).as_bool();
    boot.knocks_unanswered = details.at("knocks_unanswered").to_number<unsigned>();
}

void read_details(const json::object& details, Boot& boot) {
    boot.last_event = instant(details.at("last_event"));
    boot.ended = optional_instant(details.at("ended"));
    boot.partial = details.at("partial").as_bool();
    boot.phase = enumerator(details.at("phase"), boards::Phase::userspace);
    const json::array& entered = details.at("entered").as_array();
    for (std::size_t i = 0; i < boot.entered.size(); ++i)
        boot.entered[i] = optional_instant(entered.at(i));
    boot.address = Ipv4Address::parse(text(details.at("address"))).value_or(Ipv4Address());
    boot.discovers = details.at("discovers").to_number<unsigned>();
    boot.offers = details.at("offers").to_number<unsigned>();
    boot.hold_reason = text(details.at("hold_reason"));
    for (const json::value& file : details.at("files").as_array()) {
        if (boot.files.size() >= Boot::files_max) break;
        boot.files.push_back(read_file(file.as_array()));
    }
    boot.files_dropped = details.at("files_dropped").to_number<std::uint64_t>();
    boot.diagnosis = text(details.at("diagnosis"));
    read_later_details(details, boot);
}

constexpr std::array states = {
    boards::BootState::running,
    boards::BootState::waiting,
    boards::BootState::stuck,
    boards::BootState::up,
    boards::BootState::superseded,
    boards::BootState::abandoned};

// Columns: board, started_ns, generation, state, details.
Result<boards::EndedBoot> read_boot(const Statement& row) {
    boards::EndedBoot out;
    out.board = row.text(0).value_or("");
    out.boot.started = TimePoint(Duration(row.integer(1).value_or(0)));
    out.boot.generation = static_cast<std::uint64_t>(row.integer(2).value_or(0));
    const std::string state = row.text(3).value_or("");
    const auto known = std::ranges::find(states, state, [](boards::BootState one) {
        return boards::to_string(one);
    });
    if (known == states.end()) return fail("its state is not known");
    out.boot.state = *known;
    json::parse_options options;
    options.allow_invalid_utf8 = true;  // boards ask for any bytes
    options.max_depth = 8;
    try {
        read_details(json::parse(row.text(4).value_or(""), {}, options).as_object(), out.boot);
    } catch (const std::exception& e) {
        return fail(fmt::format("its details are not readable: {}", e.what()));
    }
    return out;
}

}  // namespace

Result<void> Store::add(std::span<const boards::EndedBoot> boots) {
    if (boots.empty()) return {};
    auto insert = database_.prepare(
        "INSERT INTO boot (board, started_ns, generation, state, details) VALUES (?, ?, ?, ?, ?)"
    );
    auto trim = database_.prepare(
        "DELETE FROM boot WHERE board = ?1 AND id <= "
        "(SELECT id FROM boot WHERE board = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"
    );
    if (!insert) return fail(insert.error().message);
    if (!trim) return fail(trim.error().message);
    return database_.transaction([&]() -> Result<void> {
        for (const boards::EndedBoot& one : boots) {
            insert->bind(1, one.board);
            insert->bind(2, nanoseconds(one.boot.started));
            insert->bind(3, static_cast<std::int64_t>(one.boot.generation));
            insert->bind(4, boards::to_string(one.boot.state));
            insert->bind_blob(5, details_of(one.boot));
            if (auto done = insert->run(); !done) return done;
            trim->bind(1, one.board);
            trim->bind(2, static_cast<std::int64_t>(boots_per_board_max));
            if (auto done = trim->run(); !done) return done;
        }
        return {};
    });
}

Result<Rows<boards::EndedBoot>> Store::read_boots(Statement& statement) {
    Rows<boards::EndedBoot> out;
    while (true) {
        const auto row = statement.step();
        if (!row) return fail(row.error().message);
        if (!*row) return out;
        auto boot = read_boot(statement);
        if (boot) {
            out.values.push_back(std::move(*boot));
        } else {
            out.skipped.push_back(fmt::format(
                "boot of '{:.64}' left out: {}",
                statement.text(0).value_or(""),
                boot.error().message
            ));
        }
    }
}

Result<Rows<boards::EndedBoot>> Store::boots(std::size_t count_max) {
    auto rows = database_.prepare(
        "SELECT board, started_ns, generation, state, details FROM (SELECT *, row_number() OVER "
        "(PARTITION BY board ORDER BY id DESC) AS age FROM boot) WHERE age <= ? ORDER BY id"
    );
    if (!rows) return fail(rows.error().message);
    rows->bind(1, static_cast<std::int64_t>(count_max));
    return read_boots(*rows);
}

Result<Rows<boards::EndedBoot>> Store::boots_of(std::string_view board, std::size_t count_max) {
    auto rows = database_.prepare(
        "SELECT board, started_ns, generation, state, details FROM boot WHERE board = ? "
        "ORDER BY id DESC LIMIT ?"
    );
    if (!rows) return fail(rows.error().message);
    rows->bind(1, board);
    rows->bind(2, static_cast<std::int64_t>(count_max));
    return read_boots(*rows);
}

}  // namespace bramble::state
