#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/yaml/checks.hpp"

namespace bramble::yaml {
namespace {

using namespace fleet;

// The first place of each value of one key, to name it when the value comes again.
template <typename T>
class Seen {
public:
    Seen(Checking& checking, const char* key, const char* what)
        : checking_(checking), key_(key), what_(what) {}

    void add(std::size_t index, const T& value, const std::string& text) {
        const Board& board = checking_.fleet.boards[index];
        const SourceLocation where =
            checking_.at(fmt::format("boards[{}].{}", index, key_), board.where);
        const auto [first, is_new] = places_.emplace(value, where);
        if (is_new) return;
        checking_.diagnostics.error(
            where,
            fmt::format(
                "duplicate {} '{}' (also at {}: two boards cannot share it)",
                what_,
                text,
                checking_.diagnostics.place(first->second)
            )
        );
    }

private:
    Checking& checking_;
    const char* key_;
    const char* what_;
    std::map<T, SourceLocation> places_;
};

// Host names have no case (RFC 1123 §2.1): "Pi-01" and "pi-01" are one board.
std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

void check_duplicates(Checking& checking) {
    Seen<std::string> names(checking, "name", "board name");
    Seen<Serial> serials(checking, "serial", "serial number");
    Seen<MacAddress> macs(checking, "mac", "MAC address");
    Seen<Ipv4Address> addresses(checking, "address", "address");
    for (std::size_t i = 0; i < checking.fleet.boards.size(); ++i) {
        const Board& board = checking.fleet.boards[i];
        if (!board.name.empty()) names.add(i, lower(board.name), board.name);
        if (board.serial) serials.add(i, *board.serial, board.serial->to_string());
        if (board.mac) macs.add(i, *board.mac, board.mac->to_string());
        if (board.address) addresses.add(i, *board.address, board.address->to_string());
    }
}

void check_address(Checking& checking, const Board& board, const std::string& path) {
    const Appliance& appliance = checking.fleet.appliance;
    const Ipv4Network& network = appliance.address;
    if (network.prefix_bits() == 0) return;
    const SourceLocation where = checking.at(path + ".address", board.where);
    if (!network.has_host(*board.address)) {
        checking.diagnostics.error(
            where,
            fmt::format(
                "{} is not an address for a board in {} (hosts: {} to {})",
                board.address->to_string(),
                network.to_string(),
                Ipv4Address(network.network().value() + 1).to_string(),
                Ipv4Address(network.broadcast().value() - 1).to_string()
            )
        );
    } else if (*board.address == network.address()) {
        checking.diagnostics.error(
            where,
            fmt::format(
                "{} is Bramble's own address (at {}: give the board another)",
                board.address->to_string(),
                checking.diagnostics.place(checking.at("appliance.address", appliance.where))
            )
        );
    } else if (board.address == appliance.dhcp.router) {
        checking.diagnostics.error(
            where,
            fmt::format(
                "{} is the router's address (at {}: give the board another)",
                board.address->to_string(),
                checking.diagnostics.place(checking.at("appliance.dhcp.router", appliance.where))
            )
        );
    }
}

// Without an address of its own a board needs the pool, and its root has nobody to be exported to
// alone.
void check_no_address(Checking& checking, const Board& board) {
    const DhcpSettings& dhcp = checking.fleet.appliance.dhcp;
    if (dhcp.mode == DhcpMode::authoritative && !dhcp.pool &&
        !checking.said("appliance.dhcp.pool")) {
        checking.diagnostics.error(
            board.where,
            fmt::format(
                "board '{}' has no address and there is no pool (give it an `address`, or add "
                "dhcp: {{pool: {{from:, to:}}}})",
                board.name
            )
        );
        return;
    }
    const Profile* profile = checking.fleet.find_profile(board.profile);
    if (profile == nullptr || profile->root.mode == RootMode::none) return;
    if (profile->root.ip == KernelAddress::fixed) {
        checking.diagnostics.error(
            board.where,
            fmt::format(
                "board '{}' has no address of its own, which its profile's `ip: static` needs "
                "(give it an `address`)",
                board.name
            )
        );
        return;
    }
    if (profile->root.mode != RootMode::per_board) return;
    checking.diagnostics.warning(
        board.where,
        fmt::format(
            "board '{}' has a root but no address of its own: the root cannot be exported to it "
            "alone (give it an `address`)",
            board.name
        )
    );
}

void check_identity(Checking& checking, const Board& board, const std::string& path) {
    const BoardModel model = checking.fleet.model_of(board);
    if (!checking.said(path + ".serial") && !checking.said(path + ".mac")) {
        checking.diagnostics.error(
            board.where,
            fmt::format(
                "board '{}' has neither serial nor mac: nothing tells it from others (add one)",
                board.name
            )
        );
        return;
    }
    if (model == BoardModel::generic && !checking.said(path + ".mac")) {
        checking.diagnostics.error(
            board.where,
            fmt::format(
                "board '{}' is generic: it shows no serial, only its MAC (add `mac`)", board.name
            )
        );
    }
    if (std::holds_alternative<MacPrefix>(board.tftp_prefix) && !checking.said(path + ".mac")) {
        checking.diagnostics.error(
            checking.at(path + ".tftp_prefix", board.where),
            fmt::format(
                "board '{}' asks for files by a MAC that is not known (add `mac`)", board.name
            )
        );
    }
}

// Raspberry Pi boards may share a profile; a board without their firmware boots another way.
void check_model(Checking& checking, const Board& board, const std::string& path) {
    const Profile* profile = checking.fleet.find_profile(board.profile);
    if (profile == nullptr || !board.model) return;
    const BoardModel other = profile->model.value_or(BoardModel::pi4);
    if ((*board.model == BoardModel::generic) == (other == BoardModel::generic)) return;
    checking.diagnostics.error(
        checking.at(path + ".model", board.where),
        fmt::format(
            "board '{}' is {}, its profile '{}' is for {} (make a profile of its own for it)",
            board.name,
            to_string(*board.model),
            profile->name,
            to_string(other)
        )
    );
}

}  // namespace

void check_boards(Checking& checking) {
    check_duplicates(checking);
    for (std::size_t i = 0; i < checking.fleet.boards.size(); ++i) {
        const Board& board = checking.fleet.boards[i];
        const std::string path = fmt::format("boards[{}]", i);
        check_identity(checking, board, path);
        check_model(checking, board, path);
        if (board.address) {
            check_address(checking, board, path);
        } else if (!checking.said(path + ".address")) {
            check_no_address(checking, board);
        }
    }
}

}  // namespace bramble::yaml
