// Partition tables as they are, and as an attacker or a broken download has them (attack classes,
// B1).
#include "provisioning/image/partition_table.hpp"

#include <gtest/gtest.h>

#include <map>

namespace bramble::image {
namespace {

constexpr std::uint64_t sectors = 20'000;

class PartitionTable : public testing::Test {
protected:
    PartitionTable() { put(0, 510, 0xAA55, 2); }

    void put(std::uint64_t sector, std::size_t at, std::uint64_t value, std::size_t bytes) {
        for (std::size_t i = 0; i < bytes; ++i) {
            sector_of(sector)[at + i] = static_cast<char>(value >> 8U * i & 0xFFU);
        }
    }

    std::string& sector_of(std::uint64_t sector) {
        return written.try_emplace(sector, std::string(sector_bytes, '\0')).first->second;
    }

    void entry(
        std::uint64_t sector,
        std::size_t index,
        unsigned type,
        std::uint64_t first,
        std::uint64_t count
    ) {
        const std::size_t at = 446 + 16 * index;
        put(sector, at + 4, type, 1);
        put(sector, at + 8, first, 4);
        put(sector, at + 12, count, 4);
        put(sector, 510, 0xAA55, 2);
    }

    static std::uint32_t crc(std::string_view bytes) {
        std::uint32_t sum = ~0U;
        for (const char c : bytes) {
            sum ^= static_cast<unsigned char>(c);
            for (int i = 0; i < 8; ++i) sum = (sum & 1U) != 0 ? sum >> 1U ^ 0xEDB88320U : sum >> 1U;
        }
        return ~sum;
    }

