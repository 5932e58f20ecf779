#include "config/fleet/fleet.hpp"

namespace bramble::fleet {
namespace {

template <typename T>
const T* find_by_name(const std::vector<T>& items, std::string_view name) {
    for (const T& item : items) {
        if (item.name == name) return &item;
    }
    return nullptr;
}

template <typename Key>
const Board* find_in(const std::map<Key, const Board*>& index, const Key& key) {
    const auto found = index.find(key);
    return found == index.end() ? nullptr : found->second;
}

}  // namespace

const Image* Fleet::find_image(std::string_view name) const {
    return find_by_name(images, name);
}

const Kernel* Fleet::find_kernel(std::string_view name) const {
    return find_by_name(kernels, name);
}

const Profile* Fleet::find_profile(std::string_view name) const {
    return find_by_name(profiles, name);
}

const Board* Fleet::find_board(std::string_view name) const {
    return find_by_name(boards, name);
}

BoardModel Fleet::model_of(const Board& board) const {
    if (board.model) return *board.model;
    const Profile* profile = find_profile(board.profile);
    return profile != nullptr && profile->model ? *profile->model : BoardModel::pi4;
}

std::string Fleet::place(const SourceLocation& where) const {
    if (where.line == 0 || where.file >= sources.size()) return {};
    return sources[where.file].path.string() + ":" + std::to_string(where.line) + ":" +
           std::to_string(where.column) + ": ";
}

Digest fleet_digest(const Fleet& fleet) {
    Sha256 sum;
    for (const SourceFile& source : fleet.sources) {
        // The lengths keep a text from running into the next one's name.
        const std::string path = source.path.string();
        sum.update(std::to_string(path.size()) + " " + std::to_string(source.text.size()) + "\n");
        sum.update(path);
        sum.update(source.text);
    }
    return sum.finish();
}

BoardIndex::BoardIndex(const Fleet& fleet) {
    for (const Board& board : fleet.boards) {
        if (board.mac) by_mac_.emplace(*board.mac, &board);
        if (board.serial) by_serial_.emplace(*board.serial, &board);
        if (board.address) by_address_.emplace(*board.address, &board);
    }
}

const Board* BoardIndex::by_mac(MacAddress mac) const {
    return find_in(by_mac_, mac);
}

const Board* BoardIndex::by_serial(Serial serial) const {
    return find_in(by_serial_, serial);
}

const Board* BoardIndex::by_address(Ipv4Address address) const {
    return find_in(by_address_, address);
}

const Board* BoardIndex::by_identity(std::optional<Serial> serial, std::optional<MacAddress> mac)
    const {
    if (serial) {
        if (const Board* board = by_serial(*serial)) return board;
    }
    return mac ? by_mac(*mac) : nullptr;
}

}  // namespace bramble::fleet
