// A flat hash table from a key's hash to a slot in somebody's array, and the numbers of slots. It
// refuses to know keys: whoever owns the slots compares them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bramble::tftp {

using Slot = std::uint32_t;
inline constexpr Slot no_slot = 0xffffffffU;

// Linear probing with backward shift on removal: no tombstones, so a table that churns for months
// stays as fast as a new one. It grows by doubling; nothing is allocated while the number of
// entries stays within what was reserved or reached before.
class SlotTable {
public:
    explicit SlotTable(std::size_t expected);

    std::size_t size() const { return size_; }

    template <typename Matches>
    Slot find(std::uint32_t hash, Matches matches) const {
        for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
            const Cell& cell = cells_[at];
            if (cell.slot == no_slot) return no_slot;
            if (cell.hash == hash && matches(cell.slot)) return cell.slot;
        }
    }

    void insert(std::uint32_t hash, Slot slot);  // the key must not be there
    void erase(std::uint32_t hash, Slot slot);   // it must be there

private:
    struct Cell {
        std::uint32_t hash = 0;
        Slot slot = no_slot;
    };

    void grow();
    void place(Cell cell);

    std::vector<Cell> cells_;
    std::size_t mask_ = 0;
    std::size_t size_ = 0;
};

}  // namespace bramble::tftp
