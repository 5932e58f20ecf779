// The store's promises: written once, published by one rename, nothing half-made is ever seen.
#include "provisioning/store/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/host/memory_host.hpp"
#include "provisioning/store/image_record.hpp"

namespace bramble::store {
namespace {

using host::MemoryHost;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class StoreTest : public testing::Test {
protected:
    StoreTest() { machine.put_file("/src/start4.elf", "firmware"); }

    Changes begin() { return std::move(Changes::begin(machine, paths).value()); }

    MemoryHost machine;
    layout::StorePaths paths{"/var/lib/bramble"};
};

plan::ImageRecord lite() {
    plan::ImageRecord record;
    record.key = Digest::of("lite");
    record.files["start4.elf"] = layout::ObjectFile{Digest::of("firmware"), 8};
    record.files["overlays/README"] = layout::ObjectFile{Digest::of("x"), 1};
    record.has_root = true;
    record.kernel_release = "6.1.0-9-arm64";
    record.initramfs_mounts_nfs4 = true;
    record.config_txt = "arm_64bit=1\n";
    record.cmdline_txt = "console=tty1\n";
    boot::KernelFacts kernel;
    kernel.width = boot::KernelWidth::arm64;
    kernel.release = "6.1.0-9-arm64";
    kernel.configured = true;
    kernel.nfs_versions = {"3"};
    kernel.nfs_modules = {"3", "4.2"};
    record.facts["vmlinuz"].kernel = kernel;
    record.facts["usercfg.txt"].text = "# gr\x1a\nenable_uart=1\n";
    record.facts["initrd.img"].initramfs = boot::InitramfsFacts{"", {"init"}, {{"bin", "usr/bin"}}};
    record.made_by = "ingest image lite";
    record.took_ms = 95'000;
    record.root_bytes = 2'000'000'000;
    record.inputs = {{"its path", "/a.img"}};
    return record;
}

TEST_F(StoreTest, AnObjectIsNamedByItsSumWrittenOnceAndReadOnly) {
    Changes changes = begin();
    const auto object = changes.add_object("/src/start4.elf");
    ASSERT_TRUE(object);
    EXPECT_EQ(*object, (layout::ObjectFile{Digest::of("firmware"), 8}));
    const auto path = paths.object(object->digest);
    EXPECT_EQ(machine.text_at(path), "firmware");
    EXPECT_EQ(machine.status(path).value()->mode, 0444U);
    machine.advance(std::chrono::seconds(60));
    const auto before = machine.status(path).value()->modified_ns;
    ASSERT_TRUE(changes.add_object("/src/start4.elf"));
    EXPECT_EQ(machine.status(path).value()->modified_ns, before);
}

// A root holds set-uid programs and device nodes that nobody here vouches for.
TEST_F(StoreTest, LocalUsersDoNotReachRoots) {
    const Changes changes = begin();
    EXPECT_EQ(machine.status(paths.roots()).value()->mode, 0700U);
    EXPECT_EQ(machine.status(paths.boards()).value()->mode, 0700U);
    EXPECT_EQ(machine.status(paths.staging()).value()->mode, 0700U);
    EXPECT_EQ(machine.status(paths.generations()).value()->mode, 0755U);
}

TEST_F(StoreTest, AMissingSourceIsAnError) {
    Changes changes = begin();
    EXPECT_FALSE(changes.add_object("/src/none"));
}

TEST_F(StoreTest, OneChangeAtATime) {
    const Changes changes = begin();
    const auto second = Changes::begin(machine, paths);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("is locked"));
}

TEST_F(StoreTest, WhatAKilledRunLeftIsRemoved) {
    machine.put_file("/var/lib/bramble/tmp/half/made", "x");
    machine.put_file("/var/lib/bramble/boards/pi-01/.root-in-the-making/etc/hostname", "x");
    const Changes changes = begin();
    EXPECT_FALSE(machine.exists("/var/lib/bramble/tmp/half"));
    EXPECT_FALSE(machine.exists("/var/lib/bramble/boards/pi-01/.root-in-the-making"));
}

TEST_F(StoreTest, AnImageRecordIsReadAsWrittenAndCountsOnlyWithItsRootAndItsObjects) {
    Changes changes = begin();
    ASSERT_TRUE(changes.record_image(lite()));
    EXPECT_THAT(changes.store().images().value(), IsEmpty());
    machine.put_file(paths.root(plan::root_name(lite().key)) / "etc/os-release", "x");
    EXPECT_THAT(changes.store().images().value(), IsEmpty());
    machine.put_file(paths.object(Digest::of("x")), "x");
    machine.put_file(paths.object(Digest::of("firmware")), "firm");
    EXPECT_THAT(changes.store().images().value(), IsEmpty());
    ASSERT_TRUE(changes.add_object("firmware", Readers::everyone));  // one that was cut short
    EXPECT_THAT(changes.store().images().value(), ElementsAre(lite()));
    machine.put_file(paths.images() / "broken.json", "{\"format\": 1");
    EXPECT_THAT(changes.store().images().value(), SizeIs(1));
}

// One image must not take the others with it.
TEST_F(StoreTest, AnImageRecordThatIsTooLongIsNotWrittenAndCountsAsAbsent) {
    Changes changes = begin();
    plan::ImageRecord record = lite();
    record.has_root = false;
    record.files.clear();
    ASSERT_TRUE(changes.record_image(record));
    plan::ImageRecord other = record;
    other.key = Digest::of("hostile");
    other.cmdline_txt.assign(image_record_bytes_max, 'x');
    const auto written = changes.record_image(other);
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().message, HasSubstr("at most 67108864"));
    machine.put_file(paths.image(other.key), other.cmdline_txt + "x");
    EXPECT_THAT(changes.store().images().value(), ElementsAre(record));
    const auto there = changes.store().inventory();
    ASSERT_TRUE(there);
    EXPECT_THAT(there->images, ElementsAre(record));
    EXPECT_THAT(there->unreadable_images, ElementsAre(other.key.to_string() + ".json"));
}

