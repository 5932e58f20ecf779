// From a fleet to a published generation, and what a second run does.
#include "machine.hpp"

namespace bramble::apply {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(Apply, AFreshStoreGetsItsFirstGeneration) {
    const auto outcome = apply();
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->generation, 1U);
    EXPECT_TRUE(outcome->changed);
    EXPECT_THAT(outcome->warnings, IsEmpty());
    const layout::Manifest manifest = current();
    ASSERT_EQ(manifest.boards.size(), 2U);
    EXPECT_EQ(manifest.created, "2024-05-04T00:00:00Z");
    const auto* firmware = manifest.find_file(manifest.boards[0], "start4.elf");
    ASSERT_NE(firmware, nullptr);
    const auto& object = std::get<layout::ObjectFile>(*firmware);
    EXPECT_EQ(machine.text_at(paths.object(object.digest)), "bytes of start4.elf");
    EXPECT_EQ(object.size, 19U);
    EXPECT_EQ(manifest.boards[0].kernel_release, "6.1.0-v8");
}

TEST_F(Apply, EachBoardHasItsOwnRootWithItsIdentity) {
    ASSERT_TRUE(apply());
    EXPECT_EQ(root_of("pi-01", "etc/hostname"), "pi-01\n");
    EXPECT_EQ(root_of("pi-02", "etc/hostname"), "pi-02\n");
    EXPECT_EQ(root_of("pi-02", "usr/bin/true"), "ELF");
    EXPECT_NE(root_of("pi-01", "etc/machine-id"), root_of("pi-02", "etc/machine-id"));
    EXPECT_EQ(machine.text_at("/src/root/etc/hostname"), "raspberrypi\n");
    EXPECT_EQ(machine.text_at(paths.board_root("pi-01") / "etc/hostname"), "pi-01\n");
}

TEST_F(Apply, TellsItsStepsWithReasons) {
    ASSERT_TRUE(apply());
    EXPECT_THAT(events, Contains("[1/5] ingest image lite: not in the store"));
    EXPECT_THAT(events, Contains("[1/5]   copying /src/root"));
    EXPECT_THAT(events, Contains("[3/5] copy root pi-02: it has none"));
    EXPECT_THAT(events, Contains("[5/5] publish generation 1: the first one"));
}

TEST_F(Apply, ASecondRunDoesNothingAndSaysSo) {
    ASSERT_TRUE(apply());
    const auto before = machine.tree("/var/lib/bramble");
    machine.advance(std::chrono::hours(1));
    const auto outcome = apply();
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(outcome->changed);
    EXPECT_EQ(outcome->generation, 1U);
    EXPECT_THAT(events, IsEmpty());
    EXPECT_EQ(machine.tree("/var/lib/bramble"), before);
}

TEST_F(Apply, ABoardKeepsItsRootWhileTheBaseIsTheSame) {
    ASSERT_TRUE(apply());
    const auto root = current().find_board("pi-01")->root->path;
    machine.put_file(root / "home/notes", "the board's own");
    fleet.boards[0].cmdline = {"debug"};
    const auto outcome = apply();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->generation, 2U);
    EXPECT_EQ(current().find_board("pi-01")->root->path, root);
    EXPECT_EQ(root_of("pi-01", "home/notes"), "the board's own");
}

TEST_F(Apply, AnotherBaseIsAnotherTreeAndTheOldOneStaysForWhoRunsFromIt) {
    ASSERT_TRUE(apply());
    const auto before = current();
    const std::string machine_id = root_of("pi-01", "etc/machine-id");
    const std::string key = root_of("pi-01", "etc/ssh/ssh_host_ed25519_key");
    machine.advance(std::chrono::seconds(5));
    machine.put_file("/src/root/etc/motd", "second base");
    ASSERT_TRUE(apply());
    EXPECT_NE(current().find_board("pi-01")->root->path, before.find_board("pi-01")->root->path);
    EXPECT_EQ(root_of("pi-01", "etc/motd"), "second base");
    const auto old_root = before.find_board("pi-01")->root->path;
    EXPECT_EQ(machine.text_at(old_root / "etc/hostname"), "pi-01\n");
    // The board is the same: known_hosts of its users still fit.
    EXPECT_EQ(root_of("pi-01", "etc/machine-id"), machine_id);
    EXPECT_EQ(root_of("pi-01", "etc/ssh/ssh_host_ed25519_key"), key);
    const std::string exports = machine.text_at(paths.nfs() / "ganesha.conf");
    EXPECT_THAT(exports, HasSubstr(old_root.string()));
    EXPECT_THAT(exports, HasSubstr(current().find_board("pi-01")->root->path.string()));
}

