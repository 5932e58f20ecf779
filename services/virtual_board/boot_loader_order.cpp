#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "services/virtual_board/file_order.hpp"

namespace bramble::virtual_board {

namespace {

constexpr LedCode led_no_start_file{0, 4};
constexpr LedCode led_signature{2, 4};

unsigned board_type(const BoardSpec& spec) {
    return spec.revision.value() >> 4U & 0xffU;
}

// Boards up to revision 1.3 carry the VL805's own flash chip.
bool has_vl805_flash(const BoardSpec& spec) {
    return board_type(spec) == 0x11 && (spec.revision.value() & 0xfU) <= 3;
}

// pieeprom.sig: 64 hex digits, then "ts: SECONDS" (fact sheet 5.3).
std::optional<std::uint64_t> signature_timestamp(std::string_view text) {
    const auto at = text.find("\nts:");
    if (at == std::string_view::npos) return std::nullopt;
    text = text.substr(at + 4);
    text = text.substr(std::min(text.find_first_not_of(' '), text.size()));
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end != text.data() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string tftp_prefix_of(const BoardSpec& spec) {
    switch (spec.eeprom.tftp_prefix) {
        case TftpPrefix::serial:
            break;
        case TftpPrefix::text:
            return spec.eeprom.tftp_prefix_str.substr(0, 32);
        case TftpPrefix::mac:
            return spec.mac.with_dashes() + "/";
    }
    return spec.serial.to_string() + "/";
}

FileOrder::FileOrder(const BoardSpec& spec, std::string prefix, Counters& counters)
    : spec_(spec),
      prefix_(std::move(prefix)),
      counters_(counters),
      facts_{
          .model = spec.revision.model().value_or(spec.profile.model),
          .board_type = board_type(spec),
          .serial = spec.serial,
          .is_3b_plus = board_type(spec) == 0x0d} {
    switch (spec.profile.family) {
        case Family::pi3:
            begin_pi3();
            break;
        case Family::pi4:
            begin_pi4();
            break;
        case Family::pi5:
            begin_pi5();
            break;
    }
}

void FileOrder::add(Step step) {
    steps_.insert(steps_.begin() + static_cast<std::ptrdiff_t>(insert_at_), std::move(step));
    ++insert_at_;
}

void FileOrder::fail_boot(Failure failure, std::string detail, std::optional<LedCode> led) {
    verdict_ = BootFailure{failure, std::move(detail), led};
}

std::optional<FileWanted> FileOrder::next() {
    while (std::holds_alternative<StillReading>(verdict_) && !steps_.empty()) {
        current_ = std::move(steps_.front());
        steps_.pop_front();
        insert_at_ = 0;
        if (current_.call != nullptr) {
            (this->*current_.call)();
            continue;
        }
        return FileWanted{
            (current_.without_prefix ? "" : prefix_) + current_.name,
            current_.probe,
            current_.keep_content,
            stage_};
    }
    return std::nullopt;
}

void FileOrder::on_result(const FileResult& result) {
    const std::string path = (current_.without_prefix ? "" : prefix_) + current_.name;
    switch (result.status) {
        case FileStatus::timed_out:  // not the same as "not found" (fact sheet 2.2)
            return fail_boot(Failure::tftp_timeout, path + " was never answered, or stalled");
        case FileStatus::size_mismatch:
            return fail_boot(
                Failure::size_mismatch,
                fmt::format("{}: {} bytes came, tsize said otherwise", path, result.size)
            );
        case FileStatus::too_large:
            return fail_boot(Failure::file_too_large, path + " has more than 65535 blocks");
        case FileStatus::hung:
            return fail_boot(Failure::duplicate_data_hang, path + ": hung on a DATA it had");
        case FileStatus::found:
            if (current_.full_after_probe) {
                Step full = current_;
                full.probe = full.full_after_probe = false;
                return add(std::move(full));
            }
            break;
        default:
            break;
    }
    if (current_.handler != nullptr) (this->*current_.handler)(result);
}

void FileOrder::begin_pi4() {
    add({.name = "start4.elf", .probe = true, .handler = &FileOrder::on_deciding_probe});
    add({.name = "config.txt", .keep_content = true, .handler = &FileOrder::on_boot_loader_config});
    call(&FileOrder::after_boot_loader_config);
}

// Fact sheet 2.4: without start4.elf and start.elf under it the prefix is dropped for good.
void FileOrder::on_deciding_probe(const FileResult& result) {
    if (result.status == FileStatus::found) return;
    add({.name = "start.elf", .probe = true, .handler = &FileOrder::on_deciding_fallback});
}

void FileOrder::on_deciding_fallback(const FileResult& result) {
    if (result.status != FileStatus::found) prefix_.clear();
}

void FileOrder::take_config(const FileResult& result) {
    const bool ignored =
        (spec_.profile.needs_oack_for_config && !result.oack) || !config_is_taken(result.content);
    if (got(result) && ignored) ++counters_.config_lost;  // F#1012
    config_text_ = got(result) && !ignored ? result.content : "";
    includes_.clear();
}

ConfigTxt FileOrder::evaluated(bool with_includes) const {
    if (!with_includes) return evaluate_config(config_text_, facts_);
    return evaluate_config(
        config_text_,
        facts_,
        [this](std::string_view name) -> std::optional<std::string> {
            const auto found = includes_.find(name);
            return found == includes_.end() ? std::nullopt : std::optional(found->second);
        }
    );
}

void FileOrder::on_boot_loader_config(const FileResult& result) {
    take_config(result);
    config_ = evaluated(false);  // the EEPROM and bootcode.bin do not understand include
}

void FileOrder::after_boot_loader_config() {
    if (config_.boot_ramdisk) {
        return add({.name = "boot.img", .handler = &FileOrder::on_boot_image});
    }
    if (has_vl805_flash(spec_)) {
        ask("vl805.sig");
        ask("vl805.bin");
    }
    add({.name = "pieeprom.sig", .keep_content = true, .handler = &FileOrder::on_update_signature});
    ask("recover4.elf");
    ask("recovery.elf");
    add({.name = config_.start_file.value_or("start4.elf"), .handler = &FileOrder::on_start_file});
    ask(config_.fixup_file.value_or("fixup4.dat"));
    call(&FileOrder::begin_firmware);
}

void FileOrder::on_boot_image(const FileResult& result) {
    if (!got(result)) {
        return fail_boot(
            Failure::no_start_file, "boot_ramdisk=1 and no boot.img", led_no_start_file
        );
    }
    fail_boot(Failure::boot_ramdisk, "boot.img came; its inside is not modelled");
}

void FileOrder::on_update_signature(const FileResult& result) {
    if (!got(result) || !spec_.eeprom.enable_self_update || !config_.bootloader_update) return;
    const auto timestamp = signature_timestamp(result.content);
    if (!timestamp || *timestamp <= spec_.eeprom.update_timestamp) return;  // fact sheet 5.4
    update_timestamp_ = *timestamp;
    update_digest_ = result.content.substr(0, 2 * Digest::size);
    add({.name = "pieeprom.upd", .handler = &FileOrder::on_update_image});
}

void FileOrder::on_update_image(const FileResult& result) {
    if (!got(result)) return;
    if (result.digest.to_string() != update_digest_) {
        return fail_boot(
            Failure::signature_mismatch, "pieeprom.upd is not what pieeprom.sig says", led_signature
        );
    }
    ++counters_.self_updates;
    verdict_ = EepromFlashed{update_timestamp_};
}

void FileOrder::on_start_file(const FileResult& result) {
    if (got(result)) return;
    add({.name = "start.elf", .handler = &FileOrder::on_start_fallback});
}

void FileOrder::on_start_fallback(const FileResult& result) {
    if (got(result)) return;
    fail_boot(
        Failure::no_start_file, "neither start4.elf nor start.elf is served", led_no_start_file
    );
}

// Fact sheet 2.7: no start4.elf; P/config.txt decides whether there is a prefix.
void FileOrder::begin_pi5() {
    add({.name = "config.txt", .keep_content = true, .handler = &FileOrder::on_pi5_config});
    add({.name = "pieeprom.sig", .keep_content = true, .handler = &FileOrder::on_update_signature});
    call(&FileOrder::begin_pi5_second_half);
}

void FileOrder::on_pi5_config(const FileResult& result) {
    if (!got(result)) prefix_.clear();
    on_boot_loader_config(result);
}

// Fact sheet 2.8: the ROM takes bootcode.bin from the root, bootcode.bin then looks under P.
void FileOrder::begin_pi3() {
    stage_ = FileStage::rom;
    add({.name = "bootcode.bin", .without_prefix = true, .handler = &FileOrder::on_bootcode});
}

void FileOrder::on_bootcode(const FileResult& result) {
    if (!got(result)) return fail_boot(Failure::no_start_file, "bootcode.bin is not served");
    add({.name = "bootsig.bin", .without_prefix = true});
    call(&FileOrder::begin_bootcode);
}

void FileOrder::begin_bootcode() {
    stage_ = FileStage::boot_loader;
    add({.name = "start.elf", .probe = true, .handler = &FileOrder::on_deciding_fallback});
    add({.name = "start.elf", .probe = true});
    ask("autoboot.txt");
    add({.name = "config.txt", .keep_content = true, .handler = &FileOrder::on_boot_loader_config});
    ask("recovery.elf");
    add({.name = "start.elf", .handler = &FileOrder::on_start_fallback});
    ask("fixup.dat");
    call(&FileOrder::begin_firmware);
}

}  // namespace bramble::virtual_board
