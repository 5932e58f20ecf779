// What a board asks of the TFTP server.
#include <algorithm>
#include <iterator>

#include "config/types/text.hpp"
#include "services/boards/diagnosis.hpp"
#include "services/boards/visit.hpp"

namespace bramble::boards {
namespace {

// Files below this size are dozens per boot; the start file is told of whatever its size.
constexpr std::uint64_t major_bytes = 1'000'000;

// A Pi 4 reads config.txt before its start file as well; a Pi 5 and generic boards have none.
bool firmware_is_done(const Boot& boot) {
    bool asked = false;
    for (const FileRecord& file : boot.files) {
        if (file.file_class != FileClass::start) continue;
        if (file.loads > 0) return true;
        asked = asked || file.outcome == FileOutcome::probed;
    }
    return !asked;
}

Weight weight_of(const FileEnded& file, FileClass file_class) {
    // Nothing acknowledged at all: a request that the network doubled, or a board that was reset.
    const bool broke_off = file.outcome == FileOutcome::failed && file.bytes > 0;
    if (broke_off || file.outcome == FileOutcome::refused) return Weight::alarm;
    const bool large = file.bytes >= major_bytes || file_class == FileClass::start;
    return file.outcome == FileOutcome::loaded && large ? Weight::major : Weight::minor;
}

}  // namespace

// A transfer that timed out ends half a minute after the board was reset: it belongs to the boot in
// which it began.
bool Tracker::Visit::belongs_to_an_earlier_boot(const FileEnded& file) const {
    if (!story.boot) return false;
    if (story.boot->finished()) return file.started < *story.boot->ended;
    return file.started < story.boot->started && story.boot->discovers > 0;
}

void Tracker::Visit::operator()(const FileEnded& file) const {
    if (belongs_to_an_earlier_boot(file)) return;
    Boot& boot = open_boot();
    if (boot.files.empty() && boot.discovers == 0) {  // a static address: no DHCP was seen
        boot.started = std::min(boot.started, file.started);
        if (file.generation != 0) boot.generation = file.generation;
    }
    if (file.outcome == FileOutcome::loaded) boot.restarts = 0;
    wake(boot);
    if (boot.state == BootState::waiting) boot.state = BootState::running;
    const FileClass file_class = classify(file.path);
    enter(boot, Phase::firmware);
    const FileRecord* record = this->record(boot, file, file_class);
    if (file_class == FileClass::config && firmware_is_done(boot)) enter(boot, Phase::config);
    if (file_class == FileClass::kernel && file.outcome != FileOutcome::missing) {
        enter(boot, Phase::kernel);
    }
    say(boot.phase, describe_file(file, at), weight_of(file, file_class));
    if (record != nullptr && is_storm(*record) && record->asked == storm_requests_min) {
        stop(boot, "circle");
    }
}

FileRecord* Tracker::Visit::record(Boot& boot, const FileEnded& file, FileClass file_class) const {
    auto found = std::find_if(boot.files.begin(), boot.files.end(), [&](const FileRecord& r) {
        return r.path == file.path;
    });
    if (found == boot.files.end()) {
        if (boot.files.size() >= Boot::files_max) {
            ++boot.files_dropped;
            return nullptr;
        }
        FileRecord fresh;
        fresh.path = file.path;
        fresh.file_class = file_class;
        fresh.first_asked = file.started;
        boot.files.push_back(std::move(fresh));
        found = std::prev(boot.files.end());
    }
    ++found->asked;
    found->retransmissions += file.retransmissions;
    found->last_ended = at;
    if (file.outcome == FileOutcome::probed) ++found->probes;
    if (file.outcome == FileOutcome::loaded) {
        ++found->loads;
        found->bytes = file.bytes;
        found->took = at - file.started;
    }
    if (found->loads == 0 || file.outcome == FileOutcome::loaded) found->outcome = file.outcome;
    if (found->loads == 0) found->bytes = file.bytes;
    return &*found;
}

}  // namespace bramble::boards
