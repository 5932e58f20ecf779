#include "services/bramble/generations.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "services/bramble/provisioned_gate.hpp"

namespace bramble::program {
namespace {

class GenerationsTest : public testing::Test {
protected:
    GenerationsTest() : store_(make_folder()) {}

    ~GenerationsTest() override { std::filesystem::remove_all(store_.store()); }

    static std::filesystem::path make_folder() {
        std::string pattern = std::filesystem::temp_directory_path() / "bramble-gen-XXXXXX";
        return ::mkdtemp(pattern.data());
    }

    void publish(std::uint64_t number, std::uint64_t says) {
        layout::Manifest manifest;
        manifest.generation = says;
        manifest.created = "2026-01-02T03:04:05Z";
        layout::BoardEntry board;
        board.name = "pi-01";
        board.profile = "lab";
        board.tftp_prefixes = {"pi-01/"};
        board.bootfile = "boot.scr";
        board.root = layout::Export{"/srv/root", "172.16.1.1"};
        manifest.trees["lab"] = {};
        board.tree = "lab";
        manifest.boards = {board};
        std::filesystem::create_directories(store_.generation(number));
        std::ofstream(store_.manifest(number)) << layout::write_manifest(manifest);
        std::filesystem::remove(store_.current());
        std::filesystem::create_symlink(
            std::filesystem::path("generations") / std::to_string(number), store_.current()
        );
    }

    layout::StorePaths store_;
};

TEST_F(GenerationsTest, NothingPublishedIsNoError) {
    const auto generation = load_current_generation(store_);
    ASSERT_TRUE(generation) << generation.error().message;
    EXPECT_EQ(*generation, nullptr);
}

TEST_F(GenerationsTest, ReadsWhatCurrentPointsTo) {
    publish(7, 7);
    const auto generation = load_current_generation(store_);
    ASSERT_TRUE(generation) << generation.error().message;
    EXPECT_EQ((*generation)->manifest().generation, 7U);
    publish(8, 8);
    EXPECT_EQ((*load_generation(store_, 7))->manifest().generation, 7U);
}

TEST_F(GenerationsTest, RefusesWhatIsNotSound) {
    publish(7, 6);
    EXPECT_FALSE(load_current_generation(store_));
    std::ofstream(store_.manifest(7)) << "{";
    EXPECT_FALSE(load_current_generation(store_));
    std::filesystem::remove_all(store_.generations());
    EXPECT_FALSE(load_current_generation(store_));
    std::filesystem::remove(store_.current());
    std::filesystem::create_symlink("elsewhere", store_.current());
    const auto generation = load_current_generation(store_);
    ASSERT_FALSE(generation);
    EXPECT_EQ(
        generation.error().message,
        store_.current().string() +
            " points to elsewhere, which is no generation: run "
            "`bramble apply`"
    );
}

TEST_F(GenerationsTest, ABoardWaitsUntilThereIsSomethingForIt) {
    ProvisionedGate gate;
    fleet::Board board;
    board.name = "pi-02";
    const dhcp::Client client;
    const dhcp::BootCandidate unprovisioned{client, &board, nullptr};
    EXPECT_EQ(
        std::get<dhcp::Wait>(gate.ask(unprovisioned, TimePoint{})).reason,
        "nothing is published yet: run `bramble apply`"
    );
    publish(7, 7);
    gate.set_generation(*load_current_generation(store_));
    EXPECT_EQ(
        std::get<dhcp::Wait>(gate.ask(unprovisioned, TimePoint{})).reason,
        "generation 7 has nothing for it: run `bramble apply`"
    );
    board.name = "pi-01";
    const dhcp::BootCandidate provisioned{client, &board, nullptr};
    EXPECT_TRUE(std::holds_alternative<dhcp::Admit>(gate.ask(provisioned, TimePoint{})));
    EXPECT_EQ(gate.parameters(provisioned).bootfile, "boot.scr");
    EXPECT_EQ(gate.parameters(provisioned).root_path, "172.16.1.1:/srv/root");
}

}  // namespace
}  // namespace bramble::program
