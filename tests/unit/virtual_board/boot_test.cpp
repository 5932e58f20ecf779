// Whole boots: every profile of fact sheet 10.1, and the accidents of 10.3 that concern one board.
#include <gmock/gmock.h>

#include "services/virtual_board/machine.hpp"
#include "tests/unit/virtual_board/lab.hpp"

namespace bramble::virtual_board {
namespace {

class EveryProfile : public testing::TestWithParam<std::string_view> {};

TEST_P(EveryProfile, BootsFromAnHonestServer) {
    Lab lab(Lab::standard_spec(GetParam()));
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up) << lab.board.last_failure().detail;
    const Counters& counters = lab.board.counters();
    EXPECT_EQ(counters.config_lost, 0U);
    EXPECT_EQ(counters.bad_oacks, 0U);
    EXPECT_EQ(counters.rrq_retries + counters.ack_retries + counters.duplicate_data, 0U);
    EXPECT_EQ(counters.address_changes, 0U);
    for (const ReceivedFile& file : lab.board.received()) {
        EXPECT_EQ(file.digest, Digest::of(lab.files.at(file.path))) << file.path;
    }
    const auto* mount = std::get_if<MountRoot>(&lab.actions.at(lab.actions.size() - 2));
    ASSERT_NE(mount, nullptr);
    EXPECT_EQ(mount->path, "/srv/pi-01");
    EXPECT_EQ(mount->rsize, 131072U);
}

// A server that answers no options at all: fine for a Pi 3 and a Pi 5, config.txt is lost on a
// Pi 4 (F#1012).
TEST_P(EveryProfile, WithoutOack) {
    Lab lab(Lab::standard_spec(GetParam()));
    lab.answers_options = false;
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    const bool pi4 = lab.board.spec().profile.family == Family::pi4;
    EXPECT_EQ(lab.board.counters().config_lost > 0, pi4);
}

TEST_P(EveryProfile, SourcePortsCountUpAndBeginAnewAfterAReset) {
    Lab lab(Lab::standard_spec(GetParam()));
    const auto ports = [&] {
        std::vector<std::uint16_t> seen;
        for (const UdpOut& out : lab.sent) {
            if (out.destination_port == 69) seen.push_back(out.source_port);
        }
        return seen;
    };
    lab.run_until([&] { return ports().size() == 5; });
    const auto before = ports();
    EXPECT_EQ(before.back() - before.front(), 4);
    lab.board.on_power(lab.now);
    lab.sent.clear();
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    EXPECT_EQ(ports().front(), before.front());
    EXPECT_EQ(lab.board.counters().power_ons, 2U);
}

INSTANTIATE_TEST_SUITE_P(
    Profiles,
    EveryProfile,
    testing::Values("pi4-2020", "pi4-2021", "pi4-2023", "pi4-2026", "pi5-2026", "pi3b+"),
    [](const auto& of) {
        std::string name(of.param);
        for (char& c : name) {
            if (c == '-' || c == '+') c = '_';
        }
        return name;
    }
);

TEST(FactSheet103, DuplicatedDataHangsTheFirmwareOf2021Only) {
    for (const std::string_view profile : {"pi4-2020", "pi4-2021", "pi4-2023"}) {
        Lab lab(Lab::standard_spec(profile));
        lab.tftp = [](const std::string& path, std::vector<std::byte> packet) {
            const bool twice = path.ends_with("kernel8.img") && packet[1] == std::byte{3};
            std::vector<std::vector<std::byte>> packets(twice ? 2 : 1, packet);
            return packets;
        };
        lab.run();
        const bool hangs = profile == "pi4-2021";
        EXPECT_EQ(lab.board.phase(), hangs ? Phase::hung : Phase::up) << profile;
        EXPECT_EQ(lab.board.counters().hangs, hangs ? 1U : 0U);
        EXPECT_GT(lab.board.counters().duplicate_data, 0U);
    }
}

TEST(FactSheet103, EveryTftpPacketMayBeLostOnce) {
    Lab counting;
    std::size_t packets = 0;
    counting.tftp = [&](const std::string&, std::vector<std::byte> packet) {
        ++packets;
        return std::vector<std::vector<std::byte>>{std::move(packet)};
    };
    counting.run();
    for (std::size_t lost = 0; lost < packets; ++lost) {
        Lab lab;
        std::size_t at = 0;
        lab.tftp = [&](const std::string&, std::vector<std::byte> packet) {
            std::vector<std::vector<std::byte>> arriving;
            if (at++ != lost) arriving.push_back(std::move(packet));
            return arriving;
        };
        lab.run();
        // The lab never retransmits on its own: RRQ and ACK on silence must repair it.
        EXPECT_EQ(lab.board.phase(), Phase::up) << lost;
        EXPECT_EQ(lab.board.counters().rrq_retries + lab.board.counters().ack_retries, 1U) << lost;
    }
}

TEST(FactSheet102, TimeoutOfTheStartFileIsNotMissing) {
    BoardSpec spec = Lab::standard_spec();
    spec.eeprom.boot_order = 0xe2;
    Lab lab(spec);
    lab.tftp = [](const std::string&, const std::vector<std::byte>&) {
        return std::vector<std::vector<std::byte>>{};
    };
    lab.run();
    EXPECT_EQ(lab.board.last_failure().failure, Failure::tftp_timeout);
    EXPECT_THAT(lab.log, testing::Each(testing::HasSubstr("1234abcd/start4.elf")));
}

TEST(FactSheet17, NetBootRetriesKeepThePrefix) {
    BoardSpec spec = Lab::standard_spec();
    spec.eeprom.boot_order = 0xe2;
    spec.eeprom.net_boot_max_retries = 1;
    Lab lab(spec);
    lab.files.clear();
    lab.run();
    EXPECT_EQ(lab.board.counters().discovers, 2U);
    EXPECT_EQ(lab.log[0], "1234abcd/start4.elf nf");
    EXPECT_EQ(lab.log[lab.log.size() / 2], "start4.elf nf");
}

TEST(FactSheet22, ConfigBeyond4096BytesIsLost) {
    Lab lab;
    lab.files["1234abcd/config.txt"] = std::string(4097, '#');
    lab.run();
    EXPECT_GT(lab.board.counters().config_lost, 0U);
}

TEST(FactSheet102, CmdlineWithoutNfsRootFails) {
    Lab lab;
    lab.files["1234abcd/cmdline.txt"] = "root=PARTUUID=1 rootwait";
    lab.run(2min);
    EXPECT_EQ(lab.board.last_failure().failure, Failure::no_cmdline);
}

TEST(FactSheet102, RefusedMountIsTriedFiveTimes) {
    BoardSpec spec = Lab::standard_spec();
    spec.eeprom.boot_order = 0xe2;
    Lab lab(spec);
    lab.mounts = false;
    lab.run();
    EXPECT_EQ(lab.board.last_failure().failure, Failure::mount_failed);
    const auto mounts = std::ranges::count_if(lab.actions, [](const Action& action) {
        return std::holds_alternative<MountRoot>(action);
    });
    EXPECT_EQ(mounts, 5);
}

TEST(FactSheet102, RefusedReportIsRepeated) {
    Lab lab;
    lab.accepts_report = false;
    lab.run(1min);
    EXPECT_EQ(lab.board.phase(), Phase::userspace);
    lab.accepts_report = true;
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
}

TEST(FactSheet18, RootServerFromDhcpWhenNfsrootHasNone) {
    Lab lab;
    lab.files["1234abcd/cmdline.txt"] = "root=/dev/nfs ip=dhcp";
    lab.dhcp = [](Answer answer, std::uint8_t) {
        return std::optional(answer.with(17, "172.16.1.9:/srv/by-dhcp/%s").bytes());
    };
    lab.run();
    const auto* mount = std::get_if<MountRoot>(&lab.actions.at(lab.actions.size() - 2));
    ASSERT_NE(mount, nullptr);
    EXPECT_EQ(mount->server, "172.16.1.9");
    EXPECT_EQ(mount->path, "/srv/by-dhcp/172.16.1.3");
}

TEST(FactSheet102, UserspaceRenewsUnderItsHostname) {
    BoardSpec spec = Lab::standard_spec();
    spec.userspace_dhcp = true;
    spec.hostname = "pi-01";
    Lab lab(spec);
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    EXPECT_EQ(lab.board.counters().discovers, 3U);
    EXPECT_EQ(lab.board.counters().requests, 3U);
}

TEST(Board, EventsAreBounded) {
    BoardSpec spec = Lab::standard_spec();
    spec.record_events = true;
    Lab lab(spec);
    lab.mounts = false;
    lab.run(4h);
    std::size_t events = 0;
    while (lab.board.poll_event()) ++events;
    EXPECT_EQ(events, Board::events_max);
}

TEST(Board, EqualSeedsGiveEqualBoots) {
    Lab one;
    Lab two;
    one.run();
    two.run();
    EXPECT_EQ(one.now, two.now);
    EXPECT_EQ(one.sent_at, two.sent_at);
}

}  // namespace
}  // namespace bramble::virtual_board
