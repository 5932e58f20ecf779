// The manifest on disk: written and read back it is the same value, and whatever is wrong with it
// is named with its place.
#include "config/layout/manifest.hpp"

#include <gtest/gtest.h>

#include <string>

#include "config/layout/store_paths.hpp"

namespace bramble::layout {
namespace {

const std::string remedy = " (run `bramble apply` to write a new generation)";

ObjectFile object(std::string_view content) {
    return {Digest::of(content), content.size()};
}

Manifest two_boards() {
    Manifest manifest;
    manifest.generation = 7;
    manifest.created = "2026-11-22T12:00:00Z";
    manifest.fleet = Digest::of("version: 1");
    manifest.trees["lab"] = {
        {"start4.elf", object("start")},
        {"config.txt", TextFile{"arm_64bit=1\n"}},
        {"overlays/disable-bt.dtbo", object("overlay")}};
    BoardEntry full;
    full.name = "pi-01";
    full.serial = Serial(0x5b154510);
    full.mac = MacAddress::parse("dc:a6:32:2e:f8:ed").value();
    full.address = Ipv4Address::parse("172.16.1.3").value();
    full.profile = "lab";
    full.tree = "lab";
    full.files = {{"cmdline.txt", TextFile{"console=\"tty1\"\n"}}, {"config.txt", object("own")}};
    full.tftp_prefixes = {"5b154510/", "racks/upper/"};
    full.root = Export{"/var/lib/bramble/boards/pi-01/root", "172.16.1.1", "4.2", true};
    full.kernel_release = "6.1.21-v8+";
    BoardEntry bare;
    bare.name = "vm";
    bare.model = BoardModel::generic;
    bare.profile = "qemu";
    bare.bootfile = "boot.scr.uimg";
    manifest.boards = {full, bare};
    return manifest;
}

std::string message_of(std::string_view json) {
    const auto parsed = parse_manifest(json);
    return parsed ? "parsed" : parsed.error().message;
}

// The written form of two_boards() with `from` replaced by `to`.
std::string message_with(std::string_view from, std::string_view to) {
    std::string json = write_manifest(two_boards());
    const auto at = json.find(from);
    if (at == std::string::npos) return "the test's own text is not there";
    return message_of(json.replace(at, from.size(), to));
}

TEST(ManifestTest, ReadBackItIsTheSame) {
    const Manifest written = two_boards();
    const auto read = parse_manifest(write_manifest(written));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, written);
    EXPECT_EQ(parse_manifest(write_manifest(Manifest{})).value(), Manifest{});
}

TEST(ManifestTest, TextsAndPathsAreBytes) {
    Manifest written;
    written.trees["odd"] = {{"na\xefve \xff.bin", TextFile{std::string("\0\n\t\"\\\x80", 6)}}};
    EXPECT_EQ(parse_manifest(write_manifest(written)).value(), written);
}

TEST(ManifestTest, OneBoardPerLineSoThatADiffShowsWhoChanged) {
    EXPECT_EQ(
        write_manifest(Manifest{}),
        "{\"format\": 1,\n\"generation\": 0,\n\"created\": \"\",\n\"fleet\": \"" +
            std::string(64, '0') + "\",\n\"trees\": {},\n\"boards\": []}\n"
    );
    const std::string json = write_manifest(two_boards());
    EXPECT_NE(
        json.find("\n{\"name\":\"vm\",\"model\":\"generic\",\"profile\":\"qemu\""),
        std::string::npos
    );
}

TEST(ManifestTest, TruncatedAnywhereItIsRefused) {
    const std::string json = write_manifest(two_boards());
    for (std::size_t length = 0; length + 1 < json.size(); ++length) {
        const auto parsed = parse_manifest(std::string_view(json).substr(0, length));
        ASSERT_FALSE(parsed) << length;
        ASSERT_EQ(parsed.error().message.find("manifest: byte "), 0U) << parsed.error().message;
    }
}

TEST(ManifestTest, WhatIsNotJsonIsNamedByItsByte) {
    EXPECT_EQ(
        message_of("{\"format\": nope}"), "manifest: byte 11: not JSON: syntax error" + remedy
    );
    EXPECT_EQ(message_of("{} {}"), "manifest: byte 3: not JSON: extra data" + remedy);
    EXPECT_EQ(message_of("[]"), "manifest: whole file: is not an object" + remedy);
}

TEST(ManifestTest, DepthIsBounded) {
    const std::string deep = std::string(17, '[') + std::string(17, ']');
    EXPECT_EQ(message_of(deep), "manifest: byte 16: not JSON: too deep" + remedy);
}

TEST(ManifestTest, EveryMistakeIsNamedWithItsPlace) {
    const struct {
        const char* from;
        const char* to;
        const char* message;
    } cases[] = {
        {"\"format\": 1",
         "\"format\": 2",
         "format: is not a format that this program reads (it reads 1)"},
        {"\"generation\": 7", "\"generation\": -7", "generation: is not a whole number"},
        {"\"generation\": 7", "\"generatoin\": 7", "generatoin: is not a field of this format"},
        {"\"created\": \"2026-11-22T12:00:00Z\",\n", "", "created: is missing"},
        {"\"trees\": {", "\"trees\": 1, \"x\": {", "x: is not a field of this format"},
        {"\"size\":5",
         "\"size\":\"5\"",
         "trees[\"lab\"][\"start4.elf\"].size: is not a whole number"},
        {"\"size\":5",
         "\"mode\":5",
         "trees[\"lab\"][\"start4.elf\"].mode: is not a field of this format"},
        {"{\"text\":\"arm_64bit=1\\n\"}", "[]", "trees[\"lab\"][\"config.txt\"]: is not an object"},
        {"\"overlays/",
         "\"../",
         "trees[\"lab\"][\"../disable-bt.dtbo\"]: is not a path that a board may ask for"},
        {"\"tree\":\"lab\"", "\"tree\":\"attic\"", "boards[0].tree: is not one of `trees`"},
        {"\"name\":\"vm\"",
         "\"name\":\"pi-01\"",
         "boards[1].name: is the name of an earlier board too"},
        {"\"name\":\"vm\"",
         "\"name\":\"../vm\"",
         "boards[1].name: is not a name that a directory may have"},
        {"\"model\":\"generic\"",
         "\"model\":\"pi6\"",
         "boards[1].model: is not a board model (known: pi3, pi4, pi400, cm4, pi5, generic)"},
        {"\"serial\":\"5b154510\"",
         "\"serial\":\"5b15\"",
         "boards[0].serial: '5b15' is not a serial number (eight hex digits, like 5b154510)"},
        {"dc:a6:32:2e:f8:ed",
         "dc:a6",
         "boards[0].mac: 'dc:a6' is not a MAC address (write it like dc:a6:32:01:02:03)"},
        {"\"address\":\"172.16.1.3\"", "\"address\":3", "boards[0].address: is not a string"},
        {"\"racks/upper/\"",
         "\"racks/upper\"",
         "boards[0].tftp_prefixes[1]: is not a path that ends with a slash"},
        {"\"racks/upper/\"",
         "\"/\"",
         "boards[0].tftp_prefixes[1]: is not a path that ends with a slash"},
        {"\"tftp_prefixes\":[",
         "\"tftp_prefixes\":{}, \"x\": [",
         "boards[0].x: is not a field of this format"},
        {"\"nfs_version\":\"4.2\"",
         "\"nfs_version\":\"2\"",
         "boards[0].root.nfs_version: is not an NFS version (known: 3, 4, 4.1, 4.2)"},
        {"\"/var/lib/", "\"var/lib/", "boards[0].root.path: is not an absolute path"},
        {"\"server\":\"172.16.1.1\"", "\"server\":\"\"", "boards[0].root.server: is empty"},
        {"\"read_only\":true", "\"read_only\":1", "boards[0].root.read_only: is not true or false"},
        {"\"bootfile\":\"boot.scr.uimg\"",
         "\"bootfile\":null",
         "boards[1].bootfile: is not a string"},
    };

    for (const auto& [from, to, message] : cases)
        EXPECT_EQ(message_with(from, to), "manifest: " + std::string(message) + remedy);
}

TEST(ManifestTest, ABoardsOwnFileWinsOverItsTree) {
    const Manifest manifest = two_boards();
    const BoardEntry& board = *manifest.find_board("pi-01");
    EXPECT_EQ(*manifest.find_file(board, "config.txt"), BootFile(object("own")));
    EXPECT_EQ(*manifest.find_file(board, "start4.elf"), BootFile(object("start")));
    EXPECT_EQ(manifest.find_file(board, "start.elf"), nullptr);
    EXPECT_EQ(manifest.find_file(*manifest.find_board("vm"), "start4.elf"), nullptr);
    EXPECT_EQ(manifest.find_board("pi-02"), nullptr);
}

TEST(BootPathTest, PathsStayInsideTheirTree) {
    for (const char* path :
         {"config.txt", "overlays/disable-bt.dtbo", "a/b/c/..d", ".hidden", "a b"})
        EXPECT_TRUE(is_boot_path(path)) << path;
    for (const char* path :
         {"",
          "/",
          "/etc/passwd",
          "..",
          "../x",
          "a/..",
          "a/../b",
          ".",
          "./a",
          "a/./b",
          "a//b",
          "a/",
          "..\\x",
          "a\nb",
          "a\x7f"}) {
        EXPECT_FALSE(is_boot_path(path)) << path;
    }
    EXPECT_FALSE(is_boot_path(std::string_view("a\0b", 3)));
    EXPECT_TRUE(is_boot_path(std::string(255, 'a')));
    EXPECT_FALSE(is_boot_path(std::string(256, 'a')));
}

TEST(StorePathsTest, EverythingLiesBelowTheStore) {
    const StorePaths paths("/srv/b");
    EXPECT_EQ(
        paths.object(Digest::of("abc")),
        "/srv/b/objects/ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    EXPECT_EQ(paths.board_root("pi-01"), "/srv/b/boards/pi-01/root");
    EXPECT_EQ(paths.manifest(12), "/srv/b/generations/12/manifest.json");
    EXPECT_EQ(paths.current_manifest(), "/srv/b/current/manifest.json");
}

}  // namespace
}  // namespace bramble::layout
