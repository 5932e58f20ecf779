#include "services/io/catalog.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace bramble::io {
namespace {

const Ipv4Address board_a = *Ipv4Address::parse("172.16.1.3");
const Ipv4Address board_b = *Ipv4Address::parse("172.16.1.4");
const Ipv4Address elsewhere = *Ipv4Address::parse("172.16.1.150");

class CatalogTest : public testing::Test {
protected:
    CatalogTest() : store_(make_folder()), cache_(store_, 2) {}

    ~CatalogTest() override { std::filesystem::remove_all(store_.store()); }

    static std::filesystem::path make_folder() {
        std::string pattern = std::filesystem::temp_directory_path() / "bramble-catalog-XXXXXX";
        return ::mkdtemp(pattern.data());
    }

    layout::ObjectFile put(std::string_view text) {
        const Digest digest = Digest::of(text);
        std::filesystem::create_directories(store_.object(digest).parent_path());
        std::ofstream(store_.object(digest), std::ios::binary) << text;
        return {digest, text.size()};
    }

    static layout::BoardEntry entry(std::string name, Ipv4Address address, std::uint32_t serial) {
        layout::BoardEntry board;
        board.name = std::move(name);
        board.address = address;
        board.serial = Serial(serial);
        board.tree = "lab";
        board.tftp_prefixes = {Serial(serial).to_string() + "/"};
        board.files["config.txt"] = layout::TextFile{"# " + board.name};
        return board;
    }

    GenerationPtr generation(std::uint64_t number, std::string_view kernel) {
        layout::Manifest manifest;
        manifest.generation = number;
        manifest.trees["lab"]["kernel8.img"] = put(kernel);
        manifest.boards = {entry("a", board_a, 0xa), entry("b", board_b, 0xb)};
        return std::make_shared<const Generation>(std::move(manifest));
    }

    tftp::Resolution ask(Ipv4Address address, std::string_view path) {
        CatalogResolver resolver(catalog_, cache_, [this](const std::string& message) {
            damage_ += message;
        });
        return resolver.resolve({address, 1024}, path, TimePoint{});
    }

