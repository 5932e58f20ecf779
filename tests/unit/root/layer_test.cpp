// What a board adds to a base that it shares: read back from the archive, with the base untouched.
#include "provisioning/root/layer.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "provisioning/host/memory_host.hpp"

namespace bramble::root {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = CpioEntry::Kind;

const host::Path base = "/store/roots/base";

class LayerTest : public testing::Test {
protected:
    LayerTest() {
        host_.put_file(base / "etc/hostname", "image\n");
        host_.put_file(base / "etc/ssh/ssh_host_rsa_key", "the image's");
        host_.put_file(base / "etc/ssh/sshd_config", "Port 22\n");
    }

    std::vector<CpioEntry> packed() {
        const auto archive = layer_.pack();
        EXPECT_TRUE(archive);
        return read_cpio(archive.value()).value();
    }

    std::vector<std::string> paths() {
        std::vector<std::string> all;
        for (const CpioEntry& entry : packed()) all.push_back(entry.path);
        return all;
    }

    host::MemoryHost host_;
    Layer layer_{host_, base};
};

TEST_F(LayerTest, HoldsWhatIsWrittenAndTheDirectoriesOnTheWay) {
    ASSERT_TRUE(layer_.write_file("etc/ssh/key", "secret", 0600, {7, 8}));
    const auto all = packed();
    ASSERT_THAT(paths(), ElementsAre("etc", "etc/ssh", "etc/ssh/key"));
    EXPECT_EQ(all[0].kind, Kind::directory);
    EXPECT_EQ(all[2].content, "secret");
    EXPECT_EQ(all[2].mode, 0600U);
    EXPECT_EQ(all[2].uid, 7U);
    EXPECT_EQ(all[2].gid, 8U);
    EXPECT_EQ(layer_.read_file("etc/ssh/key").value(), "secret");
    EXPECT_FALSE(host_.status(base / "etc/ssh/key").value());
}

TEST_F(LayerTest, ADirectoryOnTheWayKeepsItsOwnerAndItsMode) {
    ASSERT_TRUE(host_.make_directories_in(base, "home/pi", 0710, {1000, 1001}, host::Sync::now));
    ASSERT_TRUE(layer_.write_file("home/pi/.bashrc", "PS1=1\n", 0644, {1000, 1000}));
    const auto all = packed();
    ASSERT_THAT(paths(), ElementsAre("home", "home/pi", "home/pi/.bashrc"));
    EXPECT_EQ(all[1].mode, 0710U);
    EXPECT_EQ(all[1].uid, 1000U);
    EXPECT_EQ(all[1].gid, 1001U);
}

TEST_F(LayerTest, WhatIsRemovedIsAWhiteoutAndNoLongerListed) {
    ASSERT_TRUE(layer_.remove("etc/ssh/ssh_host_rsa_key"));
    EXPECT_FALSE(layer_.status("etc/ssh/ssh_host_rsa_key").value());
    const auto left = layer_.list("etc/ssh");
    ASSERT_TRUE(left);
    ASSERT_EQ(left->size(), 1U);
    EXPECT_EQ(left->front().name, "sshd_config");
    const auto all = packed();
    EXPECT_EQ(all.back().kind, Kind::character_device);
    EXPECT_EQ(all.back().major, 0U);
    EXPECT_EQ(all.back().minor, 0U);
}

TEST_F(LayerTest, WhatWasNeverInTheBaseLeavesNoWhiteout) {
    ASSERT_TRUE(layer_.write_file("etc/new", "", 0644, {}));
    ASSERT_TRUE(layer_.remove("etc/new"));
    ASSERT_TRUE(layer_.remove("etc/absent"));
    EXPECT_THAT(paths(), ElementsAre("etc"));
}

TEST_F(LayerTest, ListsTheBaseAndItsOwn) {
    ASSERT_TRUE(layer_.write_file("etc/ssh/extra", "", 0644, {}));
    ASSERT_TRUE(layer_.symlink("etc/ssh/link", "/dev/null"));
    std::vector<std::string> names;
    const auto entries = layer_.list("etc/ssh");
    ASSERT_TRUE(entries);
    for (const auto& entry : *entries) names.push_back(entry.name);
    EXPECT_THAT(names, ElementsAre("extra", "link", "ssh_host_rsa_key", "sshd_config"));
    EXPECT_EQ(layer_.status("etc/ssh/link").value()->kind, host::FileKind::symlink);
    EXPECT_FALSE(layer_.list("nowhere"));
}

TEST_F(LayerTest, AWayThroughALinkOfTheBaseIsRefused) {
    ASSERT_TRUE(host_.symlink_in(base, "home", "/usr/home", host::Sync::now));
    const auto done = layer_.write_file("home/pi/file", "", 0644, {});
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("leads through 'home'"));
    EXPECT_FALSE(layer_.write_file("../etc/passwd", "", 0644, {}));
}

TEST_F(LayerTest, TheSameCallsGiveTheSameBytes) {
    Layer other(host_, base);
    for (Layer* layer : {&layer_, &other}) {
        ASSERT_TRUE(layer->write_file("etc/hostname", "pi-01\n", 0644, {}));
        ASSERT_TRUE(layer->remove("etc/ssh/ssh_host_rsa_key"));
        host_.advance(std::chrono::hours(24));
    }
    EXPECT_EQ(layer_.pack().value(), other.pack().value());
}

}  // namespace
}  // namespace bramble::root
