#include <fmt/format.h>

#include <utility>

#include "services/virtual_board/machine.hpp"

namespace bramble::virtual_board {

namespace {

RrqOptions rrq_options(const Profile& profile, FileStage stage) {
    switch (stage) {
        case FileStage::rom:
            return {.tsize = false, .blksize = 0};
        case FileStage::boot_loader:
            return {.tsize = true, .blksize = profile.eeprom_blksize};
        case FileStage::firmware:
            break;
    }
    return {.tsize = true, .blksize = profile.firmware_blksize};
}

std::string_view outcome_word(FileStatus status) {
    switch (status) {
        case FileStatus::missing:
            return "missing";
        case FileStatus::found:
            return "probed";
        case FileStatus::complete:
            return "received";
        case FileStatus::timed_out:
            return "timed out";
        case FileStatus::bad_oack:
            return "BAD OACK";
        case FileStatus::size_mismatch:
            return "size is not its tsize";
        case FileStatus::too_large:
            return "too large";
        case FileStatus::hung:
            break;
    }
    return "hung";
}

std::string with_address(std::string path, Ipv4Address address) {
    if (path.empty()) path = "/tftpboot/%s";  // nfsroot.rst: the default
    if (const auto at = path.find("%s"); at != std::string::npos) {
        path.replace(at, 2, address.to_string());
    }
    return path;
}

}  // namespace

void Board::Machine::begin_files(TimePoint now) {
    if (!keep_prefix_) prefix = tftp_prefix_of(spec);
    received.clear();
    enter(Phase::eeprom_files, now);
    state_.emplace<Fetching>(FileOrder(spec, prefix, counters), now);
}

void Board::Machine::start_transfer(Fetching& fetching, const FileWanted& wanted, TimePoint now) {
    const Profile& profile = spec.profile;
    const bool firmware = wanted.stage == FileStage::firmware;
    TransferRequest request{
        .path = wanted.path,
        .probe = wanted.probe,
        .options = rrq_options(profile, wanted.stage),
        .keep_content = wanted.keep_content,
        .acknowledges_duplicates = profile.acknowledges_duplicates,
        .rolls_over = profile.rolls_over,
        .hangs_on_duplicate = firmware && profile.hangs_on_duplicate_data,
        .think = firmware ? spec.timing.firmware_think : spec.timing.eeprom_think,
        .resend = spec.timing.tftp_resend,
        .file_timeout = spec.eeprom.tftp_file_timeout,
        .digest = spec.digests};
    fetching.port = port_++;  // a new one per request, counting up (E#74)
    fetching.transfer.emplace(std::move(request), now, counters, observer_);
}

void Board::Machine::on_file_result(Fetching& fetching, TimePoint now) {
    const FileResult result = *fetching.transfer->result();
    const std::string path = fetching.transfer->request().path;
    fetching.transfer.reset();
    fetching.next_at = now + chance_.between(spec.timing.gap_min, spec.timing.gap_max);
    if (spec.record_events) {
        note(
            now, fmt::format("{} {} ({} B)", path, outcome_word(result.status), result.size), true
        );
    }
    if (result.status == FileStatus::found) ++counters.probes;
    if (result.status == FileStatus::complete) {
        ++counters.files;
        received.push_back({path, result.size, result.digest});
        if (observer_ != nullptr) observer_->on_file(received.back());
    }
    fetching.order.on_result(result);
    prefix = fetching.order.prefix();
}

void Board::Machine::settle_fetching(Fetching& fetching, TimePoint now) {
    while (true) {
        if (fetching.transfer) {
            while (auto out = fetching.transfer->poll_transmit()) {
                outgoing_.push_back(
                    {*address, fetching.port, *server, out->destination_port, std::move(out->bytes)}
                );
            }
            if (!fetching.transfer->result()) return;
            on_file_result(fetching, now);
        }
        if (!std::holds_alternative<StillReading>(fetching.order.verdict())) {
            const FilesVerdict verdict = fetching.order.verdict();
            return on_verdict(verdict, now);
        }
        if (now < fetching.next_at) return;
        const auto wanted = fetching.order.next();
        if (!wanted) continue;  // the last decision was a verdict
        phase = wanted->stage == FileStage::firmware ? Phase::firmware_files : Phase::eeprom_files;
        start_transfer(fetching, *wanted, now);
    }
}

void Board::Machine::on_verdict(const FilesVerdict& verdict, TimePoint now) {
    if (const auto* failure = std::get_if<BootFailure>(&verdict)) return fail(*failure, now);
    if (const auto* flashed = std::get_if<EepromFlashed>(&verdict)) {
        note(now, "EEPROM flashed, reset");
        spec.eeprom.update_timestamp = flashed->timestamp;
        drop_address();
        boot_mode_ = 0;
        return wait(Phase::power, now, spec.timing.power_on);
    }
    if (const auto* loaded = std::get_if<KernelLoaded>(&verdict)) begin_kernel(*loaded, now);
}

void Board::Machine::begin_kernel(const KernelLoaded& loaded, TimePoint now) {
    auto boot = parse_cmdline(loaded.cmdline);
    if (!boot) return fail({Failure::no_cmdline, boot.error().message, {}}, now);
    if (auto ok = check_mount_options(boot->root, loaded.initramfs, spec.initramfs_mount); !ok) {
        return fail({Failure::bad_nfsroot, ok.error().message, {}}, now);
    }
    kernel_ = std::move(*boot);
    // The firmware's last packets (an ACK, an ERROR) still leave; then nobody answers its ARP.
    if (address) actions_.emplace_back(DropAddress{});
    address.reset();
    wait(Phase::kernel, now, chance_.between(spec.timing.kernel_min, spec.timing.kernel_max));
}

void Board::Machine::begin_kernel_address(TimePoint now) {
    mount_tries_ = 0;
    const auto* fixed = std::get_if<IpStatic>(&kernel_->ip);
    if (fixed == nullptr) return begin_dhcp(Phase::kernel_address, DhcpStage::kernel, now);
    if (kernel_->root.server.empty() && fixed->server) {
        kernel_->root.server = fixed->server->to_string();
    }
    if (firmware_address_ && *firmware_address_ != fixed->client) ++counters.address_changes;
    configure(fixed->client, fixed->mask.value_or(class_mask(fixed->client)), fixed->gateway);
    mount(now);
}

void Board::Machine::mount(TimePoint now) {
    const NfsRoot& root = kernel_->root;
    if (root.server.empty()) {
        return fail({Failure::bad_nfsroot, "neither nfsroot= nor DHCP names a server", {}}, now);
    }
    enter(Phase::root, now);
    actions_.emplace_back(MountRoot{
        .server = root.server,
        .path = with_address(root.path, *address),
        .version = root.version,
        .rsize = root.rsize,
        .wsize = root.wsize,
        .options = root.options,
        .cmdline = kernel_->cmdline});
}

}  // namespace bramble::virtual_board
