#include <fmt/format.h>

#include <algorithm>

#include "config/types/text.hpp"
#include "services/state/store.hpp"

namespace bramble::state {
namespace {

std::int64_t nanoseconds(TimePoint at) {
    return at.time_since_epoch().count();
}

Result<std::vector<std::uint8_t>> parse_hex(std::string_view text) {
    constexpr std::size_t octets_max = 255;  // what one option holds
    std::vector<std::uint8_t> out;
    if (text.size() % 2 != 0 || text.size() > 2 * octets_max)
        return fail("the client identifier is no even number of hex digits");
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return fail("the client identifier is not hex");
        out.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    return out;
}

// What a host name may not have never comes back: it went into DHCP replies and files once
// (attack class D3).
bool is_host_name(std::string_view text) {
    constexpr std::size_t size_max = 63;
    return text.size() <= size_max && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-';
           });
}

// One row, or what is wrong with it.
Result<dhcp::Lease> read_lease(const Statement& row) {
    dhcp::Lease lease;
    const auto address = Ipv4Address::parse(row.text(0).value_or(""));
    const auto mac = MacAddress::parse(row.text(1).value_or(""));
    auto client_id = parse_hex(row.text(2).value_or(""));
    if (!address) return fail(address.error().message);
    if (!mac) return fail(mac.error().message);
    if (!client_id) return fail(client_id.error().message);
    lease.address = *address;
    lease.mac = *mac;
    lease.client_id = std::move(*client_id);
    if (const auto serial = row.text(3)) {
        const auto parsed = Serial::parse(*serial);
        if (!parsed) return fail(parsed.error().message);
        lease.serial = *parsed;
    }
    lease.board = row.text(4).value_or("");
    lease.hostname = row.text(5).value_or("");
    if (!is_host_name(lease.hostname))
        return fail("the host name has characters that none may have");
    const auto granted = row.integer(6);
    const auto expires = row.integer(7);
    if (!granted || !expires) return fail("an instant is missing");
    lease.granted = TimePoint(Duration(*granted));
    lease.expires = TimePoint(Duration(*expires));
    return lease;
}

}  // namespace

Result<void> Store::put(const dhcp::Lease& lease) {
    put_lease_.bind(1, lease.address.to_string());
    put_lease_.bind(2, lease.mac.to_string());
    put_lease_.bind(3, fmt::format("{:02x}", fmt::join(lease.client_id, "")));
    if (lease.serial) {
        put_lease_.bind(4, lease.serial->to_string());
    } else {
        put_lease_.bind_null(4);
    }
    put_lease_.bind(5, lease.board);
    // Kept without its name rather than not kept: the row must come back.
    put_lease_.bind(6, is_host_name(lease.hostname) ? std::string_view(lease.hostname) : "");
    put_lease_.bind(7, nanoseconds(lease.granted));
    put_lease_.bind(8, nanoseconds(lease.expires));
    return put_lease_.run();
}

Result<void> Store::write(std::span<const dhcp::LeaseChange> changes) {
    if (changes.empty()) return {};
    return database_.transaction([&]() -> Result<void> {
        for (const dhcp::LeaseChange& change : changes) {
            Result<void> done;
            if (const auto* lease = std::get_if<dhcp::PutLease>(&change)) {
                done = put(lease->lease);
            } else {
                remove_lease_.bind(1, std::get<dhcp::RemoveLease>(change).address.to_string());
                done = remove_lease_.run();
            }
            if (!done) return done;
        }
        return {};
    });
}

Result<Rows<dhcp::Lease>> Store::leases() {
    auto rows = database_.prepare("SELECT * FROM lease");
    if (!rows) return fail(rows.error().message);
    Rows<dhcp::Lease> out;
    while (true) {
        const auto row = rows->step();
        if (!row) return fail(row.error().message);
        if (!*row) return out;
        auto lease = read_lease(*rows);
        if (lease) {
            out.values.push_back(std::move(*lease));
        } else {
            out.skipped.push_back(fmt::format(
                "lease of '{:.40}' left out: {}", rows->text(0).value_or(""), lease.error().message
            ));
        }
    }
}

}  // namespace bramble::state
