// A fleet of two boards with a story, and a request to it. It refuses to know what is right.
#pragma once

#include <optional>
#include <string>

#include "services/web/router.hpp"

namespace bramble::web {

struct WebCase {
    WebCase() {
        fleet.appliance.interface = "eth1";
        fleet.appliance.address = *Ipv4Network::parse("172.16.1.1/24");
        fleet::Board one;
        one.name = "pi-01";
        one.serial = Serial(0x5b154510);
        one.mac = *MacAddress::parse("dc:a6:32:2e:f8:ed");
        one.address = Ipv4Address({172, 16, 1, 3});
        one.profile = "lab";
        fleet::Board two;
        two.name = "pi-02";
        two.profile = "lab";
        fleet.boards = {one, two};
        tracker.set_boards({{"pi-01", one.mac, one.serial, "pi4"}, {"pi-02", {}, {}, {}}});
        tracker.set_generation(7);
        server.version = "0.1.0";
        server.generation = 7;
        server.started = start;
        server.now = start + std::chrono::seconds(90);
    }

    void happen(
        double seconds, boards::Happening what, boards::Identity who = {"pi-01", {}, {}, {}}
    ) {
        const auto since =
            std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
        tracker.on_event({start + since, std::move(who), std::move(what)});
    }

    // One file of pi-01 that took a second.
    void file(double seconds, const std::string& path, boards::FileOutcome outcome) {
        const auto since =
            std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds - 1));
        happen(seconds, boards::FileEnded{path, outcome, 5000, 5000, 2, 7, start + since});
    }

    View view() const { return {server, fleet, tracker, admission ? &*admission : nullptr}; }

    Response get(const std::string& target, const std::string& authorization = "") {
        return answer(request("GET", target, authorization), view(), access);
    }

    // As a program on this machine asks, or the page in its browser.
    static Request request(
        const std::string& method, const std::string& target, const std::string& authorization = ""
    ) {
        Request out;
        out.method = method;
        out.target = target;
        out.authorization = authorization;
        out.host = "127.0.0.1:8080";
        return out;
    }

    static Request change(
        const std::string& method, const std::string& target, const std::string& body = ""
    ) {
        Request out = request(method, target, "Bearer correct horse");
        out.marker = "1";
        out.content_type = "application/json";
        out.body = body;
        return out;
    }

    Response ask(const Request& asked) { return answer(asked, view(), access); }

    TimePoint start{std::chrono::seconds(1'800'000'000)};  // 2027-01-15T08:00:00Z
    fleet::Fleet fleet;
    boards::Tracker tracker;
    ServerFacts server;
    std::optional<admission::Status> admission;
    Access access;
};

}  // namespace bramble::web
