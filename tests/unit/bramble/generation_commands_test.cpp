// `bramble generations`, `diff` and `rollback` on a store on disk, as a person calls them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "config/layout/manifest.hpp"
#include "config/layout/store_paths.hpp"
#include "services/bramble/invocation.hpp"
#include "services/state/store.hpp"

namespace bramble::program {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Ran {
    int exit = -1;
    std::string out;
    std::string error;
};

class GenerationCommands : public testing::Test {
protected:
    GenerationCommands() {
        std::ofstream(folder / "fleet.yaml") << "version: 1"
                                             << R"(
appliance:
  interface: eth1
  address: 172.16.1.1/24
  dhcp: {mode: "off"}
  store: )" << store.store().string() << R"(
images:
  img: {source: {directory: {boot: /boot}}}
profiles:
  lab: {image: img, root: {mode: none}}
boards:
  - {name: pi-01, serial: 5b154510, address: 172.16.1.3, profile: lab}
  - {name: pi-02, serial: 5b154511, address: 172.16.1.4, profile: lab}
)";
    }

    ~GenerationCommands() override { std::filesystem::remove_all(folder); }

    static std::filesystem::path made() {
        std::string pattern = std::filesystem::temp_directory_path() / "bramble-gen-XXXXXX";
        return ::mkdtemp(pattern.data());
    }

    // Generation `number`, with this line in the config.txt of pi-02.
    void publish(std::uint64_t number, const std::string& line) {
        layout::Manifest manifest;
        manifest.generation = number;
        manifest.created = "2026-11-27T00:12:01Z";
        manifest.trees["lab"] = {};
        for (const char* name : {"pi-01", "pi-02"}) {
            layout::BoardEntry board;
            board.name = name;
            board.profile = board.tree = "lab";
            board.files["config.txt"] =
                layout::TextFile{board.name == "pi-02" ? line + "\n" : "arm_64bit=1\n"};
            manifest.boards.push_back(board);
        }
        std::filesystem::create_directories(store.generation(number));
        std::ofstream(store.manifest(number)) << layout::write_manifest(manifest);
        std::filesystem::remove(store.current());
        std::filesystem::create_symlink("generations/" + std::to_string(number), store.current());
    }

    Ran run(std::vector<std::string> words) {
        const std::string file = folder / "fleet.yaml";
        words.insert(words.end(), {"--fleet", file});
        std::vector<const char*> argv = {"bramble"};
        for (const std::string& word : words) argv.push_back(word.c_str());
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        Ran ran;
        ran.exit = run_program(static_cast<int>(argv.size()), argv.data());
        ran.out = testing::internal::GetCapturedStdout();
        ran.error = testing::internal::GetCapturedStderr();
        return ran;
    }

    std::filesystem::path folder = made();
    layout::StorePaths store{folder / "store"};
};

TEST_F(GenerationCommands, ListTellsWhatChangedAndWhoHoldsOn) {
    EXPECT_THAT(run({"generations"}).out, HasSubstr("no generation yet"));
    publish(3, "enable_uart=0");
    publish(5, "enable_uart=1");
    auto state = state::Store::open(store.state_db());
    ASSERT_TRUE(state);
    ASSERT_TRUE(state->set_served(5));
    ASSERT_TRUE(state->bind(std::vector<state::BindingChange>{{"pi-01", 5}}));
    boards::EndedBoot ended;
    ended.board = "pi-02";
    ended.boot.generation = 3;
    ended.boot.state = boards::BootState::up;
    ended.boot.ended = TimePoint{};
    ASSERT_TRUE(state->add(std::vector<boards::EndedBoot>{ended}));
    ended.board = "removed";  // of no board of the fleet
    ASSERT_TRUE(state->add(std::vector<boards::EndedBoot>{ended}));
    const Ran ran = run({"generations"});
    EXPECT_EQ(ran.exit, 0) << ran.error;
    EXPECT_THAT(ran.out, HasSubstr("1 board up "));
    EXPECT_THAT(ran.out, HasSubstr("served, 1 boot "));
    EXPECT_THAT(ran.out, HasSubstr("pi-02: config.txt changed"));
    EXPECT_THAT(
        run({"generations", "--json"}).out,
        HasSubstr(R"("served":true,"booting":["pi-01"],"running":[]})")
    );
}

