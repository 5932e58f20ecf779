// A small lab as values for the tests of planning: one image, one profile, two boards. Refuses to
// know disks.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/plan/compose.hpp"
#include "provisioning/plan/plan.hpp"

namespace bramble::plan {

class Lab : public testing::Test {
protected:
    Lab() {
        fleet.sources.push_back({"lab.yaml", "version: 1\n"});
        fleet.appliance.address = Ipv4Network::parse("172.16.1.1/24").value();
        fleet.appliance.store = "/var/lib/bramble";
        fleet::Image image;
        image.name = "lite";
        image.source = fleet::DirectorySource{"/src/boot", "/src/root"};
        image.where = {0, 3, 1};
        fleet.images.push_back(image);
        fleet::Profile profile;
        profile.name = "lab";
        profile.image = "lite";
        profile.cmdline = {"console=tty1"};
        profile.where = {0, 5, 1};
        fleet.profiles.push_back(profile);
        add_board("pi-01", "5b154510", "dc:a6:32:00:00:01", "172.16.1.11");
        add_board("pi-02", "5b154511", "dc:a6:32:00:00:02", "172.16.1.12");
        seen.sources["lite"] = key;
    }

    void add_board(const char* name, const char* serial, const char* mac, const char* address) {
        fleet::Board board;
        board.name = name;
        board.serial = Serial::parse(serial).value();
        board.mac = MacAddress::parse(mac).value();
        board.address = Ipv4Address::parse(address).value();
        board.profile = "lab";
        board.where = {0, static_cast<std::uint32_t>(10 + fleet.boards.size()), 5};
        fleet.boards.push_back(board);
    }

    static layout::ObjectFile object(std::string_view content) {
        return {Digest::of(content), content.size()};
    }

    // The image is in the store.
    void ingest() {
        ImageRecord record;
        record.key = key;
        record.has_root = true;
        record.kernel_release = "6.1.0";
        record.config_txt = "arm_64bit=1\n";
        for (const char* name :
             {"start4.elf", "fixup4.dat", "kernel8.img", "config.txt", "cmdline.txt"}) {
            record.files[name] = object(name);
        }
        seen.images[key] = record;
    }

    // Everything is as an apply leaves it.
    void apply() {
        ingest();
        Composition wanted = compose(fleet, seen, store);
        for (const auto& [board, root] : wanted.roots) {
            seen.board_roots[board] = {{root.base, root::identity_key(root.identity)}};
        }
        wanted.manifest.generation = 7;
        wanted.manifest.created = "2024-05-04T00:00:00Z";
        seen.current = wanted.manifest;
        seen.next_generation = 8;
    }

    std::string rendered() { return render(make(fleet, seen, store), fleet); }

    const Digest key = Digest::of("lite as it is");
    const layout::StorePaths store{"/var/lib/bramble"};
    fleet::Fleet fleet;
    Observed seen;
};

}  // namespace bramble::plan
