#include "services/rehearsal/rehearsal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "config/layout/store_paths.hpp"
#include "config/types/text.hpp"
#include "services/rehearsal/root_check.hpp"
#include "services/rehearsal/spec.hpp"

namespace bramble::rehearsal {
namespace {

using namespace std::chrono_literals;
using virtual_board::Failure;

constexpr TimePoint beginning{std::chrono::hours(24 * 365 * 55)};
constexpr Duration boot_max = 10min;  // virtual
constexpr Duration pause_min = 50us;
constexpr std::uint16_t dhcp_server_port = 67;
constexpr std::uint16_t dhcp_client_port = 68;
constexpr std::uint16_t tftp_port = 69;
constexpr std::uint16_t data_port = 33'000;
constexpr std::size_t short_bytes = 2000;  // more than one block of every firmware

// Somebody's server leases addresses where ours does not: a copy of ours takes its part.
std::shared_ptr<const fleet::Fleet> with_leases(fleet::Fleet fleet) {
    fleet.appliance.dhcp.mode = fleet::DhcpMode::authoritative;
    return std::make_shared<const fleet::Fleet>(std::move(fleet));
}

// Waits that show nothing are left out.
virtual_board::Timing hurried() {
    virtual_board::Timing timing;
    timing.power_on = timing.link_up = {};
    timing.eeprom_think = timing.firmware_think = {};
    timing.kernel_min = timing.kernel_max = 1s;
    return timing;
}

}  // namespace

Rehearsal::Rehearsal(
    const fleet::Fleet& fleet,
    const layout::Manifest& manifest,
    Evidence& evidence,
    std::optional<virtual_board::Profile> firmware
)
    : fleet_(with_leases(fleet)),
      manifest_(manifest),
      evidence_(evidence),
      firmware_(std::move(firmware)),
      plays_lease_server_(fleet.appliance.dhcp.mode != fleet::DhcpMode::authoritative),
      paths_(manifest),
      gate_(manifest),
      dhcp_(fleet_, &gate_),
      tftp_(tftp::Settings{}, *this),
      boot_check_(manifest, evidence),
      now_(beginning) {}

Rehearsal::~Rehearsal() = default;

Report Rehearsal::rehearse(const layout::BoardEntry& entry) {
    Report report;
    report.board = entry.name;
    report.generation = manifest_.generation;
    if (fleet_->find_board(entry.name) == nullptr) {
        report.stop(
            Phase::address,
            fmt::format("the fleet file has no board {}, so DHCP does not know it", entry.name),
            "add it to the fleet file, or rehearse a generation that was made from this file"
        );
        return report;
    }
    if (entry.model == BoardModel::generic) {
        rehearse_generic(entry, report);
        return report;
    }
    const bool fits = firmware_ && is_firmware_of(*firmware_, entry.model);
    virtual_board::BoardSpec spec = spec_of(entry, fits ? firmware_ : std::nullopt);
    spec.timing = hurried();
    spec.initramfs_mount = virtual_board::InitramfsMount::busybox;  // looked into afterwards
    report.firmware = spec.profile.name;
    if (seen_by_ != report.firmware) seen_whole_.clear();
    seen_by_ = report.firmware;
    Boot boot(entry, report, std::move(spec), this);
    boot_ = &boot;
    run();
    boot_ = nullptr;
    return report;
}

// U-Boot, UEFI, iPXE: what they do with their files is theirs; the root is looked at all the same.
void Rehearsal::rehearse_generic(const layout::BoardEntry& entry, Report& report) {
    const auto shared = manifest_.trees.find(entry.tree);
    const bool none =
        entry.files.empty() && (shared == manifest_.trees.end() || shared->second.empty());
    if (none) {
        report.stop(
            Phase::firmware,
            "there are no boot files",
            "give the image a boot directory or the profile boot_files:"
        );
    } else {
        report.tell(
            Phase::firmware, "a generic board: what its boot loader loads is not rehearsed"
        );
    }
    if (!entry.root) return;
    report.asked = RootAsked{
        {entry.root->server, entry.root->path.string(), entry.root->nfs_version},
        "",
        entry.kernel_release};
    auto root = evidence_.mount(report.asked->root);
    if (root) return check_root(**root, "", entry.kernel_release, report);
    report.stop(Phase::root, root.error().message, "run `bramble apply`");
}

// ---- the boot

void Rehearsal::run() {
    Boot& boot = *boot_;
    const TimePoint end = now_ + boot_max;
    boot.board.on_power(now_);
    std::size_t steps = 0;
    for (; steps < steps_max && !boot.over; ++steps) {
        if (step()) continue;
        const bool failed = boot.board.last_failure().failure != Failure::none;
        if (failed || boot.board.booted() || !advance(end)) break;
    }
    check_files();
    if (const auto& failure = boot.board.last_failure(); failure.failure != Failure::none) {
        explain(failure);
    } else if (!boot.over && !boot.board.booted()) {
        boot.report.stop(
            Phase::address,
            fmt::format(
                "the boot did not end within {} in the phase '{}'",
                steps < steps_max ? "10 minutes" : "its steps",
                virtual_board::to_string(boot.board.phase())
            ),
            "this is a fault of the rehearsal: report it with the fleet file"
        );
    }
    boot.board.on_power_off();
}

// Whether anything moved at this instant.
bool Rehearsal::step() {
    bool moved = false;
    while (const auto out = boot_->board.poll_transmit(now_)) {
        to_server(*out);
        moved = true;
    }
    while (const auto action = boot_->board.poll_action()) {
        act(*action);
        moved = true;
    }
    return to_board() || moved;
}

// To the next instant at which something is due.
bool Rehearsal::advance(TimePoint end) {
    auto due = boot_->board.next_deadline();
    for (const auto& other : {dhcp_.next_deadline(), tftp_.next_deadline()}) {
        if (other && (!due || *other < *due)) due = std::max(*other, now_ + pause_min);
    }
    if (!due || *due > end) return false;
    now_ = std::max(now_, *due);
    if (const auto own = boot_->board.next_deadline(); own && *own <= now_) {
        boot_->board.on_deadline(now_);
    }
    if (const auto own = dhcp_.next_deadline(); own && *own <= now_) take(dhcp_.on_deadline(now_));
    tftp_.on_deadline(now_);
    return true;
}

void Rehearsal::to_server(const virtual_board::UdpOut& out) {
    if (out.destination_port == dhcp_server_port) {
        dhcp::Arrival arrival;
        arrival.source = out.source;
        return take(dhcp_.on_message(out.bytes, arrival, now_));
    }
    const tftp::Peer peer{out.source, out.source_port};
    if (out.destination_port == tftp_port) {
        tftp_.on_request(peer, out.bytes, now_);
    } else {
        tftp_.on_datagram(peer, out.bytes, now_);
    }
}

void Rehearsal::take(const dhcp::Outcome& outcome) {
    for (const dhcp::Event& event : outcome.events) {
        const auto* held = std::get_if<dhcp::Held>(&event.what);
        if (held == nullptr || boot_ == nullptr) continue;
        boot_->held = std::string(dhcp::to_string(held->reason));
        if (!held->detail.empty()) boot_->held += ": " + held->detail;
    }
    for (const dhcp::Reply& reply : outcome.replies) {
        virtual_board::UdpIn in;
        in.source = fleet_->appliance.address.address();
        in.source_port = dhcp_server_port;
        in.destination = Ipv4Address::broadcast();
        in.destination_port = dhcp_client_port;
        in.bytes = reply.bytes;
        boot_->board.on_datagram(in, now_);
    }
    for (const dhcp::Probe& probe : outcome.probes) {  // nobody else is on this wire
        take(dhcp_.on_probe_result(probe.address, false, now_));
    }
}

bool Rehearsal::to_board() {
    std::array<tftp::Outgoing, 8> batch;
    const std::size_t count = tftp_.poll_transmit(batch, now_);
    for (const tftp::Outgoing& out : std::span(batch).first(count)) {
        scratch_.assign(out.header.begin(), out.header.begin() + out.header_size);
        scratch_.insert(scratch_.end(), out.payload.begin(), out.payload.end());
        virtual_board::UdpIn in;
        in.source = fleet_->appliance.address.address();
        in.source_port = data_port;
        in.destination = out.peer.address;
        in.destination_port = out.peer.port;
        in.bytes = scratch_;
        boot_->board.on_datagram(in, now_);
    }
    while (tftp_.poll_event()) {
    }
    return count > 0;
}

void Rehearsal::act(const virtual_board::Action& action) {
    if (const auto* used = std::get_if<virtual_board::UseAddress>(&action))
        return on_address(*used);
    if (const auto* mount = std::get_if<virtual_board::MountRoot>(&action)) return on_mount(*mount);
    if (std::holds_alternative<virtual_board::ReportUp>(action)) {
        boot_->board.on_report_result(true, now_);
    }
}

void Rehearsal::on_address(const virtual_board::UseAddress& used) {
    if (boot_->addressed) return;  // its kernel's own
    boot_->addressed = true;
    boot_->report.tell(
        Phase::address,
        fmt::format(
            "{} for {}, files from {}{}",
            used.network.address().to_string(),
            boot_->board.spec().mac.to_string(),
            fleet_->appliance.address.address().to_string(),
            plays_lease_server_ ? " (the other DHCP server's part is played by Bramble's)" : ""
        )
    );
}

// The mount that the command line asks for, and what a kernel would find there.
void Rehearsal::on_mount(const virtual_board::MountRoot& wanted) {
    check_files();
    Boot& boot = *boot_;
    const auto& own = boot.entry.root;
    if (own && (own->path.string() != wanted.path || own->server != wanted.server)) {
        boot.report.stop(
            Phase::root,
            fmt::format(
                "the command line mounts {}:{}, and this generation exports {}:{} to the board",
                wanted.server,
                wanted.path,
                own->server,
                own->path.string()
            ),
            "leave nfsroot= out of cmdline: it is Bramble's"
        );
    }
    boot.report.asked =
        RootAsked{{wanted.server, wanted.path, wanted.version}, wanted.cmdline, boot.release};
    auto root = evidence_.mount(boot.report.asked->root);
    boot.over = true;
    if (!root) {
        return boot.report.stop(
            Phase::root,
            root.error().message,
            "its export or the directory behind it may be missing: run `bramble apply`, which "
            "makes "
            "both; `bramble doctor` looks at the NFS server"
        );
    }
    check_root(**root, wanted.cmdline, boot.release, boot.report);
}

// ---- its files

const layout::BootFile* Rehearsal::file_of(std::string_view requested, std::string& path) const {
    const tftp::Lookup lookup = paths_.resolve(&boot_->entry, requested, tftp::TrustPrefix::no);
    if (const auto* found = std::get_if<tftp::Found>(&lookup)) {
        path = found->path;
        return found->file;
    }
    if (const auto* absent = std::get_if<tftp::Absent>(&lookup)) path = absent->path;
    return nullptr;
}

tftp::Resolution Rehearsal::resolve(
    const tftp::Peer& /*peer*/, std::string_view requested, TimePoint /*now*/
) {
    std::string path(requested);
    const layout::BootFile* file = file_of(requested, path);
    const auto content = file == nullptr ? nullptr : content_of(*file, path);
    if (content == nullptr) {
        boot_->taken.missing.insert(path);
        return tftp::NotFound{boot_->entry.name, path};
    }
    return tftp::File{content, boot_->entry.name, path, manifest_.generation};
}

std::string Rehearsal::how_to_mend(const layout::ObjectFile& object) const {
    const layout::StorePaths store(fleet_->appliance.store);
    return fmt::format(
        "remove {}, run `bramble apply`, which makes it anew, and restart bramble.service, which "
        "has "
        "the old one open; look at the disk",
        store.object(object.digest).string()
    );
}

std::shared_ptr<const tftp::Content> Rehearsal::content_of(
    const layout::BootFile& file, const std::string& path
) {
    if (const auto* text = std::get_if<layout::TextFile>(&file)) {
        return std::make_shared<const tftp::Content>(tftp::Content{
            std::as_bytes(std::span(text->text))});
    }
    const auto& object = std::get<layout::ObjectFile>(file);
    auto content = evidence_.open(object);
    if (!content) {
        if (boot_->damaged.insert(path).second) {
            boot_->report.stop(
                Phase::firmware,
                fmt::format("{} is damaged in the store: {}", path, content.error().message),
                how_to_mend(object)
            );
        }
        return nullptr;
    }
    const bool update = path.find("pieeprom") != std::string::npos;  // the board compares its sum
    if (update || !seen_whole_.contains(object.digest) || object.size <= short_bytes) {
        return *content;
    }
    // Shares the object's bytes with whoever has it open.
    auto cut = std::make_shared<std::pair<std::shared_ptr<const tftp::Content>, tftp::Content>>(
        *content, tftp::Content{(*content)->bytes.first(short_bytes)}
    );
    return {cut, &cut->second};
}

void Rehearsal::on_file(const virtual_board::ReceivedFile& received) {
    std::string path;
    const layout::BootFile* file = file_of(received.path, path);
    if (file == nullptr) return;
    boot_->taken.received.push_back(path);
    const auto* object = std::get_if<layout::ObjectFile>(file);
    if (object == nullptr || seen_whole_.contains(object->digest)) return;
    if (received.digest == object->digest) {
        seen_whole_.insert(object->digest);
    } else if (boot_->damaged.insert(path).second) {
        boot_->report.stop(
            Phase::firmware,
            fmt::format("{} is damaged in the store: its bytes are not what was stored", path),
            how_to_mend(*object)
        );
    }
}

}  // namespace bramble::rehearsal
