// Whatever call to the machine fails, and wherever the power goes: what is published is whole, and
// the next run finishes.
#include "kernel_machine.hpp"

namespace bramble::apply {
namespace {

using host::MemoryHost;

constexpr std::size_t calls_max = 5000;

class Fault : public testing::TestWithParam<FaultOn> {
protected:
    // What `current` names is there to its last byte.
    static void expect_whole(MemoryHost& machine, const layout::StorePaths& paths) {
        const auto current = store::Store(machine, paths).current();
        ASSERT_TRUE(current) << current.error().message;
        if (!*current) return;
        for (const layout::BoardEntry& board : (*current)->boards) {
            EXPECT_EQ(machine.text_at(board.root->path / "etc/hostname"), board.name + "\n");
            EXPECT_EQ(machine.text_at(board.root->path / "usr/bin/true"), "ELF");
            EXPECT_NE(machine.text_at(board.root->path / "etc/machine-id"), "");
            EXPECT_FALSE(machine.exists(board.root->path / "usr/sbin/policy-rc.d"));
            if (!machine.exists("/src/root/usr/bin/apt-get")) continue;
            EXPECT_EQ(machine.text_at(board.root->path / "usr/bin/fio"), "ELF");
            EXPECT_EQ(machine.text_at(board.root->path / "etc/motd"), "welcome\n");
        }
        for (const auto& [name, tree] : (*current)->trees) {
            for (const auto& [path, file] : tree) {
                const auto& object = std::get<layout::ObjectFile>(file);
                EXPECT_EQ(Digest::of(machine.text_at(paths.object(object.digest))), object.digest);
            }
        }
        const std::string exports = machine.text_at(paths.nfs() / "ganesha.conf");
        for (const layout::BoardEntry& board : (*current)->boards) {
            EXPECT_THAT(exports, testing::HasSubstr(board.root->path.string()));
        }
    }

    static std::string shown(MemoryHost& machine, const layout::StorePaths& paths) {
        const auto current = store::Store(machine, paths).current().value();
        return current ? layout::write_manifest(*current) : "";
    }

    // Runs `prepare`, then an apply whose n-th call fails, for every n; then an apply that works.
    static void for_every_call(
        const std::function<void(MemoryHost&, fleet::Fleet&)>& prepare, std::uint64_t generation
    ) {
        const layout::StorePaths paths("/var/lib/bramble");
        for (std::size_t n = 0; n < calls_max; ++n) {
            SCOPED_TRACE(n);
            MemoryHost machine;
            furnish(machine);
            put_on(machine, std::get<Ground>(GetParam()));
            fleet::Fleet fleet = small_fleet();
            prepare(machine, fleet);
            const std::string before = shown(machine, paths);
            machine.fail_call(n, std::get<MemoryHost::Fault>(GetParam()));
            const auto applied = run(fleet, {}, machine);
            const bool reached = machine.calls() > n;
            machine.restart();
            ASSERT_TRUE(store::Changes::begin(machine, paths));  // mounts are back
            expect_whole(machine, paths);
            // The old generation or the new one; the new one also where only what follows the
            // rename failed.
            EXPECT_TRUE(reached || applied);
            EXPECT_TRUE(!applied || shown(machine, paths) != before);
            const auto finished = run(fleet, {}, machine);
            ASSERT_TRUE(finished) << finished.error().message;
            // A number may have been spent on a generation that was never current.
            EXPECT_GE(finished->generation, generation);
            EXPECT_LE(finished->generation, generation + 1);
            expect_whole(machine, paths);
            if (reached) continue;
            const auto again = run(fleet, {}, machine);
            ASSERT_TRUE(again) << again.error().message;
            EXPECT_FALSE(again->changed);
            return;
        }
        FAIL() << "an apply of two boards needs more than " << calls_max << " calls";
    }
};

TEST_P(Fault, InAFirstApply) {
    for_every_call([](MemoryHost&, fleet::Fleet&) {}, 1);
}

TEST_P(Fault, InAnApplyOfAnotherBase) {
    for_every_call(
        [](MemoryHost& machine, fleet::Fleet& fleet) {
            ASSERT_TRUE(run(fleet, {}, machine));
            machine.advance(std::chrono::seconds(5));
            machine.put_file("/src/root/etc/motd", "second base");
            machine.put_file("/src/boot/kernel8.img", "second kernel");
        },
        2
    );
}

TEST_P(Fault, InAnApplyThatCustomizes) {
    for_every_call(customize, 1);
}

TEST_P(Fault, InAnApplyOfAnotherCustomization) {
    for_every_call(
        [](MemoryHost& machine, fleet::Fleet& fleet) {
            customize(machine, fleet);
            fleet::Fleet before = fleet;
            before.images[0].customize.users = {{"lab", std::nullopt, {}, false, {}}};
            ASSERT_TRUE(run(before, {}, machine));
        },
        2
    );
}

TEST_P(Fault, InAnApplyThatBuildsAKernel) {
    for_every_call(furnish_kernel, 1);
}

INSTANTIATE_TEST_SUITE_P(OnceAndForGood, Fault, every_fault_on_every_ground(), name_of_fault);

}  // namespace
}  // namespace bramble::apply