    std::string read(Ipv4Address address, std::string_view path) {
        const tftp::Resolution resolution = ask(address, path);
        if (std::holds_alternative<tftp::Refused>(resolution)) return "refused";
        const auto* file = std::get_if<tftp::File>(&resolution);
        if (file == nullptr) return "none";
        const auto bytes = file->content->bytes;
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

    layout::StorePaths store_;
    ContentCache cache_;
    Catalog catalog_;
    std::string damage_;
};

TEST_F(CatalogTest, ServesEachAddressItsBoardsTree) {
    catalog_.publish({generation(1, "kernel one"), {}, {}, tftp::TrustPrefix::no});
    EXPECT_EQ(read(board_a, "0000000a/config.txt"), "# a");
    EXPECT_EQ(read(board_b, "config.txt"), "# b");
    EXPECT_EQ(read(board_a, "0000000a/kernel8.img"), "kernel one");
    EXPECT_EQ(read(board_a, "0000000a/none"), "none");
    EXPECT_EQ(read(board_a, "0000000b/config.txt"), "refused");
    EXPECT_EQ(read(elsewhere, "0000000a/config.txt"), "refused");
}

TEST_F(CatalogTest, RefusesWhileNothingIsPublished) {
    EXPECT_EQ(read(board_a, "0000000a/config.txt"), "refused");
    catalog_.publish({});
    EXPECT_EQ(read(board_a, "0000000a/config.txt"), "refused");
}

TEST_F(CatalogTest, KnowsABoardByTheAddressThatDhcpSaw) {
    catalog_.publish({generation(1, "k"), {}, {{elsewhere, "a"}}, tftp::TrustPrefix::no});
    EXPECT_EQ(read(elsewhere, "config.txt"), "# a");
}

// An address that the fleet reserves but a stranger holds is the stranger's for as long.
TEST_F(CatalogTest, AStrangerOnAReservedAddressGetsNothing) {
    catalog_.publish({generation(1, "k"), {}, {{board_a, ""}}, tftp::TrustPrefix::no});
    EXPECT_EQ(read(board_a, "config.txt"), "refused");
}

// A board never sees a mixture of two generations: one that is booting keeps its own.
TEST_F(CatalogTest, ABoundBoardKeepsItsGenerationWhileOthersMoveOn) {
    const GenerationPtr one = generation(1, "kernel one");
    const GenerationPtr two = generation(2, "kernel two");
    catalog_.publish({two, {{"a", one}}, {}, tftp::TrustPrefix::no});
    EXPECT_EQ(read(board_a, "0000000a/kernel8.img"), "kernel one");
    EXPECT_EQ(read(board_b, "0000000b/kernel8.img"), "kernel two");
    EXPECT_EQ(std::get<tftp::File>(ask(board_a, "0000000a/kernel8.img")).generation, 1U);
    catalog_.publish({two, {}, {}, tftp::TrustPrefix::no});
    EXPECT_EQ(read(board_a, "0000000a/kernel8.img"), "kernel two");
}

TEST_F(CatalogTest, ABoundBoardKnownByItsPrefixOnlyKeepsItsGenerationToo) {
    const GenerationPtr one = generation(1, "kernel one");
    catalog_.publish({generation(2, "kernel two"), {{"a", one}}, {}, tftp::TrustPrefix::yes});
    EXPECT_EQ(read(elsewhere, "0000000a/kernel8.img"), "kernel one");
    EXPECT_EQ(read(elsewhere, "0000000b/kernel8.img"), "kernel two");
}

TEST_F(CatalogTest, OneBoardsBindingAndOneAddressChangeAlone) {
    const GenerationPtr one = generation(1, "kernel one");
    catalog_.publish({generation(2, "kernel two"), {}, {}, tftp::TrustPrefix::no});
    catalog_.bind("a", one);
    EXPECT_EQ(read(board_a, "kernel8.img"), "kernel one");
    EXPECT_EQ(read(board_b, "kernel8.img"), "kernel two");
    catalog_.bind("a", nullptr);
    EXPECT_EQ(read(board_a, "kernel8.img"), "kernel two");

    const std::string stranger, a = "a";
    catalog_.set_address(elsewhere, &a);
    EXPECT_EQ(read(elsewhere, "config.txt"), "# a");
    catalog_.set_address(board_b, &stranger);
    EXPECT_EQ(read(board_b, "config.txt"), "refused");
    catalog_.set_address(board_b, nullptr);
    EXPECT_EQ(read(board_b, "config.txt"), "# b") << "its reservation holds again";
}

// A board that the older generation does not have yet is served nothing of another.
TEST_F(CatalogTest, ABoardThatItsGenerationDoesNotHaveIsAStranger) {
    layout::Manifest none;
    none.generation = 1;
    catalog_.publish({generation(2, "kernel two"), {}, {}, tftp::TrustPrefix::no});
    catalog_.bind("a", std::make_shared<const Generation>(std::move(none)));
    EXPECT_EQ(read(board_a, "kernel8.img"), "refused");
}

TEST_F(CatalogTest, WhatATransferHoldsOutlivesItsGenerationAndTheCache) {
    catalog_.publish({generation(1, "kernel one"), {}, {}, tftp::TrustPrefix::no});
    const auto text = std::get<tftp::File>(ask(board_a, "config.txt"));
    const auto object = std::get<tftp::File>(ask(board_a, "kernel8.img"));
    for (std::uint64_t number = 2; number < 6; ++number) {
        catalog_.publish(
            {generation(number, "kernel " + std::to_string(number)), {}, {}, tftp::TrustPrefix::no}
        );
        EXPECT_EQ(read(board_a, "kernel8.img"), "kernel " + std::to_string(number));
    }
    std::filesystem::remove_all(store_.store());
    EXPECT_EQ(text.content->bytes.size(), 3U);
    EXPECT_EQ(object.content->bytes[9], std::byte{'e'});
}

TEST_F(CatalogTest, ADamagedObjectIsRefusedAndReported) {
    const GenerationPtr one = generation(1, "kernel one");
    const auto& file = std::get<layout::ObjectFile>(
        *one->manifest().find_file(one->manifest().boards[0], "kernel8.img")
    );
    std::filesystem::resize_file(store_.object(file.digest), 4);
    catalog_.publish({one, {}, {}, tftp::TrustPrefix::no});
    EXPECT_EQ(read(board_a, "kernel8.img"), "refused");
    EXPECT_NE(damage_.find("has 4 bytes, its manifest says 10"), std::string::npos) << damage_;
    EXPECT_EQ(read(board_a, "config.txt"), "# a");
}

}  // namespace
}  // namespace bramble::io
