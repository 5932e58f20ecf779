// Plays a board's events to a tracker, in seconds since its power-on. It refuses to know what the
// tracker makes of them.
#pragma once

#include <string>
#include <vector>

#include "services/boards/tracker.hpp"

namespace bramble::boards {

class BootScript {
public:
    explicit BootScript(Settings settings = {}) : tracker(settings) {
        tracker.set_boards(
            {Identity{"pi-01", *MacAddress::parse("dc:a6:32:2e:f8:ed"), Serial(0x5b154510), "pi4"},
             Identity{"pi-02", *MacAddress::parse("e4:5f:01:09:02:f7"), Serial(0x91cdf03d), "pi4"}}
        );
        tracker.set_generation(7);
    }

    void at(double seconds) {
        now =
            power_on + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    }

    void happen(Happening what, const std::string& board = "pi-01") {
        Identity who;
        who.board = board;
        reaction.add(tracker.on_event({now, who, std::move(what)}));
    }

    void expect(const Expected& expected) {
        tracker.set_expectations([expected](std::string_view, std::uint64_t) { return expected; });
    }

    void discover() { happen(AskedForAddress{}); }

    // Its firmware asks, and shows its MAC.
    void discover_as(const std::string& mac, const std::string& board = "pi-01") {
        Identity who;
        who.board = board;
        who.mac = *MacAddress::parse(mac);
        reaction.add(tracker.on_event({now, who, AskedForAddress{}}));
    }

    void offer() { happen(OfferedAddress{Speaker::firmware, address}); }

    void acknowledge() { happen(GotAddress{Speaker::firmware, address}); }

    void kernel_dhcp() {
        happen(AskedForAddress{Speaker::system});
        happen(GotAddress{Speaker::system, address});
    }

    // A transfer that took `seconds` and ends now.
    void file(
        const std::string& path,
        FileOutcome outcome = FileOutcome::loaded,
        std::uint64_t bytes = 1000,
        double seconds = 0.01
    ) {
        const auto took =
            std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
        happen(FileEnded{path, outcome, bytes, bytes, 0, 7, now - took});
    }

    // Everything up to the kernel's last byte; ends at `seconds` 10.
    void load_everything() {
        at(0), discover(), offer();
        at(0.1), acknowledge();
        at(0.2), file("start4.elf", FileOutcome::probed);
        at(0.3), file("config.txt");
        at(0.4), file("pieeprom.sig", FileOutcome::missing, 0);
        at(1.5), file("start4.elf", FileOutcome::loaded, 2'303'680, 0.9);
        at(1.6), file("fixup4.dat", FileOutcome::loaded, 5'352);
        at(2), file("config.txt");
        at(3), file("bcm2711-rpi-4-b.dtb", FileOutcome::loaded, 47'484);
        at(4), file("cmdline.txt", FileOutcome::loaded, 200);
        at(5), file("kernel8.img", FileOutcome::probed);
        at(10), file("kernel8.img", FileOutcome::loaded, 9'695'883, 3);
    }

    void wait(double seconds) {
        at(seconds);
        reaction.add(tracker.on_deadline(now));
    }

    const BoardStory& story(const std::string& board = "pi-01") { return *tracker.find(board); }

    const Boot& boot() { return *story().boot; }

    // "firmware start4.elf 2.3 MB in 900 ms" of what was said since the last call, minor lines left
    // out.
    std::vector<std::string> lines() {
        std::vector<std::string> all;
        for (const StoryLine& line : reaction.lines) {
            if (line.weight != Weight::minor) all.push_back(line.phase + " " + line.text);
        }
        reaction.lines.clear();
        return all;
    }

    Tracker tracker;
    Reaction reaction;
    Ipv4Address address{{172, 16, 1, 3}};
    TimePoint power_on{std::chrono::hours(24 * 365 * 50)};
    TimePoint now = power_on;
};

}  // namespace bramble::boards
