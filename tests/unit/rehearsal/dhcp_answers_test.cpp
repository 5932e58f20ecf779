// What boards of a generation are told by DHCP, asked as they ask.
#include "services/rehearsal/dhcp_answers.hpp"

#include <gtest/gtest.h>

#include "tests/unit/rehearsal/lab.hpp"

namespace bramble::rehearsal {
namespace {

using dhcp::OptionCode;

DhcpAnswers ask(Lab& lab) {
    return ask_dhcp(lab.fleet(), lab.manifest(), lab.board());
}

TEST(DhcpAnswersTest, APiGetsItsOfferAndItsAck) {
    Lab lab;
    const DhcpAnswers answers = ask(lab);
    EXPECT_EQ(answers.client, "pi4-2023");
    ASSERT_TRUE(answers.offer) << answers.held;
    EXPECT_EQ(answers.offer->type, dhcp::MessageType::offer);
    EXPECT_EQ(answers.offer->yiaddr.to_string(), "172.16.1.3");
    EXPECT_EQ(answers.offer->options.text(OptionCode::tftp_server_name), "172.16.1.1");
    EXPECT_TRUE(answers.offer->options.has(OptionCode::vendor_specific));
    ASSERT_TRUE(answers.ack);
    EXPECT_EQ(answers.ack->type, dhcp::MessageType::ack);
    EXPECT_EQ(answers.ack->yiaddr, answers.offer->yiaddr);
    EXPECT_EQ(answers.held, "");
}

// Its offer is held back for two seconds of virtual time.
TEST(DhcpAnswersTest, APi3IsAnsweredToo) {
    Lab lab;
    lab.board().model = BoardModel::pi3;
    lab.fleet().boards.front().model = BoardModel::pi3;
    EXPECT_TRUE(ask(lab).ack);
}

TEST(DhcpAnswersTest, AGenericBoardAsksAsUBoot) {
    Lab lab;
    lab.board().model = BoardModel::generic;
    lab.board().bootfile = "boot.scr.uimg";
    lab.fleet().boards.front().model = BoardModel::generic;
    const DhcpAnswers answers = ask(lab);
    EXPECT_EQ(answers.client, "U-Boot");
    ASSERT_TRUE(answers.ack) << answers.held;
    EXPECT_EQ(answers.ack->options.text(OptionCode::bootfile_name), "boot.scr.uimg");
}

TEST(DhcpAnswersTest, InProxyModeThereIsAnOfferWithoutAnAddress) {
    Lab lab;
    lab.fleet().appliance.dhcp.mode = fleet::DhcpMode::proxy;
    const DhcpAnswers answers = ask(lab);
    ASSERT_TRUE(answers.offer);
    EXPECT_FALSE(answers.offer->yiaddr.is_set());
    EXPECT_FALSE(answers.ack);
}

TEST(DhcpAnswersTest, SilenceHasItsReason) {
    Lab lab;
    const layout::BoardEntry entry = lab.board();
    const DhcpAnswers held = ask_dhcp(lab.fleet(), layout::Manifest(), entry);
    EXPECT_FALSE(held.offer);
    EXPECT_NE(held.held.find("this generation has nothing for it"), std::string::npos) << held.held;
    lab.fleet().appliance.dhcp.mode = fleet::DhcpMode::off;
    EXPECT_FALSE(ask(lab).offer);
}

}  // namespace
}  // namespace bramble::rehearsal
