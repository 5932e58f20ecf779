#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

struct Ran {
    int exit = -1;
    std::string out;
    std::string error;
};

Ran run(std::vector<std::string> words) {
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

class FleetFile {
public:
    explicit FleetFile(std::string_view text) {
        std::string pattern = std::filesystem::temp_directory_path() / "bramble-fleet-XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
        std::ofstream(path()) << text;
    }

    ~FleetFile() { std::filesystem::remove_all(folder_); }

    std::string path() const { return folder_ / "fleet.yaml"; }

private:
    std::filesystem::path folder_;
};

constexpr const char* sound = R"(version: 1
appliance:
  interface: eth1
  address: 172.16.1.1/24
  dhcp: {pool: {from: 172.16.1.100, to: 172.16.1.199}}
images:
  img: {source: {directory: {boot: /boot}}}
profiles:
  lab: {image: img, root: {mode: none}}
boards:
  - {name: pi-01, serial: 5b154510, address: 172.16.1.3, profile: lab}
)";

// Every subcommand and every documented exit code stands in the help.
TEST(Program, HelpTeaches) {
    const Ran ran = run({"--help"});
    EXPECT_EQ(ran.exit, 0);
    for (const char* text :
         {"check",
          "plan",
          "apply",
          "generations",
          "diff",
          "rollback",
          "gc",
          "serve",
          "up",
          "status",
          "schema",
          "completion",
          "doctor",
          "simulate",
          "version",
          "sudo bramble apply",
          "Exit codes:",
          "  0  done",
          "  1  the answer is no",
          "  2  the command was wrong",
          "  3  the machine or the network failed",
          "Who runs what:"}) {
        EXPECT_NE(ran.out.find(text), std::string::npos) << text;
    }
}

TEST(Program, EverySubcommandHasHelpWithAnExample) {
    for (const char* name :
         {"check",
          "plan",
          "apply",
          "generations",
          "diff",
          "rollback",
          "gc",
          "serve",
          "up",
          "status",
          "doctor",
          "simulate",
          "completion"}) {
        const Ran ran = run({name, "--help"});
        EXPECT_EQ(ran.exit, 0) << name;
        EXPECT_NE(ran.out.find("Example"), std::string::npos) << name;
    }
}

TEST(Program, AWrongCommandIsExitCodeTwoAndNamesTheNearest) {
    EXPECT_EQ(run({}).exit, 2);
    EXPECT_EQ(run({"check", "--no-such-option"}).exit, 2);
    EXPECT_EQ(run({"completion", "csh"}).exit, 2);
    const Ran ran = run({"chek"});
    EXPECT_EQ(ran.exit, 2);
    EXPECT_EQ(
        ran.error,
        "bramble: there is no command 'chek' (did you mean 'check'?); `bramble --help` lists "
        "them\n"
    );
    EXPECT_EQ(ran.out, "");
}

TEST(Program, VersionIsForPeopleAndScripts) {
    EXPECT_EQ(run({"version"}).out.substr(0, 8), "bramble ");
    EXPECT_EQ(run({"version", "--json"}).out.substr(0, 28), R"({"name":"bramble","version":)");
}

TEST(Program, CheckSaysYesToASoundFleet) {
    const FleetFile file(sound);
    const Ran ran = run({"check", "--fleet", file.path()});
    EXPECT_EQ(ran.exit, 0) << ran.out << ran.error;
    EXPECT_NE(ran.out.find("sound: 1 boards"), std::string::npos) << ran.out;
}

TEST(Program, CheckPrintsEveryProblemAndSaysNo) {
    std::string text = sound;
    text.replace(text.find("5b154510"), 8, "nonsense");
    text.replace(text.find("version: 1"), 10, "version: 7");
    const FleetFile file(text);
    const Ran ran = run({"check", "--fleet", file.path()});
    EXPECT_EQ(ran.exit, 1);
    EXPECT_NE(ran.out.find(":1:10: "), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("^ near here"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("nonsense"), std::string::npos) << ran.out;
    const Ran json = run({"check", "--fleet", file.path(), "--json"});
    EXPECT_EQ(json.exit, 1);
    EXPECT_EQ(json.out.substr(0, 12), R"({"ok":false,)") << json.out;
}

TEST(Program, ServeRefusesABrokenFleetWithEveryProblemOnStderr) {
    const FleetFile file("version: 1\n");
    const Ran ran = run({"serve", "--fleet", file.path()});
    EXPECT_EQ(ran.exit, 1);
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.error.find("appliance"), std::string::npos) << ran.error;
}

TEST(Program, ServeNamesTheInterfacesThatThereAre) {
    std::string text = sound;
    text.replace(text.find("eth1"), 4, "none");
    const FleetFile file(text);
    const Ran ran = run({"serve", "--fleet", file.path()});
    EXPECT_EQ(ran.exit, 3);
    EXPECT_NE(
        ran.error.find("there is no network interface 'none' (this machine has: "),
        std::string::npos
    ) << ran.error;
}

TEST(Program, CompletionKnowsEverySubcommandAndOption) {
    for (const char* shell : {"bash", "zsh", "fish"}) {
        const Ran ran = run({"completion", shell});
        EXPECT_EQ(ran.exit, 0);
        for (const char* word :
             {"check",
              "serve",
              "apply",
              "generations",
              "diff",
              "rollback",
              "gc",
              "gc",
              "status",
              "doctor",
              "simulate",
              "json",
              "fleet"}) {
            EXPECT_NE(ran.out.find(word), std::string::npos) << shell << " " << word;
        }
    }
}

TEST(Program, SchemaIsJson) {
    const Ran ran = run({"schema"});
    EXPECT_EQ(ran.exit, 0);
    EXPECT_NE(ran.out.find("\"$schema\""), std::string::npos);
}

}  // namespace
}  // namespace bramble::program
