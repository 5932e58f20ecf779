#include "services/io/bounded_queue.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace bramble::io {
namespace {

TEST(BoundedQueue, GivesBackInOrder) {
    BoundedQueue<int> queue(3);
    EXPECT_TRUE(queue.push(1));
    EXPECT_TRUE(queue.push(2));
    EXPECT_EQ(queue.pop(), 1);
    EXPECT_TRUE(queue.push(3));
    EXPECT_TRUE(queue.push(4));
    EXPECT_EQ(queue.pop(), 2);
    EXPECT_EQ(queue.pop(), 3);
    EXPECT_EQ(queue.pop(), 4);
    EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, RefusesWhatDoesNotFitAndLeavesIt) {
    BoundedQueue<std::unique_ptr<int>> queue(2);
    EXPECT_TRUE(queue.push(std::make_unique<int>(1)));
    EXPECT_TRUE(queue.push(std::make_unique<int>(2)));
    auto third = std::make_unique<int>(3);
    EXPECT_FALSE(queue.push(std::move(third)));
    ASSERT_NE(third, nullptr);
    EXPECT_EQ(*third, 3);
    EXPECT_EQ(queue.capacity(), 2U);
}

TEST(BoundedQueue, CarriesEverythingBetweenTwoThreads) {
    constexpr int count = 100'000;
    BoundedQueue<int> queue(64);
    std::thread writer([&queue] {
        for (int i = 0; i < count;) {
            if (queue.push(int{i})) {
                ++i;
            } else {
                std::this_thread::yield();
            }
        }
    });
    for (int expected = 0; expected < count;) {
        if (const auto value = queue.pop()) {
            ASSERT_EQ(*value, expected);
            ++expected;
        } else {
            std::this_thread::yield();
        }
    }
    writer.join();
    EXPECT_EQ(queue.pop(), std::nullopt);
}

}  // namespace
}  // namespace bramble::io
