// The gate between DHCP and the doorman, and what a board is expected to fetch.
#include "services/bramble/admission_gate.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "services/bramble/boot_files.hpp"

namespace bramble::program {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint at(Duration d) {
    return TimePoint(std::chrono::hours(480'000)) + d;
}

layout::ObjectFile object(std::uint64_t size) {
    return {Digest::of(std::to_string(size)), size};
}

layout::BoardEntry entry(const std::string& name, const std::string& config) {
    layout::BoardEntry board;
    board.name = name;
    board.serial = Serial(0x5b154510);
    board.tree = "lab";
    board.files["config.txt"] = layout::TextFile{config};
    board.files["cmdline.txt"] = layout::TextFile{"root=/dev/nfs nfsroot=172.16.1.1:/r ip=dhcp"};
    return board;
}

// Raspberry Pi OS brings firmware and kernels for all models; one board fetches its own.
layout::Manifest manifest() {
    layout::Manifest out;
    out.generation = 3;
    out.trees["lab"] = {
        {"start.elf", object(2'900'000)},
        {"start4.elf", object(2'300'000)},
        {"fixup4.dat", object(5'000)},
        {"kernel.img", object(6'000'000)},
        {"kernel7l.img", object(7'000'000)},
        {"kernel8.img", object(9'000'000)},
        {"initramfs7l", object(11'000'000)},
        {"initramfs8", object(12'000'000)},
        {"bcm2711-rpi-4-b.dtb", object(56'000)}};
    out.boards = {
        entry("pi-01", "arm_64bit=1\nauto_initramfs=1\n"),
        entry("pi-02", "arm_64bit=0\n"),
        entry("vm-01", "")};
    out.boards[2].model = BoardModel::generic;
    return out;
}

std::vector<std::string> large_paths(const std::vector<admission::PlannedFile>& files) {
    std::vector<std::string> out;
    for (const admission::PlannedFile& file : files) {
        if (file.bytes > 1'000'000) out.push_back(file.path);
    }
    std::sort(out.begin(), out.end());
    return out;
}

TEST(BootFilesTest, APiFetchesItsOwnFirmwareKernelAndInitramfs) {
    const layout::Manifest all = manifest();
    EXPECT_EQ(
        large_paths(boot_files_of(all, all.boards[0])),
        (std::vector<std::string>{"initramfs8", "kernel8.img", "start4.elf"})
    );
    EXPECT_EQ(
        large_paths(boot_files_of(all, all.boards[1])),
        (std::vector<std::string>{"kernel7l.img", "start4.elf"})
    );
}

TEST(BootFilesTest, NoFileIsCountedTwice) {
    const layout::Manifest all = manifest();
    std::vector<std::string> paths;
    for (const auto& file : boot_files_of(all, all.boards[0])) paths.push_back(file.path);
    std::sort(paths.begin(), paths.end());
    EXPECT_EQ(std::adjacent_find(paths.begin(), paths.end()), paths.end());
    EXPECT_TRUE(std::binary_search(paths.begin(), paths.end(), "config.txt"));
}

TEST(BootFilesTest, OfOtherBoardsAllFilesCount) {
    const layout::Manifest all = manifest();
    EXPECT_EQ(boot_files_of(all, all.boards[2]).size(), 9U + 2U);
}

TEST(BootFilesTest, NothingIsSaidOfATreeThatDoesNotBoot) {
    layout::Manifest all = manifest();
    for (const char* kernel : {"kernel.img", "kernel7l.img", "kernel8.img"}) {
        all.trees["lab"].erase(kernel);
    }
    EXPECT_TRUE(boot_files_of(all, all.boards[0]).empty());
}

class AdmissionGateTest : public testing::Test {
protected:
    AdmissionGateTest() {
        for (const char* name : {"pi-01", "pi-02", "pi-03"}) {
            fleet::Board board;
            board.name = name;
            boards_.push_back(board);
        }
        profile_.group = "rack-1";
        gate_.set_generation(std::make_shared<const io::Generation>(manifest()));
    }

    static admission::Settings one_place() {
        admission::Settings settings;
        settings.fill = 1;
        settings.link_bytes_per_second = settings.board_bytes_per_second;
        return settings;
    }

    std::string ask(std::size_t board, TimePoint now) {
        const dhcp::GateAnswer answer = gate_.ask({client_, &boards_[board], &profile_}, now);
        const auto* wait = std::get_if<dhcp::Wait>(&answer);
        return wait == nullptr ? "" : wait->reason;
    }

    admission::Doorman doorman_{one_place()};
    AdmissionGate gate_{doorman_};
    dhcp::Client client_;
    std::vector<fleet::Board> boards_;
    fleet::Profile profile_;
};

TEST_F(AdmissionGateTest, WhoWaitsIsToldItsPlaceAndWhenItsTurnComes) {
    EXPECT_EQ(ask(0, at(0s)), "");
    EXPECT_EQ(ask(1, at(0s)), "number 1 in the queue, its turn comes in about 2 s");
    EXPECT_EQ(doorman_.status(at(0s)).waiting[0].group, "rack-1") << "its profile's";
    for (const char* path : {"start4.elf", "kernel8.img", "initramfs8"}) {
        doorman_.on_complete("pi-01", path);
    }
    EXPECT_EQ(doorman_.poll(at(1s)), std::vector<std::string>{"pi-02"});
    EXPECT_EQ(ask(1, at(1s)), "");
}

TEST_F(AdmissionGateTest, ABoardWithoutATreeTakesNoPlace) {
    EXPECT_NE(ask(2, at(0s)).find("generation 3 has nothing for it"), std::string::npos);
    EXPECT_EQ(doorman_.status(at(0s)).inside, 0U);
}

TEST_F(AdmissionGateTest, OffAsksNobody) {
    gate_.set_enabled(false);
    EXPECT_EQ(ask(0, at(0s)), "");
    EXPECT_EQ(ask(1, at(0s)), "");
    EXPECT_EQ(doorman_.counters().asked, 0U);
}

}  // namespace
}  // namespace bramble::program
