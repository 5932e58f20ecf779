// Boards that share one root: what they are told, what makes each itself, and that no moment at
// which a run is killed costs anybody anything.
#include "machine.hpp"
#include "provisioning/apply/collect.hpp"
#include "provisioning/boot/shared_root.hpp"
#include "provisioning/root/cpio.hpp"

namespace bramble::apply {
namespace {

using host::MemoryHost;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

fleet::Fleet shared_fleet() {
    fleet::Fleet fleet = small_fleet();
    fleet.profiles.front().root.mode = fleet::RootMode::shared;
    return fleet;
}

class Shared : public Apply {
protected:
    Shared() {
        furnish_shared(machine);
        fleet = shared_fleet();
    }

    // What the board unpacks over the shared root, by path.
    std::map<std::string, root::CpioEntry> identity_of(const char* board) {
        const auto manifest = current();
        const auto file = manifest.find_board(board)->files.at(std::string(boot::shared_identity));
        const auto& object = std::get<layout::ObjectFile>(file);
        std::map<std::string, root::CpioEntry> entries;
        const std::string archive = machine.text_at(paths.object(object.digest));
        const std::vector<root::CpioEntry> all = root::read_cpio(archive).value();
        for (const root::CpioEntry& entry : all) {
            entries[entry.path] = entry;
        }
        return entries;
    }

    std::string text_of(const char* board, const char* path) {
        const auto manifest = current();
        return std::get<layout::TextFile>(manifest.find_board(board)->files.at(path)).text;
    }
};

TEST_F(Shared, BoardsMountOneRootThatNobodyCanWrite) {
    const auto done = apply();
    ASSERT_TRUE(done) << done.error().message;
    const auto manifest = current();
    const layout::Export root = *manifest.find_board("pi-01")->root;
    EXPECT_EQ(root, *manifest.find_board("pi-02")->root);
    EXPECT_TRUE(root.read_only);
    EXPECT_EQ(root.path.parent_path(), paths.roots());
    EXPECT_EQ(machine.text_at(root.path / "etc/hostname"), "raspberrypi\n");
    const std::string exports = machine.text_at(paths.nfs() / "ganesha.conf");
    EXPECT_THAT(exports, HasSubstr("Path = \"" + root.path.string() + "\""));
    EXPECT_THAT(exports, HasSubstr("Clients = 172.16.1.0/24; Access_Type = RO;"));
    EXPECT_THAT(exports, Not(HasSubstr("RW")));
}

TEST_F(Shared, EachHasItsOwnNameKeysAndAddressToFetchThemFrom) {
    ASSERT_TRUE(apply());
    auto one = identity_of("pi-01");
    auto two = identity_of("pi-02");
    EXPECT_EQ(one["etc/hostname"].content, "pi-01\n");
    EXPECT_EQ(two["etc/hostname"].content, "pi-02\n");
    EXPECT_NE(one["etc/machine-id"].content, two["etc/machine-id"].content);
    EXPECT_NE(
        one["etc/ssh/ssh_host_ed25519_key"].content, two["etc/ssh/ssh_host_ed25519_key"].content
    );
    EXPECT_EQ(one["etc/ssh/ssh_host_rsa_key"].kind, root::CpioEntry::Kind::character_device);
    EXPECT_THAT(
        text_of("pi-01", "cmdline.txt"),
        HasSubstr(" bramble.shared=tftp://172.16.1.1/5b154511/bramble-identity.cpio.gz ro ip=dhcp")
    );
    EXPECT_THAT(
        text_of("pi-01", "config.txt"), HasSubstr("\ninitramfs bramble-initramfs.gz followkernel\n")
    );
    EXPECT_TRUE(current().trees.at("lab").contains("bramble-initramfs.gz"));
}

TEST_F(Shared, NobodyElseOnThisMachineReadsTheKeys) {
    ASSERT_TRUE(apply());
    const auto manifest = current();
    const auto& entry = *manifest.find_board("pi-01");
    const auto& object =
        std::get<layout::ObjectFile>(entry.files.at(std::string(boot::shared_identity)));
    EXPECT_EQ(machine.status(paths.object(object.digest)).value()->mode, 0440U);
}

TEST_F(Shared, ASecondApplyDoesNothingAndOneBoardsChangeIsItsOwn) {
    ASSERT_TRUE(apply());
    const auto again = apply();
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->changed);
    EXPECT_THAT(events, IsEmpty());
    fleet.boards[1].address = Ipv4Address::parse("172.16.1.99").value();
    ASSERT_TRUE(apply());
    std::vector<std::string> started;
    for (const std::string& event : events) {
        if (event.find("pack identity") != std::string::npos && event.find(':') < event.size()) {
            started.push_back(event.substr(event.find("pack"), event.find(':') - event.find("pack"))
            );
            break;
        }
    }
    EXPECT_THAT(started, ElementsAre("pack identity pi-02"));
    EXPECT_EQ(identity_of("pi-01")["etc/hostname"].content, "pi-01\n");
}

TEST_F(Shared, WithoutABusyboxTheImageIsToldWhatItLacks) {
    machine.put_file("/src/root/bin/busybox", "#!/bin/sh\n", 0755);
    const auto done = apply();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("make initramfs lite: "));
    EXPECT_THAT(done.error().message, HasSubstr("add the package busybox-static to the image"));
}

