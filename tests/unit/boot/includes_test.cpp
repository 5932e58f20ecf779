// What config.txt includes, and for which board its filters hold: fact sheet 7.1.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/boot/config_txt.hpp"
#include "provisioning/boot/lint.hpp"

namespace bramble::boot {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class Includes : public testing::Test {
protected:
    Includes() {
        for (const char* name : {"start4.elf", "fixup4.dat", "kernel8.img"}) {
            tree[name] = layout::ObjectFile{Digest(), 1000};
        }
    }

    void config(std::string text) { tree["config.txt"] = layout::TextFile{std::move(text)}; }

    // As an image or boot_files: bring it.
    void file(const std::string& name, std::string text) {
        tree[name] = layout::ObjectFile{Digest::of(text), text.size()};
        facts.files[name].text = std::move(text);
    }

    std::vector<Finding> found() const { return lint_tree(tree, facts); }

    Settings settings() const {
        return read_config(tree, facts.files, {facts.model, facts.serial}).settings;
    }

    layout::BootTree tree;
    TreeFacts facts;
};

TEST_F(Includes, CountAsIfTheirLinesStoodThere) {
    config("a=1\nb=1\ninclude lab.txt\nb=3\n");
    file("lab.txt", "a=2\nb=2\ninclude more/deep.txt\n");
    file("more/deep.txt", "c=4\n");
    EXPECT_THAT(settings(), ElementsAre(Pair("a", "2"), Pair("b", "3"), Pair("c", "4")));
    EXPECT_THAT(found(), IsEmpty());
    config("[pi5]\ninclude lab.txt\n");
    EXPECT_THAT(settings(), IsEmpty());
}

TEST_F(Includes, AreFollowedToTheKernelThatTheyName) {
    config("include lab.txt\n");
    file("lab.txt", "kernel=mine.img\n");
    ASSERT_THAT(found(), SizeIs(1));
    EXPECT_EQ(
        found().front().message, "config.txt has kernel=mine.img, which is not among the boot files"
    );
    facts.files.clear();
    EXPECT_THAT(found(), IsEmpty()) << "nobody knows what it says";
    tree["lab.txt"] = layout::TextFile{"kernel=mine.img\n"};
    EXPECT_THAT(found(), SizeIs(1));
}

TEST_F(Includes, IncludeMissing) {
    config("include lab.txt\n");
    file("lab.txt", "include more.txt\ninclude more.txt\n");
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "include-missing",
            "lab.txt includes 'more.txt', which is not among the boot files",
            "add it to the image's boot directory or under boot_files:, or take the line out"})
    );
}

TEST_F(Includes, IncludeName) {
    config("include " + std::string(64, 'x') + "\n");
    file(std::string(64, 'x'), "");
    EXPECT_THAT(found(), IsEmpty());
    config("include " + std::string(65, 'x') + "\n");
    file(std::string(65, 'x'), "");
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "include-name",
            "config.txt includes 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…', a name of 65 characters; the "
            "firmware takes 64",
            "give the file a shorter name"})
    );
}

TEST_F(Includes, IncludeSize) {
    config("include lab.txt\n");
    tree["lab.txt"] = layout::ObjectFile{Digest(), 4096};
    EXPECT_THAT(found(), IsEmpty());
    tree["lab.txt"] = layout::ObjectFile{Digest(), 4097};
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "include-size",
            "'lab.txt' is included and 4097 bytes long; the firmware reads no configuration of "
            "more than 4096",
            "take lines out of it, or make two of it"})
    );
}

TEST_F(Includes, LinesAndCharacters) {
    config("include lab.txt\n");
    file(
        "lab.txt",
        "# " + std::string(200, '-') + "\nx=" + std::string(96, 'y') +
            "\nz=" + std::string(97, 'y') + "\n# gr\x1a\x1a\x1a\x1a" + "e\n"
    );
    EXPECT_THAT(
        found(),
        ElementsAre(
            Finding{
                false,
                "config-line-length",
                "'lab.txt' is included, and its line 'z=yyyyyyyyyyyyyyyyyyyyyyyyyyyy…' is 99 "
                "characters long; the firmware ignores what stands behind 98",
                "shorten it, or split a dtoverlay's parameters over dtparam lines"},
            Finding{
                false,
                "config-ascii",
                "'lab.txt' is included and holds a character outside of printable ASCII, which "
                "some firmware stops at",
                "write it with the characters ' ' to '~'"}
        )
    );
    EXPECT_EQ(settings().at("z"), std::string(96, 'y'));
}

// "directives the EEPROM needs must stand in config.txt itself"
TEST_F(Includes, IncludeEarly) {
    config("include lab.txt\n");
    file("lab.txt", "start_file=start4x.elf\nenable_uart=1\n[cm4]\ngpu_mem=16\n");
    EXPECT_THAT(
        found(),
        ElementsAre(Finding{
            false,
            "include-early",
            "'lab.txt' is included and has start_file=, which is looked for in config.txt alone: "
            "what starts the firmware knows no include",
            "write it under config_txt:"})
    ) << "and start4x.elf is not missed";
    for (const char* key :
         {"boot_ramdisk", "bootloader_update", "gpu_mem", "uart_2ndstage", "tryboot"}) {
        file("lab.txt", std::string(key) + "=0\n");
        EXPECT_THAT(found(), SizeIs(1)) << key;
    }
    facts.model = BoardModel::pi5;
    EXPECT_THAT(found(), IsEmpty()) << "it has no stage before";
}

