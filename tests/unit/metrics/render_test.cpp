// The text that Prometheus reads: each number of the cores is in it, under a name as Prometheus
// recommends.
#include "services/metrics/render.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

namespace bramble::metrics {
namespace {

using namespace std::chrono_literals;

// Series with labels -> value.
std::map<std::string, double> series_of(const std::string& text) {
    std::map<std::string, double> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.front() == '#') continue;
        const auto blank = line.rfind(' ');
        out[line.substr(0, blank)] = std::stod(line.substr(blank + 1));
    }
    return out;
}

Figures everything() {
    Figures figures;
    figures.version = "0.1.0";
    figures.started = TimePoint(1'700'000'000s);
    figures.dhcp.emplace();
    figures.admission.emplace();
    figures.boards = {
        {"pi-01", boards::Condition::up, std::nullopt, 41500ms},
        {"pi-02", boards::Condition::stuck, boards::Phase::kernel, std::nullopt},
        {"pi-03", boards::Condition::never_seen, std::nullopt, std::nullopt}};
    return figures;
}

TEST(RenderTest, OneFamilyAsPrometheusReadsIt) {
    Figures figures = everything();
    figures.dhcp->counters.received[1] = 3;
    figures.dhcp->counters.received[3] = 2;
    const std::string text = render(figures);
    EXPECT_NE(
        text.find(
            "# HELP bramble_dhcp_messages_received_total DHCP messages from clients and relays, by "
            "type.\n"
            "# TYPE bramble_dhcp_messages_received_total counter\n"
            "bramble_dhcp_messages_received_total{type=\"discover\"} 3\n"
            "bramble_dhcp_messages_received_total{type=\"request\"} 2\n"
            "bramble_dhcp_messages_received_total{type=\"decline\"} 0\n"
            "bramble_dhcp_messages_received_total{type=\"release\"} 0\n"
            "bramble_dhcp_messages_received_total{type=\"inform\"} 0\n"
        ),
        std::string::npos
    ) << text;
}

TEST(RenderTest, EachNumberOfTheCoresIsThere) {
    Figures figures = everything();
    figures.dhcp->counters.sent[5] = 11;
    figures.dhcp->counters.malformed = 12;
    figures.dhcp->replies_not_durable = 13;
    figures.dhcp->leases = 14;
    figures.tftp.counters.ended[static_cast<std::size_t>(tftp::Outcome::probe)] = 15;
    figures.tftp.counters.out_data_blocks = 16;
    figures.tftp.counters.out_data_bytes = 17;
    figures.tftp.counters.retransmissions = 18;
    figures.tftp.open_transfers = 19;
    figures.admission->waiting = 20;
    figures.admission->link_bytes_per_second = 119'000'000;
    figures.admission->longest_wait = 2500ms;
    figures.admission->counters.uninvited = 3;
    figures.generation = 21;
    figures.strangers = 22;
    figures.reload = {false, 4, 1, TimePoint(1'700'000'100s)};
    figures.apply = {false, TimePoint(1'700'000'050s), 1500ms, 3, 4, 2};
    figures.tftp.answer_times.add(30us, 64);
    figures.tftp.answer_times.add(1s, 1);
    figures.tftp.overflowed_data = 23;
    figures.dhcp->overflowed = 24;
    figures.boots.add_stuck(boards::Phase::root);
    const auto series = series_of(render(figures));
    EXPECT_EQ(series.at("bramble_build_info{version=\"0.1.0\"}"), 1);
    EXPECT_EQ(series.at("bramble_start_time_seconds"), 1'700'000'000);
    EXPECT_EQ(series.at("bramble_dhcp_messages_sent_total{type=\"ack\"}"), 11);
    EXPECT_EQ(series.at("bramble_dhcp_messages_refused_total{reason=\"malformed\"}"), 12);
    EXPECT_EQ(series.at("bramble_dhcp_replies_not_durable_total"), 13);
    EXPECT_EQ(series.at("bramble_dhcp_leases"), 14);
    EXPECT_EQ(series.at("bramble_tftp_transfers_total{outcome=\"probe\"}"), 15);
    EXPECT_EQ(series.at("bramble_tftp_blocks_sent_total"), 16);
    EXPECT_EQ(series.at("bramble_tftp_payload_sent_bytes_total"), 17);
    EXPECT_EQ(series.at("bramble_tftp_retransmissions_total"), 18);
    EXPECT_EQ(series.at("bramble_tftp_transfers_open"), 19);
    EXPECT_EQ(series.at("bramble_admission_boards_waiting"), 20);
    EXPECT_EQ(series.at("bramble_admission_link_bytes_per_second"), 119'000'000);
    EXPECT_EQ(series.at("bramble_admission_longest_wait_seconds"), 2.5);
    EXPECT_EQ(series.at("bramble_admission_uninvited_total"), 3);
    EXPECT_EQ(series.at("bramble_generation"), 21);
    EXPECT_EQ(series.at("bramble_strangers"), 22);
    EXPECT_EQ(series.at("bramble_config_last_reload_successful"), 0);
    EXPECT_EQ(series.at("bramble_config_last_reload_success_timestamp_seconds"), 1'700'000'100);
    EXPECT_EQ(series.at("bramble_config_reloads_total{result=\"failed\"}"), 1);
    EXPECT_EQ(series.at("bramble_apply_last_successful"), 0);
    EXPECT_EQ(series.at("bramble_apply_last_end_timestamp_seconds"), 1'700'000'050);
    EXPECT_EQ(series.at("bramble_apply_last_duration_seconds"), 1.5);
    EXPECT_EQ(series.at("bramble_apply_last_steps{state=\"done\"}"), 3);
    EXPECT_EQ(series.at("bramble_apply_last_steps{state=\"left\"}"), 4);
    EXPECT_EQ(series.at("bramble_apply_last_warnings"), 2);
    EXPECT_EQ(series.at("bramble_tftp_answer_duration_seconds_bucket{le=\"2e-05\"}"), 0);
    EXPECT_EQ(series.at("bramble_tftp_answer_duration_seconds_bucket{le=\"5e-05\"}"), 64);
    EXPECT_EQ(series.at("bramble_tftp_answer_duration_seconds_bucket{le=\"0.1\"}"), 64);
    EXPECT_EQ(series.at("bramble_tftp_answer_duration_seconds_count"), 65);
    EXPECT_NEAR(series.at("bramble_tftp_answer_duration_seconds_sum"), 1.00192, 1e-9);
    EXPECT_EQ(series.at("bramble_receive_buffer_overflows_total{socket=\"tftp_data\"}"), 23);
    EXPECT_EQ(series.at("bramble_receive_buffer_overflows_total{socket=\"dhcp\"}"), 24);
    EXPECT_EQ(series.at("bramble_boots_stuck_total{phase=\"root\"}"), 1);
    EXPECT_EQ(series.at("bramble_boards_in_phase{phase=\"kernel\"}"), 1);
    EXPECT_EQ(series.at("bramble_boards_in_phase{phase=\"root\"}"), 0);
    EXPECT_EQ(series.at("bramble_boards{condition=\"stuck\"}"), 1);
    EXPECT_EQ(series.at("bramble_boards{condition=\"booting\"}"), 0);
    EXPECT_EQ(series.at("bramble_board_up{board=\"pi-01\"}"), 1);
    EXPECT_EQ(series.at("bramble_board_up{board=\"pi-02\"}"), 0);
    EXPECT_EQ(series.at("bramble_board_stuck{board=\"pi-01\"}"), 0);
    EXPECT_EQ(series.at("bramble_board_stuck{board=\"pi-02\"}"), 1);
    EXPECT_EQ(series.at("bramble_board_last_boot_duration_seconds{board=\"pi-01\"}"), 41.5);
    EXPECT_FALSE(series.contains("bramble_board_last_boot_duration_seconds{board=\"pi-02\"}"));
}

TEST(RenderTest, WhatIsSwitchedOffHasNoSeries) {
    const std::string text = render(Figures{});
    EXPECT_EQ(text.find("bramble_dhcp_"), std::string::npos);
    EXPECT_EQ(text.find("bramble_apply_"), std::string::npos);
    EXPECT_EQ(text.find("socket=\"dhcp\""), std::string::npos);
    EXPECT_EQ(text.find("bramble_admission_"), std::string::npos);
    EXPECT_NE(text.find("bramble_tftp_transfers_open 0\n"), std::string::npos);
}

boards::Boot boot_of(boards::BootState state, Duration total) {
    boards::Boot boot;
    boot.state = state;
    boot.phase = boards::Phase::kernel;
    boot.ended = boot.started + total;
    return boot;
}

// Only phases that a boot passed are observed: how long it lay in the one it ended in says when
// that was noticed.
TEST(BootCountersTest, PhasesThatWerePassed) {
    boards::Boot boot = boot_of(boards::BootState::abandoned, 900s);
    const auto enter = [&boot](boards::Phase phase, Duration after) {
        boot.entered[static_cast<std::size_t>(phase)] = boot.started + after;
    };
    enter(boards::Phase::address, 0s);
    enter(boards::Phase::firmware, 3s);
    enter(boards::Phase::kernel, 7s);
    boot.last_event = boot.started + 20s;
    Figures figures;
    figures.boots.add(boot);
    boot.partial = true;
    figures.boots.add(boot);
    const auto series = series_of(render(figures));
    const std::string name = "bramble_boot_phase_duration_seconds_";
    EXPECT_EQ(series.at(name + "count{phase=\"address\"}"), 1);
    EXPECT_EQ(series.at(name + "sum{phase=\"address\"}"), 3);
    EXPECT_EQ(series.at(name + "bucket{phase=\"address\",le=\"2\"}"), 0);
    EXPECT_EQ(series.at(name + "bucket{phase=\"address\",le=\"5\"}"), 1);
    EXPECT_EQ(series.at(name + "sum{phase=\"firmware\"}"), 4);
    EXPECT_EQ(series.at(name + "count{phase=\"config\"}"), 0) << "never entered";
    EXPECT_EQ(series.at(name + "count{phase=\"kernel\"}"), 0) << "it ended there";
}

TEST(BootCountersTest, BootsByOutcomeAndDuration) {
    Figures figures = everything();
    figures.boots.add(boot_of(boards::BootState::up, 30s));  // a bound belongs to its bucket
    figures.boots.add(boot_of(boards::BootState::up, 30500ms));
    figures.boots.add(boot_of(boards::BootState::up, 2h));
    figures.boots.add(boot_of(boards::BootState::abandoned, 900s));
    figures.boots.add(boot_of(boards::BootState::superseded, 9s));
    figures.boots.add(boot_of(boards::BootState::running, 9s));  // has not ended
    const auto series = series_of(render(figures));
    EXPECT_EQ(series.at("bramble_boots_total{outcome=\"up\",phase=\"userspace\"}"), 3);
    EXPECT_EQ(series.at("bramble_boots_total{outcome=\"abandoned\",phase=\"kernel\"}"), 1);
    EXPECT_EQ(series.at("bramble_boots_total{outcome=\"superseded\",phase=\"kernel\"}"), 1);
    EXPECT_EQ(series.at("bramble_boot_duration_seconds_bucket{le=\"20\"}"), 0);
    EXPECT_EQ(series.at("bramble_boot_duration_seconds_bucket{le=\"30\"}"), 1);
    EXPECT_EQ(series.at("bramble_boot_duration_seconds_bucket{le=\"45\"}"), 2);
    EXPECT_EQ(series.at("bramble_boot_duration_seconds_bucket{le=\"600\"}"), 2);
    EXPECT_EQ(series.at("bramble_boot_duration_seconds_bucket{le=\"+Inf\"}"), 3);
    EXPECT_EQ(series.at("bramble_boot_duration_seconds_count"), 3);
    EXPECT_EQ(series.at("bramble_boot_duration_seconds_sum"), 7260.5);
}

// https://prometheus.io/docs/practices/naming: counters end with _total, nothing else does; every
// family explains itself; no name comes twice.
TEST(RenderTest, NamesAreAsPrometheusRecommends) {
    std::istringstream lines(render(everything()));
    std::set<std::string> explained;
    std::size_t counters = 0;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string hash;
        std::string what;
        std::string name;
        std::string type;
        words >> hash >> what >> name >> type;
        if (what == "HELP") {
            EXPECT_TRUE(explained.insert(name).second) << name;
            EXPECT_EQ(line.back(), '.') << line;
        }
        if (what != "TYPE") continue;
        EXPECT_TRUE(explained.contains(name)) << name;
        EXPECT_EQ(type == "counter", name.ends_with("_total")) << name;
        EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << name;
        counters += type == "counter" ? 1 : 0;
    }
    EXPECT_GT(counters, 30U);
}

// A board is three series, not more.
TEST(RenderTest, SeriesAreBoundedByTheFleet) {
    Figures figures = everything();
    const std::size_t before = series_of(render(figures)).size();
    for (int i = 0; i < 1000; ++i)
        figures.boards.push_back({"b" + std::to_string(i), boards::Condition::up, std::nullopt, 40s}
        );
    EXPECT_EQ(series_of(render(figures)).size(), before + 4000);
}

}  // namespace
}  // namespace bramble::metrics
