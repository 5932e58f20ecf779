// Names of FAT entries, short and long, whole and torn (Microsoft FAT specification, "Long
// Directory Entries").
#include "provisioning/image/fat_name.hpp"

#include <gtest/gtest.h>

#include <array>

namespace bramble::image {
namespace {

std::string short_entry(std::string_view name, unsigned char lower = 0) {
    std::string entry(32, '\0');
    entry.replace(0, 11, name);
    entry[12] = static_cast<char>(lower);
    return entry;
}

unsigned char sum_of(std::string_view name) {
    unsigned char sum = 0;
    for (const char c : name) {
        sum = static_cast<unsigned char>((sum >> 1 | sum << 7) + static_cast<unsigned char>(c));
    }
    return sum;
}

std::string part(unsigned number, std::u16string_view units, unsigned char sum) {
    constexpr std::array<std::size_t, 13> places = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    std::string entry(32, '\0');
    entry[0] = static_cast<char>(number);
    entry[11] = 0x0F;
    entry[13] = static_cast<char>(sum);
    for (std::size_t i = 0; i < places.size(); ++i) {
        const char16_t unit = i < units.size() ? units[i] : i == units.size() ? u'\0' : u'\xffff';
        entry[places[i]] = static_cast<char>(unit & 0xFFU);
        entry[places[i] + 1] = static_cast<char>(unit >> 8U);
    }
    return entry;
}

constexpr const char* base = "ALONGN~1DTB";

TEST(FatName, ShortNamesHaveAnExtensionAndNotedCase) {
    EXPECT_EQ(fat_short_name(short_entry("KERNEL8 IMG")), "KERNEL8.IMG");
    EXPECT_EQ(fat_short_name(short_entry("KERNEL8 IMG", 0x18)), "kernel8.img");
    EXPECT_EQ(fat_short_name(short_entry("OVERLAYS   ", 0x08)), "overlays");
    EXPECT_EQ(
        fat_short_name(short_entry("\x05"
                                   "CAF\x82   A\xff ")),
        "?CAF?.A?"
    );
}

TEST(FatName, LongNamesArePutTogetherLastPartFirst) {
    FatLongName name;
    name.add(part(0x42, u"erlay.dtbo", sum_of(base)));
    name.add(part(0x01, u"A Long Name-o", sum_of(base)));
    EXPECT_EQ(name.of(short_entry(base)), "A Long Name-oerlay.dtbo");
    name.clear();
    EXPECT_EQ(name.of(short_entry(base)), std::nullopt);
}

TEST(FatName, LongNamesAreUtf8) {
    FatLongName name;
    name.add(part(0x41, u"\u00e9\u20ac\U0001f353", sum_of(base)));
    EXPECT_EQ(name.of(short_entry(base)), "é€🍓");
    name.add(part(0x41, std::u16string{u'a', 0xD83C, u'b'}, sum_of(base)));
    EXPECT_EQ(
        name.of(short_entry(base)),
        "a\xef\xbf\xbd"
        "b"
    );
}

TEST(FatName, TornLongNamesAreNone) {
    FatLongName name;
    name.add(part(0x42, u"x", sum_of(base)));
    EXPECT_EQ(name.of(short_entry(base)), std::nullopt) << "the first part is missing";
    name.add(part(0x02, u"x", sum_of(base)));
    name.add(part(0x01, u"x", sum_of(base)));
    EXPECT_EQ(name.of(short_entry(base)), std::nullopt) << "out of order";
    name.add(part(0x42, u"x", sum_of(base)));
    name.add(part(0x01, u"x", 1));
    EXPECT_EQ(name.of(short_entry(base)), std::nullopt) << "of two names";
    name.add(part(0x41, u"x", sum_of(base)));
    EXPECT_EQ(name.of(short_entry("OTHER      ")), std::nullopt) << "another's";
    name.add(part(0x40, u"x", sum_of(base)));
    EXPECT_EQ(name.of(short_entry(base)), std::nullopt) << "no parts";
    name.add(part(0x5F, u"x", sum_of(base)));
    EXPECT_EQ(name.of(short_entry(base)), std::nullopt) << "more parts than 255 characters have";
}

TEST(FatName, WhatLeadsOutIsNoName) {
    for (const char* name : {"kernel8.img", "..a", "a..", "é", " "}) EXPECT_TRUE(is_fat_name(name));
    for (const char* name : {"", ".", "..", "a/b", "a\\b", "a\nb", "a\x7f", "a\xef\xbf\xbd"}) {
        EXPECT_FALSE(is_fat_name(name)) << name;
    }
    EXPECT_EQ(shown_fat_name("a\nb\x7f"), "a\\x0ab\\x7f");
}

}  // namespace
}  // namespace bramble::image
