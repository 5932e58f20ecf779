// What a board asks of DHCP servers, and what it is told.
#include <fmt/format.h>

#include <algorithm>

#include "config/types/text.hpp"
#include "services/boards/diagnosis.hpp"
#include "services/boards/visit.hpp"

namespace bramble::boards {
namespace {

// So soon after its last sign a board that has loaded nothing yet still tries the same boot.
constexpr Duration retry_max = std::chrono::seconds(30);
// Firmware that starts over takes the link down first, and a switch port may block it for a while.
constexpr Duration restart_max = std::chrono::seconds(90);

bool nothing_loaded(const Boot& boot) {
    return std::none_of(boot.files.begin(), boot.files.end(), [](const FileRecord& file) {
        return file.loads > 0 || file.outcome == FileOutcome::failed;
    });
}

std::string since_last_file(const Boot& boot, TimePoint at) {
    TimePoint last = boot.started;
    for (const FileRecord& file : boot.files) last = std::max(last, file.last_ended);
    return describe(at - last) + " after its last file";
}

}  // namespace

void Tracker::Visit::operator()(const AskedForAddress& asked) const {
    if (asked.speaker == Speaker::system) return on_system_dhcp({});
    if (!is_open(story) || !is_same_boot(*story.boot)) {
        begin(Phase::address);
        say(Phase::address, "asks for an address");
    }
    Boot& boot = *story.boot;
    if (boot.discovers > 0) boot.widest_gap = std::max(boot.widest_gap, at - boot.last_event);
    const bool begins_anew = boot.phase == Phase::firmware && !boot.files.empty();
    wake(boot);
    ++boot.discovers;
    look_for_a_twin(boot);
    if (begins_anew && ++boot.restarts == restarts_max) return stop(boot, "circle");
    const bool asks_on = boot.phase == Phase::address && boot.offers >= offers_max;
    if (asks_on && boot.state == BootState::running) stop(boot, "circle");
}

// A board asks several times for one boot: until it is answered, and again where its first attempt
// found nothing to load (U-Boot looks for a script, then asks anew for a menu).
bool Tracker::Visit::is_same_boot(const Boot& boot) const {
    if (boot.partial) return false;  // of an earlier run of the server; firmware loads all anew
    if (boot.phase == Phase::address) return true;
    if (boot.phase != Phase::firmware || !nothing_loaded(boot)) return false;
    return at - boot.last_event <= (boot.files.empty() ? retry_max : restart_max);
}

// Two boards behind one name ask by turns or one after the other; one of them may be up, or may
// have given up, when the other begins. Their firmware is known by its MAC, which does not change
// between two requests of one boot. True: that is news.
bool Tracker::Visit::find_a_twin(Boot& boot) const {
    if (!boot.mac) return false;
    const auto twin = story.twin_of(*boot.mac, at);
    if (!twin || boot.mac_of_twin == twin) return false;
    boot.mac_of_twin = twin;
    return true;
}

void Tracker::Visit::look_for_a_twin(Boot& boot) const {
    if (!who.mac) return;
    story.claims.add(*who.mac, at);
    if (boot.mac_of_twin == who.mac) boot.mac_of_twin = boot.mac;  // it is the other's turn
    boot.mac = who.mac;
    if (!find_a_twin(boot)) return;
    say(Phase::address,
        fmt::format(
            "two boards claim to be it, {} and {}: look at serial: and mac: in the fleet file",
            boot.mac->to_string(),
            boot.mac_of_twin->to_string()
        ),
        Weight::alarm);
}

void Tracker::Visit::operator()(const OfferedAddress& offered) const {
    if (offered.speaker == Speaker::system || !is_open(story)) return;
    Boot& boot = *story.boot;
    wake(boot);
    if (boot.state == BootState::waiting) {
        say("waiting", "its turn has come");
        boot.state = BootState::running;
        boot.generation = tracker.generation_;  // nothing was served from the one it found
        boot.kernel = tracker.expected_of(story.board, boot.generation).kernel;
        reaction.rebound.push_back(story.board);
    }
    boot.hold_reason.clear();
    ++boot.offers;
    boot.address = offered.address;
}

void Tracker::Visit::operator()(const GotAddress& got) const {
    if (got.speaker == Speaker::system) return on_system_dhcp(got.address);
    Boot& boot = open_boot();
    wake(boot);
    if (boot.state == BootState::waiting) boot.state = BootState::running;
    boot.hold_reason.clear();
    boot.address = got.address;
    if (boot.phase != Phase::address) return;  // an ACK that was asked for twice
    enter(boot, Phase::firmware);
    say(Phase::address,
        fmt::format("{} after {}", got.address.to_string(), describe(at - boot.started)));
}

void Tracker::Visit::operator()(const Held& held) const {
    const bool fresh = !is_open(story);
    Boot& boot = open_boot();
    if (boot.phase != Phase::address) return;
    boot.last_event = at;
    if (fresh || boot.state != BootState::waiting || boot.hold_reason != held.reason) {
        say("waiting", held.reason);
    }
    boot.state = BootState::waiting;
    boot.hold_reason = held.reason;
}

// Boards merge offers (fact sheet 1.6): an address of another server and our boot data are a whole
// boot. So it is told and remembered, and is the cause only when nothing follows.
void Tracker::Visit::operator()(const TookAnotherOffer& other) const {
    if (!is_open(story)) return;
    Boot& boot = *story.boot;
    wake(boot);
    const OtherOffer offer{other.server, other.address};
    const bool is_news = boot.other_offer != offer;
    boot.other_offer = offer;
    if (!is_news) return;
    say(boot.phase,
        fmt::format(
            "takes {} from another DHCP server, {}",
            other.address.to_string(),
            other.server.to_string()
        ),
        Weight::alarm);
}

// No sign of the board's, and no harm as long as it takes ours.
void Tracker::Visit::operator()(const OfferedByAnother& other) const {
    if (!is_open(story)) return;
    Boot& boot = *story.boot;
    boot.rival_offer = OtherOffer{other.server, other.address};
    // Anyone on the wire can make them, each in another server's name.
    auto& told = boot.rivals_told;
    if (told.size() >= Boot::rivals_told_max) return;
    if (std::ranges::find(told, other.server) != told.end()) return;
    told.push_back(other.server);
    say(boot.phase,
        fmt::format(
            "is offered {} by another DHCP server, {}",
            describe_offer(other.address),
            other.server.to_string()
        ),
        Weight::alarm);
}

// The running system's own DHCP: the kernel is alive. A board that is up renews its lease so.
void Tracker::Visit::on_system_dhcp(std::optional<Ipv4Address> address) const {
    if (!is_open(story) || story.boot->phase < Phase::kernel) return;
    Boot& boot = *story.boot;
    wake(boot);
    if (address) boot.address = *address;
    if (boot.phase != Phase::kernel) return;
    enter(boot, Phase::root);
    say(Phase::kernel, "runs and asks for an address " + since_last_file(boot, at));
}

}  // namespace bramble::boards