// What the fleet file lists comes along, from the root that the board runs from now; its identity
// is written afterwards.
TEST_F(Apply, OfABoardsChangesTheListedPathsComeAlong) {
    ASSERT_TRUE(apply());
    const auto old_root = current().find_board("pi-01")->root->path;
    machine.put_file(old_root / "home/pi/notes", "the board's own");
    machine.put_file(old_root / "etc/motd", "the board's own");
    machine.advance(std::chrono::seconds(5));
    machine.put_file("/src/root/etc/motd", "second base");
    fleet.profiles[0].root.on_base_change = fleet::OnBaseChange::keep;
    fleet.profiles[0].root.keep = {"/home/pi"};
    Options options;
    options.carry_over = [](host::Host& host,
                            const host::Path& from,
                            const host::Path& to,
                            const host::Path& path,
                            const std::stop_token&) -> Result<bool> {
        const host::Path inner = path.relative_path();
        const auto there = host.status_in(from, inner);
        if (!there || !*there) return false;
        return host.make_directories_in(to, inner.parent_path(), 0755, {})
            .and_then([&] {
                return host.copy_tree(from / inner, to / inner, {}, host::Blocks::copied);
            })
            .map([] { return true; });
    };
    ASSERT_TRUE(run(fleet, options, machine));
    EXPECT_NE(current().find_board("pi-01")->root->path, old_root);
    EXPECT_EQ(root_of("pi-01", "home/pi/notes"), "the board's own");
    EXPECT_EQ(root_of("pi-01", "etc/motd"), "second base");
    EXPECT_EQ(root_of("pi-02", "home/pi/notes"), "<missing>");
    EXPECT_EQ(machine.text_at(old_root / "etc/motd"), "the board's own");  // until gc
}

TEST_F(Apply, ABoardThatIsGoneIsExportedNoMore) {
    ASSERT_TRUE(apply());
    fleet.boards.pop_back();
    ASSERT_TRUE(apply());
    EXPECT_EQ(current().boards.size(), 1U);
    const std::string exports = machine.text_at(paths.nfs() / "ganesha.conf");
    EXPECT_THAT(exports, HasSubstr("boards/pi-01/root."));
    EXPECT_THAT(exports, Not(HasSubstr("boards/pi-02/root.")));
}

TEST_F(Apply, ATouchedSourceWithTheSameContentChangesTheRootOnly) {
    ASSERT_TRUE(apply());
    machine.advance(std::chrono::seconds(5));
    machine.put_file("/src/boot/start4.elf", "bytes of start4.elf");
    const auto outcome = apply();
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->generation, 2U);
}

TEST_F(Apply, BootFilesOfAProfileAreAddedAndReplace) {
    machine.put_file("/lab/kernel8.img", "my kernel");
    fleet.profiles[0].boot_files["kernel8.img"] = "/lab/kernel8.img";
    ASSERT_TRUE(apply());
    const auto manifest = current();
    const auto* kernel = manifest.find_file(manifest.boards[0], "kernel8.img");
    EXPECT_EQ(std::get<layout::ObjectFile>(*kernel).digest, Digest::of("my kernel"));
    EXPECT_EQ(machine.text_at(paths.object(Digest::of("my kernel"))), "my kernel");
}

TEST_F(Apply, EveryProblemIsToldWithItsPlaceBeforeAnythingIsDone) {
    fleet.profiles[0].boot_files["x"] = "/lab/none";
    fleet.images[0].source = fleet::FileSource{"/src/none.tar", {}};
    const auto outcome = apply();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(
        outcome.error().message,
        "lab.yaml:3:1: image 'lite': there is no file '/src/none.tar'\n"
        "lab.yaml:5:1: profile 'lab': boot_files: x: cannot open '/lab/none': No such file or "
        "directory"
    );
    EXPECT_FALSE(machine.exists(paths.current()));
}