// Of an older version's record less is known; the image is not made anew for that.
TEST(ImageRecord, OlderOnesCountWithoutWhatTheyDoNotHave) {
    std::string written = write_image_record(lite());
    const auto take_out = [&](std::string_view from, std::string_view to) {
        const std::size_t begin = written.find(from);
        const std::size_t end = written.find(to, begin);
        ASSERT_NE(end, written.npos) << from;
        written.erase(begin, end - begin);
    };
    take_out("\"inputs\"", "\"files\"");
    plan::ImageRecord expected = lite();
    expected.inputs.clear();
    EXPECT_EQ(parse_image_record(written), expected);
    take_out("\"made_by\"", "\"files\"");
    expected.made_by.clear();
    expected.took_ms = 0;
    expected.root_bytes = 0;
    EXPECT_EQ(parse_image_record(written), expected);
}

TEST(ImageRecord, AnythingElseIsNoRecord) {
    const std::string written = write_image_record(lite());
    EXPECT_EQ(parse_image_record(written), lite());
    for (std::size_t length = 0; length + 2 < written.size(); ++length) {
        EXPECT_EQ(parse_image_record(written.substr(0, length)), std::nullopt) << length;
    }
    std::string escaping = written;
    escaping.replace(escaping.find("overlays/README"), 15, "../../../shadow");
    EXPECT_EQ(parse_image_record(escaping), std::nullopt);
}

TEST_F(StoreTest, ABoardsRootIsSeenWhenItIsWholeAndRemembersItsIdentity) {
    machine.put_file("/var/lib/bramble/roots/aa/etc/hostname", "base");
    Changes changes = begin();
    const auto staged = changes.stage_board_root("pi-01", "aa", {}, {});
    ASSERT_TRUE(staged);
    EXPECT_THAT(changes.store().board_roots("pi-01").value(), IsEmpty());
    ASSERT_TRUE(changes.adopt_board_root("pi-01", "aa", *staged));
    EXPECT_THAT(
        changes.store().board_roots("pi-01").value(),
        ElementsAre(plan::BoardRoot{"aa", std::nullopt})
    );
    ASSERT_TRUE(changes.record_identity("pi-01", "aa", Digest::of("id")));
    EXPECT_THAT(
        changes.store().board_roots("pi-01").value(),
        ElementsAre(plan::BoardRoot{"aa", Digest::of("id")})
    );
    EXPECT_EQ(machine.text_at(paths.board_root("pi-01", "aa") / "etc/hostname"), "base");
    ASSERT_TRUE(changes.point_board_root("pi-01", "aa"));
    EXPECT_EQ(machine.text_at(paths.board_root("pi-01") / "etc/hostname"), "base");
}

TEST_F(StoreTest, GenerationsCountUpAndCurrentIsTheLastOne) {
    Changes changes = begin();
    EXPECT_EQ(changes.store().current().value(), std::nullopt);
    layout::Manifest manifest;
    manifest.created = "2024-05-04T00:00:00Z";
    EXPECT_EQ(changes.publish(manifest).value(), 1U);
    manifest.trees["lab"] = {};
    EXPECT_EQ(changes.publish(manifest).value(), 2U);
    manifest.generation = 2;
    EXPECT_EQ(changes.store().current().value(), manifest);
    EXPECT_EQ(machine.read_link(paths.current()).value(), "generations/2");
    EXPECT_THAT(changes.store().generations().value(), ElementsAre(1, 2));
}

// Whatever call fails or wherever the power is cut: the old generation, or the new one.
TEST_F(StoreTest, PublishingFailsWholeOrNotAtAll) {
    for (const auto fault : {MemoryHost::Fault::once, MemoryHost::Fault::power_cut}) {
        for (std::size_t n = 0;; ++n) {
            MemoryHost fresh;
            layout::Manifest manifest;
            ASSERT_TRUE(Changes::begin(fresh, paths).value().publish(manifest));
            manifest.created = "second";
            fresh.fail_call(n, fault);
            auto changes = Changes::begin(fresh, paths);
            const bool done = changes && changes->publish(manifest).has_value();
            const bool reached = fresh.calls() > n;
            changes = fail("released");
            fresh.restart();
            const auto current = Store(fresh, paths).current().value();
            ASSERT_TRUE(current) << n;
            EXPECT_EQ(current->created, done ? "second" : "") << n;
            ASSERT_TRUE(Changes::begin(fresh, paths).value().publish(manifest)) << n;
            EXPECT_EQ(Store(fresh, paths).current().value()->created, "second") << n;
            if (!reached) break;
        }
    }
}

}  // namespace
}  // namespace bramble::store
