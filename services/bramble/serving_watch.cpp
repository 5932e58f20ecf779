// What is looked for around boards' boots: what their generations promise, what they say beside
// DHCP and TFTP, whether they keep their roots mounted, and why they stopped.
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "provisioning/nfs/export_text.hpp"
#include "services/bramble/serving.hpp"

namespace bramble::program {

using namespace std::chrono_literals;

namespace {

constexpr Duration console_pause = 2s;  // before what consoles said is written
constexpr Duration mount_pause = 1s;    // a connection that lasts so long is a mount

bool is_initramfs(const std::string& path) {
    const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
    return name.starts_with("initramfs") || name.starts_with("initrd");
}

bool has_initramfs(const layout::Manifest& manifest, const layout::BoardEntry& entry) {
    const auto any = [](const layout::BootTree& tree) {
        return std::ranges::any_of(tree, [](const auto& file) { return is_initramfs(file.first); });
    };
    const auto tree = manifest.trees.find(entry.tree);
    return any(entry.files) || (tree != manifest.trees.end() && any(tree->second));
}

}  // namespace

boards::Expected Serving::expected_of(std::string_view board, std::uint64_t generation) const {
    boards::Expected expected;
    io::GenerationPtr found = current_;
    if (!found || found->manifest().generation != generation) {
        const auto older = older_.find(generation);
        if (older == older_.end()) return expected;
        found = older->second;
    }
    const layout::Manifest& manifest = found->manifest();
    const layout::BoardEntry* entry = manifest.find_board(board);
    if (entry == nullptr) return expected;
    expected.kernel = entry->kernel_release;
    if (entry->root) {
        expected.nfs_version = entry->root->nfs_version;
        expected.export_path = entry->root->path.string();
    }
    const layout::BootFile* cmdline = manifest.find_file(*entry, "cmdline.txt");
    if (cmdline != nullptr) {
        if (const auto* text = std::get_if<layout::TextFile>(cmdline))
            expected.cmdline = text->text;
    }
    expected.has_initramfs = has_initramfs(manifest, *entry);
    return expected;
}

// Without it boards boot as well: their consoles and mounts are not seen.
void Serving::open_watch(const io::NetworkInterface& interface) {
    io::BoardWatch::Options options;
    options.interface = interface;
    options.address = fleet_->appliance.address.address();
    options.nfs_port = nfs::nfs_port;
    options.mount_port = nfs::mount_port;
    auto watch = io::BoardWatch::open(options);
    if (watch) {
        watch_ = std::move(*watch);
    } else {
        spdlog::warn(
            "boards' consoles and mounts and other DHCP servers are not seen: {}",
            watch.error().message
        );
    }
}

void Serving::start_watch() {
    examiner_ = std::make_unique<Examiner>([this](std::string board, boards::Examined found) {
        loop_.post([this, board = std::move(board), found = std::move(found)] {
            tell_story(board, found);
        });
    });
    console_timer_ = loop_.make_timer([this] { keep_consoles(); });
    mount_timer_ = loop_.make_timer([this] { look_for_mounts(); });
    if (!watch_) return;
    watch_->start(loop_, [this](const io::Overheard& heard) { on_overheard(heard); });
}

void Serving::tell_story(const std::string& board, boards::Happening what) {
    boards::Event event;
    event.at = loop_.now();
    event.who.board = board;
    event.what = std::move(what);
    carry_out(tracker_.on_event(event));
}

void Serving::on_overheard(const io::Overheard& heard) {
    if (!heard.is_tcp && heard.port == io::console_port) return on_console(heard);
    if (!heard.is_tcp && heard.port == dhcp::client_port) {
        if (dhcp_) dhcp_->on_overheard(heard.payload, {heard.source, heard.mac});
        return;
    }
    on_knock(heard);
}

// Boards say which MAC they have; what their boot loader calls its address is anybody's guess.
std::string_view Serving::board_with(MacAddress mac) const {
    for (const fleet::Board& board : fleet_->boards) {
        if (board.mac == mac) return board.name;
    }
    for (const auto& [name, story] : tracker_.boards()) {
        if (story.boot && story.boot->mac == mac) return name;
    }
    return {};
}

void Serving::on_console(const io::Overheard& heard) {
    std::string_view board = board_with(heard.mac);
    if (board.empty()) board = board_at(heard.source);
    if (board.empty()) return;
    const std::string_view text(
        reinterpret_cast<const char*>(heard.payload.data()), heard.payload.size()
    );
    if (consoles_to_keep_.empty()) console_timer_.expire_at(loop_.now() + console_pause);
    consoles_to_keep_.emplace(board);
    tell_story(std::string(board), boards::ConsoleSaid{std::string(text), heard.source});
}

void Serving::on_knock(const io::Overheard& heard) {
    const std::string board(board_at(heard.source));
    const boards::BoardStory* story = tracker_.find(board);
    if (story == nullptr || !story->boot || story->boot->finished()) return;
    const boards::NfsDoor door = heard.port == io::portmapper_port ? boards::NfsDoor::portmapper
                                 : heard.port == nfs::mount_port   ? boards::NfsDoor::mount
                                                                   : boards::NfsDoor::nfs;
    MountWait& wait = mounting_[board];
    const bool again = heard.is_tcp && wait.address == heard.source &&
                       wait.source_port == heard.source_port && wait.sequence == heard.sequence;
    wait.address = heard.source;
    wait.source_port = heard.source_port;
    wait.sequence = heard.sequence;
    tell_story(board, boards::Knocked{door, again});
    await_mounts();
}

// The next look is not put off by those who knock meanwhile.
void Serving::await_mounts() {
    if (std::exchange(mount_look_is_due_, true)) return;
    mount_timer_.expire_at(loop_.now() + mount_pause);
}

// A refused mount leaves a connection for a moment too: one that is there at two looks is kept.
void Serving::look_for_mounts() {
    mount_look_is_due_ = false;
    std::erase_if(mounting_, [this](const auto& entry) {
        const boards::BoardStory* story = tracker_.find(entry.first);
        return story == nullptr || !story->boot || story->boot->finished() ||
               story->boot->phase != boards::Phase::root;
    });
    if (mounting_.empty()) return;
    const auto peers = io::tcp_peers_of(nfs::nfs_port);
    if (!peers) {
        spdlog::warn("mounts of boards are not seen: {}", peers.error().message);
        mounting_.clear();
        return;
    }
    std::vector<std::string> mounted;
    for (auto& [board, wait] : mounting_) {
        if (wait.seen && peers->contains(*wait.seen)) {
            mounted.push_back(board);
            continue;
        }
        const auto first = peers->lower_bound({wait.address, 0});
        const bool connected = first != peers->end() && first->address == wait.address;
        wait.seen = connected ? std::optional(*first) : std::nullopt;
    }
    for (const std::string& board : mounted) {
        mounting_.erase(board);
        tell_story(board, boards::Mounted{});
    }
    if (!mounting_.empty()) await_mounts();
}

// A board that says it is up has its root: when that was is seen as well as may be.
void Serving::note_mount_before_report(const std::string& board, Ipv4Address address) {
    if (mounting_.erase(board) == 0) return;
    const boards::BoardStory* story = tracker_.find(board);
    if (story == nullptr || !story->boot || story->boot->phase != boards::Phase::root) return;
    const auto peers = io::tcp_peers_of(nfs::nfs_port);
    if (!peers) return;
    const auto first = peers->lower_bound({address, 0});
    if (first != peers->end() && first->address == address) tell_story(board, boards::Mounted{});
}

void Serving::look_closer(const std::vector<std::string>& boards) {
    if (!examiner_) return;
    for (const std::string& name : boards) {
        const boards::BoardStory* story = tracker_.find(name);
        if (story == nullptr || !story->boot) continue;
        // Of a circle of boots: the one that has ended, whose generation the next one has as well.
        const boards::Boot& boot =
            story->boot->phase == boards::Phase::address && !story->history.empty()
                ? story->history.front()
                : *story->boot;
        if (boot.phase == boards::Phase::address) continue;
        io::GenerationPtr generation = current_;
        if (const auto older = older_.find(boot.generation); older != older_.end()) {
            generation = older->second;
        }
        examiner_->examine({name, boot.phase, fleet_, std::move(generation)});
    }
}

}  // namespace bramble::program
