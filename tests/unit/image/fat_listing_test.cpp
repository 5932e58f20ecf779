// FAT filesystems as they are, and as an attacker has them (attack classes, B1): what mcopy would
// follow without an end.
#include "provisioning/image/fat_listing.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fat_image.hpp"

namespace bramble::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr unsigned directory = 0x10;
constexpr unsigned label = 0x08;

class FatListing : public testing::TestWithParam<unsigned> {
protected:
    FatListing() : image(GetParam()) {}

    std::vector<FatEntry> listed() {
        const auto listing = list_fat(image.disk(), image.partition());
        EXPECT_TRUE(listing) << listing.error().message;
        return listing.value_or(std::vector<FatEntry>());
    }

    std::string refused() {
        const auto listing = list_fat(image.disk(), image.partition());
        return listing ? "it was listed" : listing.error().message;
    }

    static std::string damaged(std::string_view what) {
        return fmt::format(
            "its FAT partition is hostile or damaged: {}: fetch the image again, or repair it with "
            "fsck.vfat",
            what
        );
    }

    // OVERLAYS/ in cluster 10, and ONE.DTB of 700 bytes in it, in clusters 12 and 11.
    void put_a_directory() {
        image.entry(image.top(), "OVERLAYS   ", directory, 10, 0);
        image.chain({10});
        image.entry(image.cluster_at(10), ".          ", directory, 10, 0);
        image.entry(image.cluster_at(10) + 32, "..         ", directory, 0, 0);
        image.entry(image.cluster_at(10) + 64, "ONE     DTB", 0x20, 12, 700);
        image.chain({12, 11});
    }

    FatImage image;
};

INSTANTIATE_TEST_SUITE_P(Kinds, FatListing, testing::Values(12U, 16U, 32U), [](const auto& one) {
    return fmt::format("Fat{}", one.param);
});

TEST_P(FatListing, AnEmptyPartitionHasNoEntries) {
    EXPECT_THAT(listed(), IsEmpty());
    image.entry(image.top(), "BOOTFS     ", label, 0, 0);
    EXPECT_THAT(listed(), IsEmpty());
}

TEST_P(FatListing, DirectoriesComeBeforeWhatIsInThem) {
    put_a_directory();
    image.entry(image.top() + 32, "\xe5OLD    BIN", 0x20, 12, 700);  // deleted: it has nothing
    image.entry(image.top() + 64, "EMPTY   BIN", 0x20, 0, 0);
    EXPECT_THAT(
        listed(),
        ElementsAre(
            FatEntry{"OVERLAYS", true, 0},
            FatEntry{"OVERLAYS/ONE.DTB", false, 700},
            FatEntry{"EMPTY.BIN", false, 0}
        )
    );
}

TEST_P(FatListing, WhatIsBehindTheEndOfADirectoryIsNotThere) {
    image.entry(image.top() + 32, "BEHIND  BIN", 0x20, 9999, 700);
    EXPECT_THAT(listed(), IsEmpty());
}

TEST_P(FatListing, ADirectoryGoesOnInItsNextCluster) {
    put_a_directory();
    image.chain({10, 20});
    for (std::uint64_t at = 96; at < 512; at += 32) {
        image.entry(image.cluster_at(10) + at, "\xe5           ", 0, 0, 0);
    }
    image.entry(image.cluster_at(20), "TWO     DTB", 0x20, 21, 512);
    image.chain({21});
    EXPECT_EQ(listed().back(), (FatEntry{"OVERLAYS/TWO.DTB", false, 512}));
}

TEST_P(FatListing, ADirectoryThatLeadsBackIsRefused) {
    put_a_directory();
    image.entry(image.cluster_at(10) + 96, "AGAIN      ", directory, 10, 0);
    EXPECT_EQ(refused(), damaged("cluster 10 of 'OVERLAYS/AGAIN' is another's already"));
}

TEST_P(FatListing, ADirectoryThatIsTheTopIsRefused) {
    const std::uint64_t top = GetParam() == 32 ? 2 : 0;
    image.entry(image.top(), "TOP        ", directory, top, 0);
    EXPECT_EQ(
        refused(),
        damaged(
            top == 2 ? "cluster 2 of 'TOP' is another's already"
                     : fmt::format(
                           "'TOP' lies in cluster 0, and there are 2 to {}", image.clusters() + 1
                       )
        )
    );
}

