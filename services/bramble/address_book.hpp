// Which board has which address, as DHCP has shown it last. It refuses to give addresses out.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/types/ipv4.hpp"
#include "services/dhcp/event.hpp"
#include "services/dhcp/lease.hpp"

namespace bramble::program {

class AddressBook {
public:
    static constexpr std::size_t addresses_max = 65'536;  // overheard strangers are not kept beyond

    // The leases of an earlier run.
    void restore(std::span<const dhcp::Lease> leases);

    // The address of which the book says something else than before.
    std::optional<Ipv4Address> on_event(const dhcp::Event& event);

    // nullptr: nobody was seen with it. An empty name is a stranger.
    const std::string* find(Ipv4Address address) const;

    // Boards that the fleet has dropped or renamed are strangers from now on.
    template <typename IsBoard>
    void keep_boards(IsBoard is_board) {
        for (auto& [address, board] : boards_) {
            if (!board.empty() && !is_board(board)) board.clear();
        }
    }

    // Address -> board; an empty name is a stranger's address.
    const std::map<Ipv4Address, std::string>& boards() const { return boards_; }

private:
    bool set(Ipv4Address address, const std::string& board);

    std::map<Ipv4Address, std::string> boards_;
};

}  // namespace bramble::program
