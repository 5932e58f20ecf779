// The gate between DHCP and the doorman.
#include "services/bramble/admission_gate.hpp"

#include <gtest/gtest.h>

#include "tests/unit/rehearsal/pi_manifest.hpp"

namespace bramble::program {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint at(Duration d) {
    return TimePoint(std::chrono::hours(480'000)) + d;
}

class AdmissionGateTest : public testing::Test {
protected:
    AdmissionGateTest() {
        for (const char* name : {"pi-01", "pi-02", "pi-03"}) {
            fleet::Board board;
            board.name = name;
            boards_.push_back(board);
        }
        profile_.group = "rack-1";
        gate_.set_generation(std::make_shared<const io::Generation>(rehearsal::pi_manifest()));
    }

    static admission::Settings one_place() {
        admission::Settings settings;
        settings.fill = 1;
        settings.link_bytes_per_second = settings.board_bytes_per_second;
        return settings;
    }

    std::string ask(std::size_t board, TimePoint now) {
        const dhcp::GateAnswer answer = gate_.ask({client_, &boards_[board], &profile_}, now);
        const auto* wait = std::get_if<dhcp::Wait>(&answer);
        return wait == nullptr ? "" : wait->reason;
    }

    admission::Doorman doorman_{one_place()};
    AdmissionGate gate_{doorman_};
    dhcp::Client client_;
    std::vector<fleet::Board> boards_;
    fleet::Profile profile_;
};

TEST_F(AdmissionGateTest, WhoWaitsIsToldItsPlaceAndWhenItsTurnComes) {
    EXPECT_EQ(ask(0, at(0s)), "");
    EXPECT_EQ(ask(1, at(0s)), "number 1 in the queue, its turn comes in about 2 s");
    EXPECT_EQ(doorman_.status(at(0s)).waiting[0].group, "rack-1") << "its profile's";
    for (const char* path : {"start4.elf", "kernel8.img", "initramfs8"}) {
        doorman_.on_complete("pi-01", path);
    }
    EXPECT_EQ(doorman_.poll(at(1s)), std::vector<std::string>{"pi-02"});
    EXPECT_EQ(ask(1, at(1s)), "");
}

TEST_F(AdmissionGateTest, ABoardWithoutATreeTakesNoPlace) {
    EXPECT_NE(ask(2, at(0s)).find("generation 3 has nothing for it"), std::string::npos);
    EXPECT_EQ(doorman_.status(at(0s)).inside, 0U);
}

TEST_F(AdmissionGateTest, OffAsksNobody) {
    gate_.set_enabled(false);
    EXPECT_EQ(ask(0, at(0s)), "");
    EXPECT_EQ(ask(1, at(0s)), "");
    EXPECT_EQ(doorman_.counters().asked, 0U);
}

}  // namespace
}  // namespace bramble::program
