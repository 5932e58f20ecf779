#include "services/tftp/slot_table.hpp"

#include <bit>
#include <cassert>

namespace bramble::tftp {

SlotTable::SlotTable(std::size_t expected)
    : cells_(std::bit_ceil(expected * 2 + 16)), mask_(cells_.size() - 1) {}

void SlotTable::place(Cell cell) {
    std::size_t at = cell.hash & mask_;
    while (cells_[at].slot != no_slot) at = (at + 1) & mask_;
    cells_[at] = cell;
}

void SlotTable::grow() {
    std::vector<Cell> old(cells_.size() * 2);
    old.swap(cells_);
    mask_ = cells_.size() - 1;
    for (const Cell& cell : old) {
        if (cell.slot != no_slot) place(cell);
    }
}

void SlotTable::insert(std::uint32_t hash, Slot slot) {
    if ((size_ + 1) * 2 > cells_.size()) grow();
    place({hash, slot});
    ++size_;
}

void SlotTable::erase(std::uint32_t hash, Slot slot) {
    std::size_t hole = hash & mask_;
    while (cells_[hole].slot != slot) {
        assert(cells_[hole].slot != no_slot);
        hole = (hole + 1) & mask_;
    }
    // Entries behind the hole move into it unless their own place lies behind it.
    for (std::size_t at = (hole + 1) & mask_; cells_[at].slot != no_slot; at = (at + 1) & mask_) {
        const std::size_t home = cells_[at].hash & mask_;
        if (((at - home) & mask_) < ((at - hole) & mask_)) continue;
        cells_[hole] = cells_[at];
        hole = at;
    }
    cells_[hole] = Cell{};
    --size_;
}

}  // namespace bramble::tftp
