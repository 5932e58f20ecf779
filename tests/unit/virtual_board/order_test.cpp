// Fact sheet 2.4 to 2.8: what each firmware asks for, in which order, against a served tree.
#include <gmock/gmock.h>

#include "tests/unit/virtual_board/lab.hpp"

namespace bramble::virtual_board {
namespace {

// The log with the serial's prefix as P/, as the fact sheet writes it.
std::vector<std::string> asked(const Lab& lab) {
    std::vector<std::string> lines;
    for (std::string line : lab.log) {
        if (line.starts_with("1234abcd/")) line = "P" + line.substr(8);
        lines.push_back(std::move(line));
    }
    return lines;
}

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        std::string_view line = text.substr(0, end);
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        if (!line.empty()) lines.emplace_back(line);
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return lines;
}

TEST(FactSheet25And26, Pi4) {
    Lab lab;
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    EXPECT_EQ(asked(lab), words(R"(
        P/start4.elf probe
        P/config.txt full
        P/vl805.sig nf
        P/vl805.bin nf
        P/pieeprom.sig nf
        P/recover4.elf nf
        P/recovery.elf nf
        P/start4.elf full
        P/fixup4.dat full
        P/recovery.elf nf
        P/config.txt probe
        P/config.txt full
        P/config.txt full
        P/dt-blob.bin nf
        P/recovery.elf nf
        P/config.txt probe
        P/config.txt full
        P/config.txt full
        P/bootcfg.txt nf
        P/bcm2711-rpi-4-b.dtb probe
        P/bcm2711-rpi-4-b.dtb full
        P/overlays/overlay_map.dtb probe
        P/overlays/overlay_map.dtb full
        P/config.txt probe
        P/config.txt full
        P/config.txt full
        P/overlays/disable-bt.dtbo probe
        P/overlays/disable-bt.dtbo full
        P/cmdline.txt probe
        P/cmdline.txt full
        P/recovery8.img nf
        P/kernel8.img probe
        P/armstub8-gic.bin nf
        P/kernel8.img full)"));
}

TEST(FactSheet24, WithoutStartFilesThePrefixIsDropped) {
    const BoardSpec spec = Lab::standard_spec();
    Lab lab(spec);
    std::map<std::string, std::string> root;
    for (const auto& [path, content] : lab.files) root[path.substr(9)] = content;
    lab.files = root;
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    EXPECT_EQ(lab.board.tftp_prefix(), "");
    EXPECT_EQ(lab.log[0], "1234abcd/start4.elf nf");
    EXPECT_EQ(lab.log[1], "1234abcd/start.elf nf");
    EXPECT_EQ(lab.log[2], "config.txt full");
}

TEST(FactSheet24, WithOneOfThemThereIsNoFallbackPerFile) {
    Lab lab;
    const std::string kernel = lab.files["1234abcd/kernel8.img"];
    lab.files.erase("1234abcd/kernel8.img");
    lab.files["kernel8.img"] = kernel;
    lab.run(2min);
    EXPECT_EQ(lab.board.last_failure().failure, Failure::no_kernel);
    EXPECT_EQ(lab.board.last_failure().led, (LedCode{0, 7}));
}

TEST(FactSheet24, NothingServedBlinksFour) {
    BoardSpec spec = Lab::standard_spec();
    spec.eeprom.boot_order = 0xe2;
    Lab lab(spec);
    lab.files.clear();
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::halted);
    EXPECT_EQ(lab.board.last_failure().failure, Failure::no_start_file);
    EXPECT_EQ(lab.board.last_failure().led, (LedCode{0, 4}));
}

TEST(FactSheet24, Prefixes) {
    BoardSpec spec = Lab::standard_spec();
    const auto first_path = [](const BoardSpec& with) {
        Lab lab(with);
        lab.run_until([&] { return !lab.log.empty(); });
        return lab.log.at(0).substr(0, lab.log.at(0).find(' '));
    };
    spec.eeprom.tftp_prefix = TftpPrefix::mac;
    EXPECT_EQ(first_path(spec), "dc-a6-32-01-02-03/start4.elf");
    spec.eeprom.tftp_prefix = TftpPrefix::text;
    spec.eeprom.tftp_prefix_str = "lab/";
    EXPECT_EQ(first_path(spec), "lab/start4.elf");
    spec.eeprom.tftp_prefix = TftpPrefix::serial;
    spec.serial = Serial(0xab);
    EXPECT_EQ(first_path(spec), "000000ab/start4.elf");
}

TEST(FactSheet27, Pi5) {
    Lab lab(Lab::standard_spec("pi5-2026"));
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    EXPECT_EQ(asked(lab), words(R"(
        P/config.txt full
        P/pieeprom.sig nf
        P//config.txt full
        P//config.txt full
        P/kernel_2712.img probe
        P/bcm2712-rpi-5-b.dtb full
        P/overlays/overlay_map.dtb full
        P//config.txt full
        P//config.txt full
        P/overlays/disable-bt.dtbo full
        P//cmdline.txt full
        P/armstub8-2712.bin nf
        P/kernel_2712.img full)"));
}

TEST(FactSheet28, Pi3) {
    Lab lab(Lab::standard_spec("pi3b+"));
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    EXPECT_EQ(asked(lab), words(R"(
        bootcode.bin full
        bootsig.bin nf
        P/start.elf probe
        P/start.elf probe
        P/autoboot.txt nf
        P/config.txt full
        P/recovery.elf nf
        P/start.elf full
        P/fixup.dat full
        P/recovery.elf nf
        P/config.txt probe
        P/config.txt full
        P/dt-blob.bin nf
        P/recovery.elf nf
        P/config.txt probe
        P/config.txt full
        P/bootcfg.txt nf
        P/bcm2710-rpi-3-b-plus.dtb probe
        P/bcm2710-rpi-3-b-plus.dtb full
        P/overlays/overlay_map.dtb probe
        P/overlays/overlay_map.dtb full
        P/config.txt probe
        P/config.txt full
        P/overlays/disable-bt.dtbo probe
        P/overlays/disable-bt.dtbo full
        P/cmdline.txt probe
        P/cmdline.txt full
        P/recovery8.img nf
        P/kernel8.img probe
        P/armstub8.bin nf
        P/kernel8.img full)"));
}

// Fact sheet 7.1: how config.txt moves the choices.
TEST(FactSheet71, ConfigChoosesTheFiles) {
    Lab lab;
    const std::string p = "1234abcd/";
    lab.files[p + "config.txt"] =
        "arm_64bit=0\ninclude extra.txt\nos_prefix=v2/\nauto_initramfs=1\ncmdline=own.txt\n";
    lab.files[p + "extra.txt"] = "dtoverlay=vc4,audio=off\n";
    lab.files[p + "v2/kernel7l.img"] = "kernel";
    lab.files[p + "v2/initramfs7l"] = "initramfs";
    lab.files[p + "v2/bcm2711-rpi-4-b.dtb"] = "dtb";
    lab.files[p + "v2/overlays/vc4.dtbo"] = "overlay";
    lab.files[p + "v2/own.txt"] = std::string(standard_cmdline);
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    EXPECT_THAT(
        asked(lab),
        testing::IsSupersetOf(
            {"P/extra.txt full",
             "P/v2/kernel7l.img probe",
             "P/v2/initramfs7l full",
             "P/v2/overlays/vc4.dtbo full",
             "P/v2/own.txt full",
             "P/armstub8-32-gic.bin nf",
             "P/v2/kernel7l.img full"}
        )
    );
}

TEST(FactSheet71, OsPrefixWithoutAKernelUnderItIsDropped) {
    Lab lab;
    lab.files["1234abcd/config.txt"] = "os_prefix=none/\noverlay_prefix=mine/\n";
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    EXPECT_THAT(asked(lab), testing::Contains("P/none/kernel8.img nf"));
    EXPECT_THAT(asked(lab), testing::Contains("P/mine/README nf"));
    EXPECT_THAT(asked(lab), testing::Contains("P/kernel8.img full"));
}

// Fact sheet 8, row 12: a fallback is an alarm.
TEST(FactSheet8, MissingFirstKernelFallsBackAndIsCounted) {
    Lab lab;
    lab.files["1234abcd/kernel7l.img"] = "kernel";
    lab.files.erase("1234abcd/kernel8.img");
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    EXPECT_EQ(lab.board.counters().kernel_fallbacks, 1U);
}

// Fact sheet 5.4.
TEST(FactSheet54, NewerSignatureFlashesOnceAndBootsOn) {
    Lab lab;
    const std::string image(524288, '\xff');
    lab.files["1234abcd/pieeprom.upd"] = image;
    lab.files["1234abcd/pieeprom.sig"] = Digest::of(image).to_string() + "\nts: 1700000000\n";
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    EXPECT_EQ(lab.board.counters().self_updates, 1U);
}

TEST(FactSheet54, WrongDigestIsRefused) {
    BoardSpec spec = Lab::standard_spec();
    spec.eeprom.boot_order = 0xe2;
    Lab lab(spec);
    lab.files["1234abcd/pieeprom.upd"] = "another image";
    lab.files["1234abcd/pieeprom.sig"] = Digest::of("image").to_string() + "\nts: 1700000000\n";
    lab.run();
    EXPECT_EQ(lab.board.last_failure().failure, Failure::signature_mismatch);
    EXPECT_EQ(lab.board.counters().self_updates, 0U);
}

TEST(FactSheet3, BootRamdiskIsFetchedByTheEeprom) {
    BoardSpec spec = Lab::standard_spec();
    spec.eeprom.boot_order = 0xe2;
    Lab lab(spec);
    lab.files["1234abcd/config.txt"] = "boot_ramdisk=1\n";
    lab.files["1234abcd/boot.img"] = std::string(4000, 'i');
    lab.run();
    EXPECT_EQ(lab.board.last_failure().failure, Failure::boot_ramdisk);
    EXPECT_EQ(lab.log.back(), "1234abcd/boot.img full");
}

}  // namespace
}  // namespace bramble::virtual_board
