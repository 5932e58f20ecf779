#include "services/bramble/address_book.hpp"

#include <variant>

namespace bramble::program {

bool AddressBook::set(Ipv4Address address, const std::string& board) {
    if (!address.is_set()) return false;
    const auto found = boards_.find(address);
    if (found == boards_.end()) {
        if (boards_.size() >= addresses_max) return false;
        boards_.emplace(address, board);
        return true;
    }
    if (found->second == board) return false;
    found->second = board;
    return true;
}

void AddressBook::restore(std::span<const dhcp::Lease> leases) {
    for (const dhcp::Lease& lease : leases) set(lease.address, lease.board);
}

const std::string* AddressBook::find(Ipv4Address address) const {
    const auto found = boards_.find(address);
    return found == boards_.end() ? nullptr : &found->second;
}

std::optional<Ipv4Address> AddressBook::on_event(const dhcp::Event& event) {
    if (const auto* learned = std::get_if<dhcp::AddressLearned>(&event.what)) {
        if (set(learned->address, event.client.board)) return learned->address;
        return std::nullopt;
    }
    // A released address is nobody's until it is offered again; the reservation of a board, if it
    // is one, holds again.
    if (const auto* released = std::get_if<dhcp::Released>(&event.what)) {
        if (boards_.erase(released->address) > 0) return released->address;
    }
    return std::nullopt;
}

}  // namespace bramble::program
