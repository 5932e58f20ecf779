#include "services/rehearsal/export_check.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/rehearsal/lab.hpp"

namespace bramble::rehearsal {
namespace {

// A root in memory behind a server that may refuse what modes allow.
class Exported final : public ExportTree {
public:
    explicit Exported(const MemoryRoot& root) : tree_(root) {}

    std::string how() const override { return "nas:/pi mounted by NFS 3"; }

    Result<std::optional<RootEntry>> status(const std::string& path) override {
        return tree_.status(path);
    }

    Result<std::string> read_link(const std::string& path) override {
        return tree_.read_link(path);
    }

    Result<std::string> read_file(const std::string& path) override {
        return tree_.read_file(path);
    }

    Result<std::vector<std::string>> list(const std::string& path) override {
        return tree_.list(path);
    }

    Result<Access> access(const std::string& path) override {
        if (refused.contains(path)) return Access{};
        return Access{true, true};
    }

    Result<Room> room() override { return left; }

    std::set<std::string> refused;
    Result<Room> left = Room{8'000'000'000, 4'000'000'000, 500'000, 400'000};

private:
    MemoryTree tree_;
};

class ExportCheckTest : public testing::Test {
protected:
    ExportCheckTest() {
        root.file("/usr/lib/systemd/systemd", "elf", 0755);
        root.link("/sbin", "usr/sbin");
        root.link("/lib", "usr/lib");
        root.link("/usr/sbin/init", "/lib/systemd/systemd");
        root.directory("/usr/lib/modules/6.1.0");
        root.file("/etc/shadow", "root:*:\n", 0640);
    }

    // Every problem as "sentence; remedy".
    std::vector<std::string> problems() {
        Exported exported(root);
        exported.refused = refused;
        exported.left = left;
        report = Report{};
        check_export(exported, look, report);
        std::vector<std::string> out;
        for (const Finding& finding : report.findings) {
            EXPECT_EQ(finding.phase, Phase::root);
            out.push_back(finding.sentence + "; " + finding.remedy);
        }
        return out;
    }

    std::string only() {
        const auto all = problems();
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? "" : all.front();
    }

    MemoryRoot root;
    std::set<std::string> refused;
    Result<Room> left = Room{8'000'000'000, 4'000'000'000, 500'000, 400'000};
    ExportLook look{"console=tty1", "6.1.0", false};
    Report report;
};

TEST_F(ExportCheckTest, AGoodRootHasNoProblemAndSaysWhatWasSeen) {
    EXPECT_TRUE(problems().empty());
    std::vector<std::string> seen;
    for (const Line& line : report.story) seen.push_back(line.text);
    EXPECT_EQ(
        seen,
        (std::vector<std::string>{
            "nas:/pi mounted by NFS 3",
            "/sbin/init is there, which is /usr/lib/systemd/systemd",
            "modules of 6.1.0 are there",
            "4.0 GB of 8.0 GB free, 400000 files"})
    );
}

TEST_F(ExportCheckTest, InitIsFollowedThroughLinksAndMustBeExecutable) {
    root.file("/usr/lib/systemd/systemd", "elf", 0644);
    EXPECT_EQ(
        only(),
        "/sbin/init in the root may not be executed; give the image a root tree with an init "
        "system (systemd-sysv in Debian), then apply"
    );
    root.entries.erase("/usr/lib/systemd/systemd");
    EXPECT_TRUE(only().starts_with("the root has no /sbin/init; ")) << "the link leads nowhere";
}

TEST_F(ExportCheckTest, TheCommandLinesInitIsTheOneThatCounts) {
    look.cmdline = "init=/bin/sh";
    EXPECT_TRUE(only().starts_with("the root has no /bin/sh; "));
}

TEST_F(ExportCheckTest, ModulesOfTheKernelThatRunsAreAProblemWhenTheyAreMissing) {
    look.kernel_release = "6.6.51";
    EXPECT_EQ(
        only(),
        "the kernel is 6.6.51, and the root has modules of 6.1.0 only; put the modules of 6.6.51 "
        "into the image (lib/modules/6.6.51), or serve the kernel that belongs to the root"
    );
    look.kernel_release = "";
    EXPECT_TRUE(problems().empty());
}

TEST_F(ExportCheckTest, ASquashedRootIsToldOnceAndByName) {
    refused = {"/etc/shadow", "/usr/lib/systemd/systemd"};
    EXPECT_EQ(
        only(),
        "the server takes root for somebody else: root may not read /etc/shadow; export it with "
        "no_root_squash (on a NAS: \"map root to root\", \"no mapping\"), or no board can run from "
        "it"
    );
    refused = {"/usr/lib/systemd/systemd"};
    EXPECT_TRUE(only().starts_with("the server does not let root execute /usr/lib/systemd/systemd; "
    ));
}

TEST_F(ExportCheckTest, RoomIsAskedForOnlyWhereABoardMayWrite) {
    left = Room{8'000'000'000, room_bytes_min, 500'000, room_files_min};
    EXPECT_TRUE(problems().empty()) << "the bounds themselves are enough";
    left->bytes_free = room_bytes_min - 1;
    EXPECT_EQ(
        only(),
        "its filesystem has 256.0 MB left, and a board that runs wants 256.0 MB at least; make "
        "room there: `bramble gc` removes what no board needs any more, or give the filesystem "
        "more space"
    );
    left->bytes_free = room_bytes_min;
    left->files_free = room_files_min - 1;
    EXPECT_TRUE(only().starts_with(
        "its filesystem has room for 9999 files more, and a board that runs wants 10000 at least; "
    ));
    left->files = 0;
    EXPECT_TRUE(problems().empty()) << "btrfs counts no files";
    left = fail("no answer");
    EXPECT_TRUE(only().starts_with("its free space cannot be told: no answer; "));
    look.read_only = true;
    EXPECT_TRUE(problems().empty());
}

}  // namespace
}  // namespace bramble::rehearsal