TEST_F(Includes, IncludeDepth) {
    const Finding endless{
        false,
        "include-depth",
        "what config.txt includes is more than 8 deep or 256 files (by 'lab.txt'), perhaps without "
        "an end",
        "take an include out"};
    config("include lab.txt\n");
    file("lab.txt", "include lab.txt\n");
    EXPECT_THAT(found(), ElementsAre(endless));
    file("lab.txt", "include lab.txt\ninclude lab.txt\ninclude lab.txt\n");
    EXPECT_THAT(found(), ElementsAre(endless)) << "3^8 texts are not read";
    config("kernel=none.img\ninclude lab.txt\n");
    EXPECT_THAT(found(), ElementsAre(endless)) << "what it comes to, nobody knows";
}

// ---- filters

class Filters : public Includes {
protected:
    bool holds(const std::string& filters) {
        config(filters + "\nhere=1\n");
        return settings().contains("here");
    }
};

TEST_F(Filters, OfModels) {
    using enum BoardModel;
    const std::map<std::string, std::set<BoardModel>> wanted = {
        {"[all]", {pi3, pi4, pi400, cm4, pi5}},
        {"[none]", {}},
        {"[pi3]", {pi3}},
        {"[pi4]", {pi4, pi400, cm4}},
        {"[pi400]", {pi400}},
        {"[cm4]", {cm4}},
        {"[pi5]", {pi5}},
        {"[pi2]", {}},
        {"[cm5]", {}},
        {"[board-type=0x11]", {pi4}},
        {"[board-type=0x13]", {pi400}},
        {"[board-type=0x17]", {}},
        {"[board-type=0x111]", {}},
        {"[gpio4=1]", {}},
        {"[tryboot]", {}},
        {"[p4]", {}},
        {"[pi4", {}},
    };
    for (const auto& [filter, models] : wanted) {
        for (const BoardModel model : {pi3, pi4, pi400, cm4, pi5}) {
            facts.model = model;
            EXPECT_EQ(holds(filter), models.contains(model)) << filter << to_string(model);
        }
    }
}

// Which variant of a model a board is, the fleet file does not say: then nobody knows what starts.
TEST_F(Filters, ThatNobodyCanDecideLeaveOpenWhatTheyDecide) {
    facts.model = BoardModel::pi5;
    const auto complete = [&](const std::string& text) {
        config(text);
        return read_config(tree, facts.files, {facts.model, facts.serial}).complete;
    };
    for (const char* filter : {"[cm5]", "[board-type=0x17]", "[gpio4=1]", "[of-newer-firmware]"}) {
        EXPECT_TRUE(complete(std::string(filter) + "\ndtoverlay=dwc2\narm_freq=1\n")) << filter;
        for (const char* line :
             {"auto_initramfs=1",
              "initramfs a followkernel",
              "kernel=a",
              "start_file=a.elf",
              "fixup_file=a.dat",
              "gpu_mem=16",
              "os_prefix=a/",
              "include a.txt"}) {
            EXPECT_FALSE(complete(std::string(filter) + "\n" + line + "\n")) << filter << line;
        }
        EXPECT_TRUE(complete(std::string(filter) + "\n[none]\nkernel=a\n")) << "surely not";
        EXPECT_TRUE(complete(std::string(filter) + "\n[all]\nkernel=a\n")) << "surely";
    }
    EXPECT_TRUE(complete("[pi4]\nkernel=a\n"));
}

TEST_F(Filters, OfASerial) {
    EXPECT_FALSE(holds("[0x5b154510]"));
    facts.serial = Serial(0x5b154510);
    EXPECT_TRUE(holds("[0x5b154510]"));
    EXPECT_FALSE(holds("[0x5b154511]"));
}

// "Repeated filters of one kind replace, different kinds AND."
TEST_F(Filters, Together) {
    facts.serial = Serial(1);
    EXPECT_TRUE(holds("[pi4]\n[0x1]"));
    EXPECT_FALSE(holds("[pi5]\n[0x1]"));
    EXPECT_FALSE(holds("[pi4]\n[0x2]"));
    EXPECT_TRUE(holds("[pi5]\n[pi4]\n[0x2]\n[0x1]"));
    EXPECT_FALSE(holds("[pi4]\n[pi5]\n[0x1]"));
    EXPECT_TRUE(holds("[pi5]\n[0x2]\n[all]"));
    EXPECT_FALSE(holds("[none]\n[pi4]"));
    EXPECT_FALSE(holds("[gpio4=1]\n[pi4]"));
}

TEST_F(Filters, OfAnIncludedFileAreItsOwn) {
    file("lab.txt", "[pi5]\nhere=1\n");
    config("[pi4]\ninclude lab.txt\nalso=1\n");
    EXPECT_THAT(settings(), ElementsAre(Pair("also", "1")));
}

}  // namespace
}  // namespace bramble::boot
