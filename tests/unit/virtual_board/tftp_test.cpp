// Fact sheet 2.1 and 2.2, and 10.2 step 7: one transfer, by hand.
#include <gmock/gmock.h>

#include "services/virtual_board/tftp_client.hpp"
#include "tests/unit/virtual_board/lab.hpp"

namespace bramble::virtual_board {
namespace {

TransferRequest a_request() {
    TransferRequest request;
    request.path = "d9780558/start4.elf";
    request.options = {.tsize = true, .blksize = 1024};
    request.keep_content = true;
    return request;
}

std::vector<std::byte> data(std::uint16_t block, std::size_t size) {
    std::string packet("\0\3", 2);
    packet += static_cast<char>(block >> 8U);
    packet += static_cast<char>(block);
    return bytes_of(packet + std::string(size, 'x'));
}

std::vector<std::byte> oack(std::string_view options) {
    return bytes_of(std::string("\0\6", 2) + std::string(options));
}

constexpr std::string_view good_oack(
    "tsize\0"
    "1030\0"
    "blksize\0"
    "1024\0",
    24
);

struct Drive {
    explicit Drive(TransferRequest request) : transfer(std::move(request), now, counters) {
        transfer.poll_transmit();
    }

    // The packets that answer this one.
    std::vector<std::vector<std::byte>> give(
        const std::vector<std::byte>& packet, std::uint16_t port = 5000
    ) {
        transfer.on_datagram(port, packet, now);
        return taken();
    }

    std::vector<std::vector<std::byte>> pass(Duration time) {
        now += time;
        transfer.on_deadline(now);
        return taken();
    }

    std::vector<std::vector<std::byte>> taken() {
        std::vector<std::vector<std::byte>> out;
        while (auto packet = transfer.poll_transmit()) out.push_back(packet->bytes);
        return out;
    }

    FileStatus status() const { return transfer.result()->status; }