    // Four entries of 128 bytes in sector 2.
    void gpt(std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> first_and_last) {
        entry(0, 0, 0xEE, 1, sectors - 1);
        std::size_t at = 0;
        for (const auto& [first, last] : first_and_last) {
            put(2, at, 0x0FC63DAF8483'4772, 8);
            put(2, at + 32, first, 8);
            put(2, at + 40, last, 8);
            at += 128;
        }
        sector_of(1).replace(0, 8, "EFI PART");
        put(1, 12, 92, 4);
        put(1, 72, 2, 8);
        put(1, 80, 4, 4);
        put(1, 84, 128, 4);
        put(1, 88, crc(sector_of(2)), 4);
        put(1, 16, 0, 4);
        put(1, 16, crc(sector_of(1).substr(0, 92)), 4);
    }

    Disk disk() {
        return {sectors * sector_bytes, [this](std::uint64_t offset, std::size_t count) {
                    EXPECT_LE(offset + count, sectors * sector_bytes);
                    std::string bytes;
                    for (; bytes.size() < count; offset += sector_bytes) {
                        bytes += sector_of(offset / sector_bytes);
                    }
                    return Result<std::string>(bytes.substr(0, count));
                }};
    }

    std::string refusal() {
        const auto read = read_partitions(disk());
        return read ? "read" : read.error().message;
    }

    std::map<std::uint64_t, std::string> written;
};

TEST_F(PartitionTable, OfRaspberryPiOs) {
    entry(0, 0, 0x0C, 8192, 4096);
    entry(0, 1, 0x83, 12288, 4096);
    const std::vector<Partition> expected = {
        {1, 8192 * 512, 4096 * 512}, {2, 12288 * 512, 4096 * 512}};
    EXPECT_EQ(read_partitions(disk()).value(), expected);
}

TEST_F(PartitionTable, LogicalPartitionsCountFromFive) {
    entry(0, 0, 0x0C, 2048, 100);
    entry(0, 1, 0x05, 4000, 8000);
    entry(4000, 0, 0x83, 8, 1000);
    entry(4000, 1, 0x05, 2000, 3000);
    entry(6000, 0, 0x83, 8, 1000);
    const std::vector<Partition> expected = {
        {1, 2048 * 512, 100 * 512}, {5, 4008 * 512, 1000 * 512}, {6, 6008 * 512, 1000 * 512}};
    EXPECT_EQ(read_partitions(disk()).value(), expected);
}

TEST_F(PartitionTable, Gpt) {
    gpt({{2048, 4095}, {4096, 19'000}});
    const std::vector<Partition> expected = {
        {1, 2048 * 512, 2048 * 512}, {2, 4096 * 512, 14'905 * 512}};
    EXPECT_EQ(read_partitions(disk()).value(), expected);
}

TEST_F(PartitionTable, NoneAtAll) {
    put(0, 510, 0, 2);
    EXPECT_EQ(refusal(), "it has no partition table (neither MBR nor GPT)");
    EXPECT_EQ(
        read_partitions({100, {}}).error().message,
        "the partition table should be in sector 0, past its end"
    );
}

TEST_F(PartitionTable, APartitionPastTheEndIsRefused) {
    entry(0, 0, 0x0C, 8192, 20'000);
    EXPECT_EQ(
        refusal(),
        "partition 1 ends at sector 28192, and the image has 20000: it is cut short, or no disk "
        "image"
    );
    entry(0, 0, 0x0C, 0xFFFFFFFF, 0xFFFFFFFF);
    EXPECT_NE(refusal().find("partition 1 ends at sector 8589934590"), std::string::npos);
}

TEST_F(PartitionTable, NoSizeAndTheTableItselfAreRefused) {
    entry(0, 1, 0x83, 8192, 0);
    EXPECT_EQ(refusal(), "partition 2 has no size");
    entry(0, 1, 0x83, 0, 10);
    EXPECT_EQ(refusal(), "partition 2 begins at the table itself");
}

TEST_F(PartitionTable, PartitionsOverEachOtherAreRefused) {
    entry(0, 0, 0x0C, 8192, 4097);
    entry(0, 1, 0x83, 12288, 4096);
    EXPECT_EQ(refusal(), "partitions 1 and 2 lie over each other");
}

TEST_F(PartitionTable, AChainThatTurnsBackIsRefused) {
    entry(0, 0, 0x05, 4000, 8000);
    entry(4000, 0, 0x83, 8, 10);
    entry(4000, 1, 0x05, 100, 100);
    entry(4100, 1, 0x05, 100, 100);  // itself
    EXPECT_EQ(refusal(), "its chain of extended partitions turns back");
    entry(4100, 1, 0x05, 18'000, 100);
    EXPECT_EQ(refusal(), "an extended partition table should be in sector 22000, past its end");
    entry(4100, 1, 0x05, 5000, 100);
    EXPECT_EQ(refusal(), "sector 9000 is no extended partition table");
    entry(0, 1, 0x0F, 4000, 8000);
    EXPECT_EQ(refusal(), "it has two extended partitions");
}

TEST_F(PartitionTable, AnEndlessChainForwardsEnds) {
    entry(0, 0, 0x05, 1, 8000);
    for (std::uint64_t at = 1; at < 1000; ++at) entry(at, 1, 0x05, at, 1);
    EXPECT_EQ(refusal(), "it has more than 256 partitions");
}

TEST_F(PartitionTable, AGptThatLiesIsRefused) {
    gpt({{2048, 30'000}});
    EXPECT_NE(refusal().find("partition 1 spans the sectors 2048 to 30000"), std::string::npos);
    gpt({{2048, 2000}});
    EXPECT_NE(refusal().find("partition 1 spans the sectors 2048 to 2000"), std::string::npos);
    gpt({{2048, 3000}});
    put(2, 40, 3001, 8);
    EXPECT_EQ(refusal(), "its GPT's entries are damaged (their sum is wrong)");
    put(1, 72, 3, 8);
    EXPECT_EQ(refusal(), "its GPT's header is damaged (its sum is wrong)");
    put(1, 16, 0, 4);
    put(1, 80, 0xFFFFFFFF, 4);
    put(1, 16, crc(sector_of(1).substr(0, 92)), 4);
    EXPECT_EQ(refusal(), "its GPT has 4294967295 entries of 128 bytes");
    sector_of(1)[0] = 'X';
    EXPECT_EQ(refusal(), "its GPT has no header in sector 1");
}

TEST_F(PartitionTable, FilesystemsAreKnownByTheirContent) {
    put(8192, 510, 0xAA55, 2);
    sector_of(8192).replace(82, 8, "FAT32   ");
    put(9002, 56, 0xEF53, 2);
    EXPECT_EQ(filesystem_of(disk(), {1, 8192 * 512, 4096 * 512}).value(), Filesystem::fat);
    EXPECT_EQ(filesystem_of(disk(), {1, 9000 * 512, 4096 * 512}).value(), Filesystem::ext);
    EXPECT_EQ(filesystem_of(disk(), {1, 100 * 512, 4096 * 512}).value(), Filesystem::unknown);
    EXPECT_EQ(filesystem_of(disk(), {1, 9000 * 512, 512}).value(), Filesystem::unknown);
    sector_of(9100).replace(0, 4, "hsqs");
    EXPECT_EQ(filesystem_of(disk(), {1, 9100 * 512, 4096 * 512}).value(), Filesystem::squashfs);
    put(9202, 0, 0xE0F5E1E2, 4);
    EXPECT_EQ(filesystem_of(disk(), {1, 9200 * 512, 4096 * 512}).value(), Filesystem::erofs);
}

}  // namespace
}  // namespace bramble::image