TEST_F(Shared, AnInitramfsOfTheFleetFileContradictsIt) {
    fleet.profiles.front().config_txt = {{"initramfs", "mine.gz followkernel"}};
    const auto done = apply();
    ASSERT_FALSE(done);
    EXPECT_THAT(
        done.error().message,
        HasSubstr(
            "config.txt entry 'initramfs mine.gz followkernel' contradicts the initramfs that "
            "a shared root is started with; take it out"
        )
    );
}

TEST_F(Shared, ACollectionEndsTheExportOfARootThatIsSharedNoMore) {
    ASSERT_TRUE(apply());
    const host::Path shared = current().find_board("pi-01")->root->path;
    fleet.profiles.front().root.mode = fleet::RootMode::per_board;
    ASSERT_TRUE(apply());
    const host::Path exports = paths.nfs() / "ganesha.conf";
    // A board may still run from it.
    EXPECT_THAT(machine.text_at(exports), HasSubstr("\"" + shared.string() + "\""));
    CollectOptions options;
    options.keep = 1;
    options.uses = [] { return Result<std::map<std::uint64_t, plan::GenerationUse>>(); };
    const auto gone = collect(fleet, options, machine);
    ASSERT_TRUE(gone) << gone.error().message;
    EXPECT_THAT(gone->gone.shared_roots, ElementsAre(shared.filename().string()));
    EXPECT_THAT(machine.text_at(exports), Not(HasSubstr("\"" + shared.string() + "\"")));
    EXPECT_TRUE(machine.status(shared).value());  // the boards' roots are copies of it
}

// Two images of one source are one base, whose steps bear one image's name.
TEST_F(Shared, WhoeverSharesABaseThatCannotBeStartedKeepsWhatItHas) {
    fleet::Image image = fleet.images[0];
    image.name = "again";
    fleet.images.push_back(image);
    fleet::Profile profile = fleet.profiles[0];
    profile.name = "second";
    profile.image = "again";
    fleet.profiles.push_back(profile);
    fleet.boards[1].profile = "second";
    machine.put_file("/src/root/bin/busybox", "#!/bin/sh\n", 0755);
    Options options;
    options.keep_going = true;
    const auto outcome = run(fleet, options, machine);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_THAT(outcome->held, ElementsAre("pi-01", "pi-02"));
    EXPECT_FALSE(outcome->changed);
}

// On btrfs servers export a base only where it is a mount.
TEST_F(Shared, OnBtrfsTheRootIsAMountAndItsExportEndsBeforeIt) {
    put_on(machine, Ground::snapshots);
    const auto done = apply();
    ASSERT_TRUE(done) << done.error().message;
    const host::Path shared = current().find_board("pi-01")->root->path;
    EXPECT_THAT(
        machine.mounts_below(paths.store()).value(),
        ElementsAre(paths.boards(), paths.roots(), shared)
    );
    EXPECT_THAT(
        machine.text_at(paths.nfs() / "ganesha.conf"), HasSubstr("\"" + shared.string() + "\"")
    );
    machine.put_file("/src/root/etc/issue", "another base\n");
    ASSERT_TRUE(apply());
    const host::Path next = current().find_board("pi-01")->root->path;
    CollectOptions options;
    options.keep = 1;
    options.uses = [] { return Result<std::map<std::uint64_t, plan::GenerationUse>>(); };
    const auto gone = collect(fleet, options, machine);
    ASSERT_TRUE(gone) << gone.error().message;
    EXPECT_FALSE(machine.exists(shared));
    EXPECT_THAT(
        machine.mounts_below(paths.store()).value(),
        ElementsAre(paths.boards(), paths.roots(), next)
    );
}

class SharedFault : public testing::TestWithParam<Ground> {};

INSTANTIATE_TEST_SUITE_P(
    Grounds,
    SharedFault,
    testing::Values(Ground::copies, Ground::snapshots),
    [](const auto& instance) {
        return instance.param == Ground::copies ? "Directories" : "Subvolumes";
    }
);

TEST_P(SharedFault, KilledAnywhereTheNextApplyFinishes) {
    const layout::StorePaths paths("/var/lib/bramble");
    const fleet::Fleet fleet = shared_fleet();
    constexpr std::size_t calls_max = 5000;
    for (std::size_t n = 0; n < calls_max; ++n) {
        SCOPED_TRACE(n);
        MemoryHost machine;
        furnish_shared(machine);
        put_on(machine, GetParam());
        machine.fail_call(n, MemoryHost::Fault::power_cut);
        const auto cut = run(fleet, {}, machine);
        const bool reached = machine.calls() > n;
        machine.restart();
        const store::Store store(machine, paths);
        const auto before = store.current();
        ASSERT_TRUE(before);
        if (*before) {
            EXPECT_THAT(store.missing(**before).value(), IsEmpty());
        }
        const auto finished = run(fleet, {}, machine);
        ASSERT_TRUE(finished) << finished.error().message;
        const auto after = store.current();
        ASSERT_TRUE(after && *after);
        EXPECT_THAT(store.missing(**after).value(), IsEmpty());
        const host::Path root = (*after)->find_board("pi-01")->root->path;
        const std::size_t mounts = GetParam() == Ground::snapshots ? 1 : 0;
        EXPECT_EQ(machine.mounts_below(root).value().size(), mounts);
        EXPECT_FALSE(run(fleet, {}, machine)->changed);
        if (!reached) {
            EXPECT_TRUE(cut);
            return;
        }
    }
    FAIL() << "an apply of two boards needs more than " << calls_max << " calls";
}

}  // namespace
}  // namespace bramble::apply