    Counters counters;
    TimePoint now{};
    Transfer transfer;
};

using Packets = std::vector<std::vector<std::byte>>;

TEST(FactSheet21, RrqIsByteExact) {
    const auto rrq = make_rrq("d9780558/start4.elf", {.tsize = true, .blksize = 1024});
    EXPECT_EQ(rrq.size(), 49U);
    EXPECT_EQ(
        rrq,
        bytes_of(
            {"\0\1d9780558/start4.elf\0octet\0tsize\0"
             "0\0blksize\0"
             "1024\0",
             49}
        )
    );
    EXPECT_EQ(
        make_rrq("bootcode.bin", {.tsize = false, .blksize = 0}),
        bytes_of({"\0\1bootcode.bin\0octet\0", 21})
    );
}

TEST(FactSheet22, LockStepToTheShortBlock) {
    Drive drive(a_request());
    EXPECT_EQ(drive.give(oack(good_oack)), Packets{make_ack(0)});
    EXPECT_EQ(drive.give(data(1, 1024)), Packets{make_ack(1)});
    EXPECT_EQ(drive.give(data(2, 6)), Packets{make_ack(2)});
    EXPECT_EQ(drive.status(), FileStatus::complete);
    EXPECT_EQ(drive.transfer.result()->size, 1030U);
    EXPECT_TRUE(drive.transfer.result()->oack);
    EXPECT_EQ(drive.transfer.result()->digest, Digest::of(std::string(1030, 'x')));
    EXPECT_EQ(drive.give(data(2, 6)), Packets{});  // no dallying
}

TEST(FactSheet22, ProbeEndsWithEarlyTerminate) {
    TransferRequest request = a_request();
    request.probe = true;
    const auto farewell = bytes_of({"\0\5\0\0Early terminate\0", 20});
    Drive by_oack(request);
    EXPECT_EQ(by_oack.give(oack(good_oack)), Packets{farewell});
    EXPECT_EQ(by_oack.status(), FileStatus::found);
    EXPECT_EQ(by_oack.transfer.result()->size, 1030U);
    Drive by_data(request);
    EXPECT_EQ(by_data.give(data(1, 512)), Packets{farewell});
    EXPECT_EQ(by_data.status(), FileStatus::found);
}

TEST(FactSheet22, ErrorMeansMissing) {
    Drive drive(a_request());
    EXPECT_EQ(drive.give(bytes_of({"\0\5\0\1nope\0", 9})), Packets{});
    EXPECT_EQ(drive.status(), FileStatus::missing);
}

// Never OACK an option or a value that was not asked for; and the true tsize is a must.
TEST(FactSheet22, BadOacks) {
    for (const std::string_view bad : {
             std::string_view(
                 "tsize\0"
                 "1030\0"
                 "blksize\0"
                 "1468\0",
                 24
             ),
             std::string_view(
                 "tsize\0"
                 "1030\0"
                 "blksize\0"
                 "7\0",
                 21
             ),
             std::string_view(
                 "tsize\0"
                 "1030\0"
                 "timeout\0"
                 "1\0",
                 21
             ),
             std::string_view(
                 "tsize\0"
                 "1030\0"
                 "windowsize\0"
                 "1\0",
                 24
             ),
             std::string_view(
                 "blksize\0"
                 "1024\0",
                 13
             ),
             std::string_view(
                 "tsize\0"
                 "x\0",
                 8
             ),
             std::string_view(
                 "tsize\0"
                 "1\0"
                 "tsize\0"
                 "1\0",
                 16
             ),
             std::string_view("tsize\0", 6),
             std::string_view(
                 "tsize\0"
                 "1030",
                 10
             ),
         }) {
        Drive drive(a_request());
        EXPECT_EQ(drive.give(oack(bad)), Packets{make_error(8, "BAD OACK")}) << bad;
        EXPECT_EQ(drive.status(), FileStatus::bad_oack);
    }
    TransferRequest rom = a_request();
    rom.options = {.tsize = false, .blksize = 0};
    Drive drive(rom);
    drive.give(oack(good_oack));
    EXPECT_EQ(drive.status(), FileStatus::bad_oack);
}

TEST(FactSheet22, SmallerBlksizeAndNoOackAreTaken) {
    Drive smaller(a_request());
    smaller.give(oack(
        {"tsize\0"
         "600\0"
         "blksize\0"
         "512\0",
         22}
    ));
    smaller.give(data(1, 512));
    smaller.give(data(2, 88));
    EXPECT_EQ(smaller.status(), FileStatus::complete);
    Drive none(a_request());
    none.give(data(1, 512));
    none.give(data(2, 0));
    EXPECT_EQ(none.status(), FileStatus::complete);
    EXPECT_FALSE(none.transfer.result()->oack);
}

TEST(FactSheet102, BytesMustBeTsize) {
    Drive drive(a_request());
    drive.give(oack(good_oack));
    drive.give(data(1, 1000));
    EXPECT_EQ(drive.status(), FileStatus::size_mismatch);
}

TEST(FactSheet102, DuplicateData) {
    Drive acks_again(a_request());
    acks_again.give(oack(good_oack));
    acks_again.give(data(1, 1024));
    EXPECT_EQ(acks_again.give(data(1, 1024)), Packets{make_ack(1)});

    TransferRequest old = a_request();
    old.acknowledges_duplicates = false;
    Drive ignores(old);
    ignores.give(oack(good_oack));
    ignores.give(data(1, 1024));
    EXPECT_EQ(ignores.give(data(1, 1024)), Packets{});

    TransferRequest firmware_2021 = a_request();
    firmware_2021.hangs_on_duplicate = true;
    Drive hangs(firmware_2021);
    hangs.give(oack(good_oack));
    hangs.give(data(1, 1024));
    EXPECT_EQ(hangs.give(data(1, 1024)), Packets{make_ack(2)});  // F#1631
    EXPECT_EQ(hangs.status(), FileStatus::hung);
}

TEST(FactSheet102, OtherBlocksAndOtherPortsAreIgnored) {
    Drive drive(a_request());
    drive.give(oack(good_oack));
    EXPECT_EQ(drive.give(data(2, 1024)), Packets{});
    EXPECT_EQ(drive.give(data(1, 1024), 5001), Packets{});
    EXPECT_EQ(drive.give(data(1, 1025)), Packets{});
    EXPECT_EQ(drive.give(bytes_of({"\0\3\0", 3})), Packets{});
    EXPECT_EQ(drive.counters.ignored_datagrams, 4U);
}

TEST(FactSheet22, SilenceIsAnsweredEveryTwoSecondsAndEndsAfterThirty) {
    Drive drive(a_request());
    EXPECT_EQ(drive.pass(1999ms), Packets{});
    const auto rrq = make_rrq("d9780558/start4.elf", {.tsize = true, .blksize = 1024});
    EXPECT_EQ(drive.pass(1ms), Packets{rrq});
    for (int i = 0; i < 13; ++i) EXPECT_EQ(drive.pass(2s), Packets{rrq});
    EXPECT_EQ(drive.pass(2s), Packets{});
    EXPECT_EQ(drive.status(), FileStatus::timed_out);
}

TEST(FactSheet22, LostDataIsAskedForByTheOldAck) {
    Drive drive(a_request());
    drive.give(oack(good_oack));
    drive.give(data(1, 1024));
    EXPECT_EQ(drive.pass(2s), Packets{make_ack(1)});
}

TEST(FactSheet9, ThinksBeforeEachAck) {
    TransferRequest request = a_request();
    request.think = 200us;
    Drive drive(request);
    drive.give(oack(good_oack));
    EXPECT_EQ(drive.give(data(1, 1024)), Packets{});
    EXPECT_EQ(drive.give(data(1, 1024)), Packets{});  // its ACK is on the way
    EXPECT_EQ(drive.pass(200us), Packets{make_ack(1)});
}

// Fact sheet 2.2: no roll-over before 2025-09-23, then 65535 is followed by 0.
TEST(FactSheet22, RollOver) {
    for (const bool rolls_over : {false, true}) {
        TransferRequest request = a_request();
        request.rolls_over = rolls_over;
        request.keep_content = false;
        Drive drive(request);
        drive.give(oack(
            {"tsize\0"
             "524285\0"
             "blksize\0"
             "8\0",
             23}
        ));
        for (unsigned block = 1; block <= 65535; ++block) {
            drive.give(data(static_cast<std::uint16_t>(block), 8));
        }
        ASSERT_FALSE(drive.transfer.result());
        drive.give(data(0, 5));
        EXPECT_EQ(drive.status(), rolls_over ? FileStatus::complete : FileStatus::too_large);
    }
}

TEST(Transfer, ContentIsKeptUpToItsBound) {
    TransferRequest request = a_request();
    request.options.blksize = 65464;
    Drive drive(request);
    drive.give(oack(
        {"tsize\0"
         "1309280\0"
         "blksize\0"
         "65464\0",
         28}
    ));
    for (std::uint16_t block = 1; block <= 20; ++block) drive.give(data(block, 65464));
    drive.give(data(21, 0));
    ASSERT_EQ(drive.status(), FileStatus::complete);
    EXPECT_LE(drive.transfer.result()->content.size(), Transfer::content_bytes_max);
}

}  // namespace
}  // namespace bramble::virtual_board
