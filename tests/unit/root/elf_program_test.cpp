// What a program needs to start, read from made-up ones and from this machine's own.
#include "provisioning/root/elf_program.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "programs.hpp"

namespace bramble::root {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(ReadElf, NamesTheLoaderAndTheLibraries) {
    const auto read = read_elf(elf_program({"/lib/ld-linux.so.3", {"libm.so.6", "libc.so.6"}}));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->interpreter, "/lib/ld-linux.so.3");
    EXPECT_THAT(read->needed, ElementsAre("libm.so.6", "libc.so.6"));
}

TEST(ReadElf, AStaticProgramNeedsNothing) {
    const auto read = read_elf(elf_program({}));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->interpreter, "");
    EXPECT_THAT(read->needed, IsEmpty());
}

TEST(ReadElf, AgreesWithThisMachinesLoader) {
    std::ifstream file("/proc/self/exe", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto read = read_elf(bytes);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_THAT(read->interpreter, HasSubstr("/ld-linux"));
    EXPECT_THAT(read->needed, Contains("libc.so.6"));
}

TEST(ReadElf, WhatIsCutShortIsRefusedAndNeverReadBeyond) {
    const std::string whole = elf_program({"/lib/ld-linux.so.3", {"libc.so.6"}});
    for (std::size_t length = 0; length + 1 < whole.size(); ++length) {
        EXPECT_FALSE(read_elf(std::string_view(whole).substr(0, length))) << length;
    }
    EXPECT_EQ(read_elf("#!/bin/sh\n").error().message, "no little-endian ELF program");
}

}  // namespace
}  // namespace bramble::root
