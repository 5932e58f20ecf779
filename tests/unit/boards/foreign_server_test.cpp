// Another DHCP server on the wire: heard, offering, taken; and the whole sentence that is said of
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/boards/boot_script.hpp"

namespace bramble::boards {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr Ipv4Address foreign({172, 16, 1, 254});

struct ForeignServerTest : testing::Test, BootScript {
    std::string after_silence() {
        const Duration since = now - power_on;
        wait(std::chrono::duration<double>(since).count() + 400);
        return boot().diagnosis;
    }
};

TEST_F(ForeignServerTest, DidNotTakeItsOfferWhileAnotherServerWasHeard) {
    at(0), happen(ForeignServerHeard{foreign, {}}, "");
    at(100), discover(), offer();
    EXPECT_EQ(
        after_silence(),
        "it was offered 172.16.1.3 once and did not take it, and another DHCP server, "
        "172.16.1.254, "
        "was heard on this wire: switch that server off on this wire, or set dhcp: {mode: proxy}"
    );
}

TEST_F(ForeignServerTest, DidNotTakeItsOfferAndIsOfferedAnother) {
    at(0), happen(ForeignServerHeard{foreign, MacAddress({2, 0, 0, 0, 0, 0xfe})}, "");
    at(1), happen(ForeignServerHeard{foreign, {}}, "");  // a client of its
    at(2), discover(), offer();
    for (int i = 0; i < 2; ++i) happen(OfferedByAnother{foreign, Ipv4Address({172, 16, 1, 207})});
    EXPECT_THAT(
        lines(),
        Contains("address is offered 172.16.1.207 by another DHCP server, 172.16.1.254").Times(1)
    );
    EXPECT_EQ(
        after_silence(),
        "it was offered 172.16.1.3 once and did not take it: another DHCP server, 172.16.1.254 "
        "(MAC 02:00:00:00:00:fe), offers it 172.16.1.207; switch that server off on this wire, or "
        "set dhcp: {mode: proxy}"
    );
}

TEST_F(ForeignServerTest, AnothersOfferThatItDoesNotTakeIsNoCause) {
    load_everything();
    happen(OfferedByAnother{foreign, Ipv4Address({172, 16, 1, 207})});
    EXPECT_THAT(after_silence(), StartsWith("kernel8.img was loaded, but nothing was heard"));
}

TEST_F(ForeignServerTest, OtherServersAreBounded) {
    for (std::uint8_t i = 0; i < 100; ++i) {
        happen(ForeignServerHeard{Ipv4Address({10, 0, 0, i}), {}}, "");
    }
    const auto servers = tracker.foreign_servers(now);
    ASSERT_EQ(servers.size(), Settings{}.foreign_servers_max);
    EXPECT_EQ(servers.front().name(), "10.0.0.99");
    at(601), happen(ForeignServerHeard{foreign, {}}, "");
    EXPECT_EQ(tracker.foreign_servers(now).size(), 1U);
}

TEST_F(ForeignServerTest, OffersInManyNamesAreToldAFewTimes) {
    at(0), discover(), offer();
    lines();
    for (std::uint8_t i = 0; i < 100; ++i) {
        happen(OfferedByAnother{Ipv4Address({10, 0, 0, i}), Ipv4Address({172, 16, 1, 207})});
        happen(OfferedByAnother{foreign, Ipv4Address({172, 16, 1, 208})});
    }
    EXPECT_EQ(lines().size(), Boot::rivals_told_max);
    EXPECT_EQ(boot().rival_offer->server, foreign);
}

TEST_F(ForeignServerTest, AnothersOfferIsNoSignOfLife) {
    at(0), discover(), offer();
    at(30), happen(OfferedByAnother{foreign, Ipv4Address({172, 16, 1, 207})});
    EXPECT_EQ(story().last_seen, power_on);
}

TEST_F(ForeignServerTest, AProxyOffersBootDataAlone) {
    at(0), discover(), offer();
    happen(OfferedByAnother{foreign, {}});
    EXPECT_THAT(
        lines(), Contains("address is offered boot data by another DHCP server, 172.16.1.254")
    );
    EXPECT_THAT(after_silence(), HasSubstr("172.16.1.254, offers it boot data; switch"));
}

TEST_F(ForeignServerTest, AServerThatWasHeardLongAgoIsNoCause) {
    at(0), happen(ForeignServerHeard{foreign, {}}, "");
    at(900), discover(), offer();
    EXPECT_THAT(after_silence(), Not(HasSubstr("172.16.1.254")));
}

TEST_F(ForeignServerTest, TookAnotherServersOffer) {
    at(0), discover(), offer();
    at(0.1), happen(TookAnotherOffer{foreign, Ipv4Address({172, 16, 1, 207})});
    EXPECT_EQ(
        after_silence(),
        "it took 172.16.1.207 from another DHCP server, 172.16.1.254, which gives it nothing to "
        "boot: switch that server off on this wire, or set dhcp: {mode: proxy}"
    );
    EXPECT_THAT(
        lines(), Contains("address takes 172.16.1.207 from another DHCP server, 172.16.1.254")
    );
}

TEST_F(ForeignServerTest, TookAnotherServersOfferAndIsSeenWithItsAddress) {
    address = Ipv4Address({172, 16, 1, 207});
    at(0), discover(), offer();
    at(0.1), happen(TookAnotherOffer{foreign, address}), acknowledge();
    EXPECT_EQ(
        after_silence(),
        "it took 172.16.1.207 from another DHCP server, 172.16.1.254, and never asked for a file "
        "here: switch that server off on this wire, or set dhcp: {mode: proxy}"
    );
}

}  // namespace
}  // namespace bramble::boards