TEST_F(GenerationCommands, DiffKnowsThreeWaysToBeAsked) {
    EXPECT_EQ(run({"diff"}).exit, 1);
    publish(3, "enable_uart=0");
    EXPECT_THAT(run({"diff"}).error, HasSubstr("generation 3 is the oldest"));
    publish(5, "enable_uart=1");
    const Ran ran = run({"diff"});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_EQ(
        ran.out,
        "generation 3 -> generation 5\n"
        "pi-02\n"
        "  config.txt changed\n"
        "    - enable_uart=0\n"
        "    + enable_uart=1\n"
        "1 other board is served the same\n"
    );
    EXPECT_EQ(run({"diff", "3"}).out, ran.out);
    EXPECT_THAT(run({"diff", "5", "3"}).out, HasSubstr("- enable_uart=1\n    + enable_uart=0"));
    EXPECT_EQ(run({"diff", "1", "2", "3"}).exit, 2);
    const Ran missing = run({"diff", "4"});
    EXPECT_EQ(missing.exit, 1);
    EXPECT_THAT(missing.error, HasSubstr("there is no generation 4; there is 3, 5"));
    EXPECT_THAT(run({"diff", "--json"}).out, HasSubstr(R"("name":"pi-02")"));
}

TEST_F(GenerationCommands, RollbackNeedsRootAndAnswersByExitCode) {
    publish(3, "enable_uart=0");
    publish(5, "enable_uart=1");
    if (::geteuid() != 0) {
        EXPECT_EQ(run({"rollback"}).exit, 3);
        GTEST_SKIP() << "the rest needs root";
    }
    const Ran missing = run({"rollback", "9"});
    EXPECT_EQ(missing.exit, 1);
    EXPECT_THAT(missing.error, HasSubstr("there is no generation 9"));
    const Ran ran = run({"rollback"});
    EXPECT_EQ(ran.exit, 0) << ran.error;
    EXPECT_THAT(ran.out, HasSubstr("generation 3 is current again (it was 5)"));
    EXPECT_THAT(ran.out, HasSubstr("made of another fleet file"));
    EXPECT_EQ(std::filesystem::read_symlink(store.current()), "generations/3");
    EXPECT_THAT(run({"generations"}).out, HasSubstr("*      3"));
    EXPECT_THAT(
        run({"rollback", "3", "--json"}).out,
        HasSubstr(R"({"generation":3,"from":3,"changed":false)")
    );
    EXPECT_EQ(run({"rollback", "three"}).exit, 2);
}

TEST_F(GenerationCommands, GcSaysWhatItWouldRemoveAndRemovesIt) {
    for (const std::uint64_t number : {3, 5, 7}) publish(number, std::to_string(number));
    EXPECT_EQ(run({"gc", "--keep", "0"}).exit, 2);
    auto state = state::Store::open(store.state_db());
    ASSERT_TRUE(state);
    ASSERT_TRUE(state->bind(std::vector<state::BindingChange>{{"pi-01", 3}}));
    const Ran dry = run({"gc", "--keep", "1", "--dry-run"});
    EXPECT_EQ(dry.exit, 0) << dry.error;
    EXPECT_THAT(dry.out, HasSubstr("kept: 3, 7\nwould remove: 1 generation (5)"));
    EXPECT_TRUE(std::filesystem::exists(store.manifest(5)));
    if (::geteuid() != 0) {
        EXPECT_EQ(run({"gc"}).exit, 3);
        GTEST_SKIP() << "the rest needs root";
    }
    EXPECT_THAT(run({"gc"}).out, HasSubstr("kept: 3, 5, 7\nnothing to remove"));
    ASSERT_TRUE(state->bind(std::vector<state::BindingChange>{{"pi-01", {}}}));
    const Ran ran = run({"gc", "--keep", "1", "--json"});
    EXPECT_EQ(ran.exit, 0) << ran.error;
    EXPECT_THAT(ran.out, HasSubstr(R"("kept":[7],"generations":[3,5])"));
    EXPECT_FALSE(std::filesystem::exists(store.generation(3)));
    EXPECT_FALSE(std::filesystem::exists(store.generation(5)));
    EXPECT_TRUE(std::filesystem::exists(store.manifest(7)));
}

}  // namespace
}  // namespace bramble::program