TEST_P(FatListing, AChainThatTurnsBackIsRefused) {
    put_a_directory();
    image.fat(10, 10);
    EXPECT_EQ(refused(), damaged("cluster 10 of 'OVERLAYS' is another's already"));
    image.chain({10});
    image.fat(11, 12);
    image.entry(image.cluster_at(10) + 64, "ONE     DTB", 0x20, 12, 0xFFFFFFFF);
    EXPECT_EQ(refused(), damaged("cluster 12 of 'OVERLAYS/ONE.DTB' is another's already"));
}

// A dozen of such entries is what a bomb is made of.
TEST_P(FatListing, ClustersThatTwoFilesHaveAreRefused) {
    put_a_directory();
    image.entry(image.top() + 32, "TWO     DTB", 0x20, 11, 512);
    EXPECT_EQ(refused(), damaged("cluster 11 of 'TWO.DTB' is another's already"));
}

TEST_P(FatListing, ClustersThatThereAreNotAreRefused) {
    const auto outside = [&](std::uint64_t cluster) {
        return damaged(fmt::format(
            "'OVERLAYS/ONE.DTB' lies in cluster {}, and there are 2 to {}",
            cluster,
            image.clusters() + 1
        ));
    };
    put_a_directory();
    const std::uint64_t bad = image.last() - 8;  // as a disk's bad clusters are marked
    for (const std::uint64_t cluster :
         {std::uint64_t(0), std::uint64_t(1), image.clusters() + 2, bad}) {
        image.fat(12, cluster);
        EXPECT_EQ(refused(), outside(cluster));
    }
    image.fat(12, image.clusters() + 1);
    EXPECT_EQ(listed().size(), 2U);
}

TEST_P(FatListing, AFileThatEndsBeforeItsSizeIsRefused) {
    put_a_directory();
    image.entry(image.cluster_at(10) + 64, "ONE     DTB", 0x20, 12, 1025);
    EXPECT_EQ(refused(), damaged("'OVERLAYS/ONE.DTB' ends before its 1025 bytes do"));
    image.entry(image.cluster_at(10) + 64, "ONE     DTB", 0x20, 12, 1024);
    EXPECT_EQ(listed().size(), 2U);
}

TEST_P(FatListing, NamesThatLeadOutAreRefused) {
    image.entry(image.top(), "../../EVIL ", 0x20, 0, 0);
    EXPECT_EQ(refused(), damaged("'../../EV.IL' is no name of a file"));
    image.entry(image.top(), "A\nB        ", 0x20, 0, 0);
    EXPECT_EQ(refused(), damaged("'A\\x0aB' is no name of a file"));
}

TEST_P(FatListing, DirectoriesAreNestedAsDeepAsBootFilesMayBe) {
    const auto nest = [&](int depth) {
        std::uint64_t at = image.top();
        for (int i = 0; i < depth; ++i) {
            const auto cluster = static_cast<std::uint64_t>(30 + i);
            image.entry(at, "D          ", directory, cluster, 0);
            image.chain({cluster});
            at = image.cluster_at(cluster);
        }
    };
    nest(fat_depth_max);
    EXPECT_EQ(listed().size(), static_cast<std::size_t>(fat_depth_max));
    nest(fat_depth_max + 1);
    EXPECT_THAT(refused(), HasSubstr("D/D' is nested over 16 directories deep"));
}

