// A board that the gate let wait is answered when its turn comes, not when it asks again.
#include <gtest/gtest.h>

#include "services/dhcp/server.hpp"
#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

using namespace std::chrono_literals;

class Door : public BootGate {
public:
    GateAnswer ask(const BootCandidate& /*candidate*/, TimePoint /*now*/) override {
        ++asked;
        if (open) return Admit{};
        return Wait{"number 2 in the queue"};
    }

    bool open = false;
    int asked = 0;
};

class ReleaseTest : public testing::Test {
protected:
    Door door;
    Lab lab{lab_fleet(), &door};
    TestClient pi = pi_client(pi_mac, Serial(0x1234abcd));
};

TEST_F(ReleaseTest, TheLastDiscoverIsAnsweredAtOnce) {
    EXPECT_TRUE(lab.send(pi.discover(), at(0s)).replies.empty());
    EXPECT_TRUE(lab.send(pi.discover(), at(8s)).replies.empty());
    door.open = true;
    const Outcome out = lab.server.release("pi-01", at(10s));
    ASSERT_EQ(out.replies.size(), 1U);
    const auto offer = parse(out.replies[0].bytes);
    EXPECT_EQ(offer->type, MessageType::offer);
    EXPECT_EQ(offer->xid, TransactionId(pi.xid));
    EXPECT_EQ(offer->yiaddr, ip("172.16.1.3"));
    EXPECT_EQ(out.replies[0].destination, Destination(ToHardware{mac(pi_mac), ip("172.16.1.3")}));
    EXPECT_EQ(find_event<Discovered>(out), nullptr) << "it did not ask a third time";
    EXPECT_NE(find_event<Offered>(out), nullptr);
    EXPECT_TRUE(lab.server.release("pi-01", at(11s)).replies.empty()) << "once is enough";
    EXPECT_EQ(lab.answer(pi.selecting(ip("172.16.1.3")), at(11s))->type, MessageType::ack);
}

TEST_F(ReleaseTest, NobodyIsOfferedAnythingWhoDidNotAsk) {
    door.open = true;
    EXPECT_TRUE(lab.server.release("pi-01", at(0s)).replies.empty());
    EXPECT_TRUE(lab.server.release("no-such-board", at(0s)).replies.empty());
    EXPECT_EQ(door.asked, 0);
}

TEST_F(ReleaseTest, TheGateStillHasTheLastWord) {
    lab.send(pi.discover(), at(0s));
    const Outcome out = lab.server.release("pi-01", at(1s));
    EXPECT_TRUE(out.replies.empty());
    EXPECT_NE(find_event<Held>(out), nullptr);
    door.open = true;
    EXPECT_EQ(lab.server.release("pi-01", at(2s)).replies.size(), 1U);
}

// Fact sheet 1.7: "0, +8, +24 s, then a new phase at +45 s".
TEST_F(ReleaseTest, AfterItsPhaseABoardListensForNothing) {
    lab.send(pi.discover(), at(0s));
    lab.send(pi.discover(), at(24s));
    door.open = true;
    EXPECT_TRUE(lab.server.release("pi-01", at(45s)).replies.empty());
    pi.xid = 0x55;
    EXPECT_TRUE(lab.answer(pi.discover(), at(45s)));
}

TEST_F(ReleaseTest, ANewPhaseBeginsWithANewTransaction) {
    lab.send(pi.discover(), at(0s));
    pi.xid = 0x55;
    lab.send(pi.discover(), at(45s));
    door.open = true;
    const Outcome out = lab.server.release("pi-01", at(60s));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(parse(out.replies[0].bytes)->xid, TransactionId(0x55));
}

TEST_F(ReleaseTest, APoolAddressIsProbedFirst) {
    const TestClient pool_pi = pi_client("dc:a6:32:0a:0b:0c", Serial(0x0000900f));
    fleet::Fleet fleet = lab_fleet();
    fleet::Board board = fleet.boards.front();
    board.name = "pi-released";
    board.serial = Serial(0x0000900f);
    board.mac.reset();
    board.address.reset();
    fleet.boards.push_back(board);
    lab.change_fleet(fleet);
    lab.send(pool_pi.discover(), at(0s));
    door.open = true;
    const Outcome out = lab.server.release("pi-released", at(1s));
    EXPECT_TRUE(out.replies.empty());
    ASSERT_EQ(out.probes.size(), 1U);
    const Outcome free = lab.server.on_probe_result(out.probes[0].address, false, at(1s));
    ASSERT_EQ(free.replies.size(), 1U);
    EXPECT_EQ(free.replies[0].type, MessageType::offer);
}

TEST_F(ReleaseTest, InProxyModeTheBootDataAreSent) {
    fleet::Fleet fleet = lab_fleet();
    fleet.appliance.dhcp.mode = fleet::DhcpMode::proxy;
    lab.change_fleet(fleet);
    EXPECT_TRUE(lab.send(pi.discover(), at(0s)).replies.empty());
    door.open = true;
    const Outcome out = lab.server.release("pi-01", at(3s));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_FALSE(parse(out.replies[0].bytes)->yiaddr.is_set());
    EXPECT_EQ(out.replies[0].destination, Destination(Broadcast{}));
}

TEST_F(ReleaseTest, ABoardThatLeftTheFleetIsForgotten) {
    lab.send(pi.discover(), at(0s));
    fleet::Fleet fleet = lab_fleet();
    std::erase_if(fleet.boards, [](const fleet::Board& board) { return board.name == "pi-01"; });
    lab.change_fleet(fleet);
    lab.change_fleet(lab_fleet());
    door.open = true;
    EXPECT_TRUE(lab.server.release("pi-01", at(1s)).replies.empty());
}

// A kernel or a renewing system is never held, and takes nothing from what is.
TEST_F(ReleaseTest, TheSystemsOwnRequestsAreNotHeld) {
    const TestClient kernel(pi_mac);
    EXPECT_TRUE(lab.bind(kernel, at(0s)));
    EXPECT_EQ(lab.answer(kernel.renewing(ip("172.16.1.3")), at(30s))->type, MessageType::ack);
    EXPECT_EQ(door.asked, 0);
}

}  // namespace
}  // namespace bramble::dhcp::test
