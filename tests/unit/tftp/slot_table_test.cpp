// The flat table against a std::map, with hashes that collide on purpose.
#include "services/tftp/slot_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "services/tftp/ring.hpp"

namespace bramble::tftp {
namespace {

TEST(SlotTableTest, AgreesWithAMapUnderCollisions) {
    for (const std::uint32_t hashes : {1U, 7U, 1000U}) {
        std::mt19937 random(hashes);
        SlotTable table(4);
        std::map<std::uint32_t, Slot> map;  // key -> slot; the slot is the key
        const auto hash = [&](std::uint32_t key) { return key % hashes * 0x9E3779B9U; };
        for (int step = 0; step < 20'000; ++step) {
            const auto key = static_cast<std::uint32_t>(random() % 300);
            const Slot found = table.find(hash(key), [&](Slot slot) { return slot == key; });
            ASSERT_EQ(found, map.contains(key) ? key : no_slot);
            if (found == no_slot) {
                table.insert(hash(key), key);
                map[key] = key;
            } else {
                table.erase(hash(key), key);
                map.erase(key);
            }
            ASSERT_EQ(table.size(), map.size());
        }
    }
}

TEST(RingTest, IsFirstInFirstOutAcrossItsGrowth) {
    Ring<int> ring;
    int pushed = 0;
    int popped = 0;
    for (int round = 0; round < 100; ++round) {
        for (int i = 0; i < round; ++i) ring.push(pushed++);
        for (int i = 0; i < round / 2; ++i) ASSERT_EQ(ring.pop(), popped++);
    }
    while (!ring.empty()) ASSERT_EQ(ring.pop(), popped++);
    EXPECT_EQ(popped, pushed);
}

}  // namespace
}  // namespace bramble::tftp