TEST_P(FatListing, BootSectorsThatLieAreRefused) {
    const auto refused_with = [&](std::uint64_t at, std::uint64_t value, std::size_t count) {
        const std::string before = image.bytes();
        image.put(at, value, count);
        const std::string said = refused();
        image.bytes() = before;
        return said;
    };
    const std::string sizes = "its boot sector has sectors of {} bytes, {} to a cluster";
    EXPECT_EQ(refused_with(11, 0, 2), damaged(fmt::format(fmt::runtime(sizes), 0, 1)));
    EXPECT_EQ(refused_with(11, 520, 2), damaged(fmt::format(fmt::runtime(sizes), 520, 1)));
    EXPECT_EQ(refused_with(13, 0, 1), damaged(fmt::format(fmt::runtime(sizes), 512, 0)));
    EXPECT_EQ(refused_with(13, 3, 1), damaged(fmt::format(fmt::runtime(sizes), 512, 3)));
    EXPECT_EQ(refused_with(32, image.sectors() + 1, 4), damaged("it is larger than its partition"));
    EXPECT_EQ(refused_with(21, 0, 1), damaged("its boot sector has the media byte 0x00"));
    EXPECT_EQ(refused_with(21, 0xF7, 1), damaged("its boot sector has the media byte 0xF7"));
    EXPECT_EQ(refused_with(16, 0, 1), damaged("its boot sector leaves no room for files"));
    EXPECT_EQ(refused_with(14, 0, 2), damaged("its boot sector leaves no room for files"));
    if (GetParam() == 32) {
        EXPECT_EQ(refused_with(17, 16, 2), damaged("its top directory has 512 bytes"));
        EXPECT_EQ(refused_with(36, 1, 4), damaged("its FAT is too small for its clusters"));
        EXPECT_EQ(refused_with(40, 1, 2), damaged("its first FAT is not in use"));
    } else {
        EXPECT_EQ(refused_with(14, 65535, 2), damaged("its boot sector leaves no room for files"));
        EXPECT_EQ(refused_with(17, 15, 2), damaged("its top directory has 480 bytes"));
        EXPECT_EQ(refused_with(17, 0, 2), damaged("its top directory has 0 bytes"));
    }
}

// Linux goes by the boot sector, mtools by the number of clusters.
TEST(FatListingKinds, AKindThatTheNumberOfClustersDoesNotHaveIsRefused) {
    FatImage image(32);
    image.put(32, image.sectors() - 1000, 4);
    const auto listing = list_fat(image.disk(), image.partition());
    ASSERT_FALSE(listing);
    EXPECT_EQ(
        listing.error().message,
        "its FAT partition has 65000 clusters, which is FAT16, and its boot sector says FAT32: "
        "make "
        "it anew with mkfs.vfat -F 16"
    );
}

TEST(FatListingLimits, ADirectoryOfMoreEntriesThanLinuxReadsIsRefused) {
    FatImage image(16);
    image.entry(image.top(), "LARGE      ", directory, 100, 0);
    for (std::uint64_t cluster = 100; cluster < 4300; ++cluster) {
        image.fat(cluster, cluster + 1);
        for (std::uint64_t at = 0; at < 512; at += 32) {
            image.entry(image.cluster_at(cluster) + at, "\xe5           ", 0, 0, 0);
        }
    }
    const auto listing = list_fat(image.disk(), image.partition());
    ASSERT_FALSE(listing);
    EXPECT_THAT(listing.error().message, HasSubstr("the directory 'LARGE' is over 2 MiB large"));
}

TEST(FatListingLimits, MoreFilesThanABoardCouldBeServedAreRefused) {
    FatImage image(16);
    image.entry(image.top(), "MANY       ", directory, 100, 0);
    std::size_t count = 1;
    const auto fill = [&](std::uint64_t cluster) {
        for (std::uint64_t at = 0; at < 512; at += 32, ++count) {
            image.entry(image.cluster_at(cluster) + at, fmt::format("{:011}", count), 0x20, 0, 0);
        }
    };
    std::uint64_t cluster = 100;
    for (; count + 16 <= fat_entries_max; ++cluster) {
        fill(cluster);
        image.fat(cluster, cluster + 1);
    }
    image.fat(cluster - 1, image.last());
    EXPECT_TRUE(list_fat(image.disk(), image.partition()));
    image.fat(cluster - 1, cluster);
    fill(cluster);
    image.fat(cluster, image.last());
    const auto listing = list_fat(image.disk(), image.partition());
    ASSERT_FALSE(listing);
    EXPECT_EQ(
        listing.error().message,
        "its FAT partition holds more than 10000 files: is it a boot partition? Pack what is meant "
        "into a tar archive with boot/ and root/"
    );
}

TEST(FatListingLimits, AnImageThatIsCutShortSaysSo) {
    FatImage image(32);
    const Disk cut{image.disk().size, [](std::uint64_t, std::size_t) {
                       return Result<std::string>(fail("it ends early: it is cut short"));
                   }};
    const auto listing = list_fat(cut, image.partition());
    ASSERT_FALSE(listing);
    EXPECT_EQ(listing.error().message, "it ends early: it is cut short");
}

}  // namespace
}  // namespace bramble::image