TEST_F(Apply, MissingFirmwareIsAWarningThatNamesWhereToGetIt) {
    ASSERT_TRUE(machine.remove_all("/src/boot/start4.elf"));
    const auto outcome = apply();
    ASSERT_TRUE(outcome);
    ASSERT_EQ(outcome->warnings.size(), 1U);
    EXPECT_THAT(outcome->warnings[0], HasSubstr("lab.yaml:5:1: profile 'lab': start4.elf is not"));
    EXPECT_THAT(outcome->warnings[0], HasSubstr("Debian's package raspi-firmware"));
    EXPECT_THAT(events, Contains(HasSubstr("warning: lab.yaml:5:1: profile 'lab': start4.elf")));
    const auto again = apply();  // as long as it is true
    EXPECT_EQ(again->warnings, outcome->warnings);
}

// What only the image's own config.txt can show is refused before anything is published.
TEST_F(Apply, AConfigTxtThatIsTooLongIsRefusedAfterTheIngest) {
    std::string config;
    for (int i = 0; i < 300; ++i) config += "dtoverlay=overlay" + std::to_string(i) + "\n";
    machine.put_file("/src/boot/config.txt", config);
    const auto outcome = apply();
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message, HasSubstr("config.txt is"));
    EXPECT_FALSE(machine.exists(paths.current()));
}

// The root is asked once it is there; a board may have put the program there itself.
TEST_F(Apply, AnInitThatTheRootHasNotStopsTheApply) {
    machine.put_file("/src/root/usr/sbin/lab-init", "ELF", 0755);
    machine.put_symlink("/src/root/sbin", "/usr/sbin");
    fleet.profiles[0].cmdline = {"init=/sbin/lab-init"};
    ASSERT_TRUE(apply());
    fleet.profiles[0].cmdline = {"quiet init=/opt/own"};
    const auto refused = apply();
    ASSERT_FALSE(refused);
    EXPECT_EQ(
        refused.error().message,
        "lab.yaml:5:1: profile 'lab': cmdline has init=/opt/own, and the root has no such file "
        "that may be executed: the kernel stops there; name a program of the root, or put it there "
        "with the image's customize: {files: …} [cmdline-init]"
    );
    for (const char* board : {"pi-01", "pi-02"}) {
        machine.put_file(current().find_board(board)->root->path / "opt/own", "ELF", 0755);
    }
    EXPECT_TRUE(apply());
}

TEST_F(Apply, AnotherApplyAtWorkIsAnError) {
    ASSERT_TRUE(machine.make_directories("/var/lib/bramble"));
    const auto held = machine.lock(paths.lock());
    const auto outcome = apply();
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message, HasSubstr("is locked"));
}

TEST_F(Apply, StopsBetweenStepsAndGoesOnLater) {
    std::stop_source source;
    Options options;
    options.stop = source.get_token();
    options.on_event = [&](const Event& event) {
        if (event.kind == EventKind::finished && event.step == 2) source.request_stop();
    };
    const auto stopped = run(fleet, options, machine);
    ASSERT_FALSE(stopped);
    EXPECT_THAT(stopped.error().message, HasSubstr("run apply again to go on"));
    const auto outcome = apply();
    ASSERT_TRUE(outcome);
    EXPECT_THAT(events, Contains("[1/3] copy root pi-02: it has none"));
}

TEST_F(Apply, ObservingChangesNothing) {
    ASSERT_TRUE(observe(fleet, paths, machine));
    EXPECT_FALSE(machine.exists("/var/lib/bramble"));
}

TEST_F(Apply, AFileThatAKilledRunWasWritingGoesWithTheNextOne) {
    ASSERT_TRUE(apply());
    const host::Path left = paths.board("pi-01") / ".root.0123456789abcdef.identity.bramble-new";
    machine.put_file(left, "half");
    ASSERT_TRUE(apply());
    EXPECT_FALSE(machine.status(left).value());
}

}  // namespace
}  // namespace bramble::apply
