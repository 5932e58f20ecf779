// Which file a board asks for next, given what it got so far: the request orders of fact sheet 2.5
// to 2.8 and the choices of 7.1. It refuses to know packets and time.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "services/virtual_board/board.hpp"
#include "services/virtual_board/config_txt.hpp"
#include "services/virtual_board/tftp_client.hpp"

namespace bramble::virtual_board {

// rom: the Pi 3's, without TFTP options. boot_loader: EEPROM, or bootcode.bin. firmware:
// start4.elf, start.elf; on a Pi 5 the EEPROM's second half.
enum class FileStage { rom, boot_loader, firmware };

struct FileWanted {
    std::string path;  // with its prefix
    bool probe = false;
    bool keep_content = false;
    FileStage stage = FileStage::boot_loader;
};

struct StillReading {};

struct KernelLoaded {
    std::string cmdline;  // cmdline.txt
    bool initramfs = false;
};

struct EepromFlashed {
    std::uint64_t timestamp = 0;  // of pieeprom.sig
};

using FilesVerdict = std::variant<StillReading, KernelLoaded, EepromFlashed, BootFailure>;

class FileOrder {
public:
    // `spec` and `counters` must outlive it. `prefix` is P of fact sheet 2.4, with its slash.
    FileOrder(const BoardSpec& spec, std::string prefix, Counters& counters);

    // The next request; nothing once there is a verdict.
    std::optional<FileWanted> next();
    void on_result(const FileResult& result);

    const FilesVerdict& verdict() const { return verdict_; }

    const std::string& prefix() const { return prefix_; }

    FileStage stage() const { return stage_; }

private:
    using Handler = void (FileOrder::*)(const FileResult&);
    using Continuation = void (FileOrder::*)();

    // A request, or (when `call` is set) a decision taken once everything before it has come in.
    struct Step {
        std::string name;
        bool probe = false;
        bool full_after_probe = false;
        bool without_prefix = false;
        bool keep_content = false;
        Handler handler = nullptr;
        Continuation call = nullptr;
    };

    void add(Step step);

    void ask(std::string name) { add({.name = std::move(name)}); }  // may be missing

    void call(Continuation continuation) { add({.name = "", .call = continuation}); }

    void fail_boot(Failure failure, std::string detail, std::optional<LedCode> led = std::nullopt);

    bool got(const FileResult& result) const { return result.status == FileStatus::complete; }

    // boot_loader_order.cpp: fact sheet 2.5, the beginnings of 2.7 and 2.8.
    void begin_pi3();
    void begin_pi4();
    void begin_pi5();
    void on_bootcode(const FileResult& result);
    void begin_bootcode();
    void on_deciding_probe(const FileResult& result);
    void on_deciding_fallback(const FileResult& result);
    void on_boot_loader_config(const FileResult& result);
    void after_boot_loader_config();
    void on_boot_image(const FileResult& result);
    void on_update_signature(const FileResult& result);
    void on_update_image(const FileResult& result);
    void on_start_file(const FileResult& result);
    void on_start_fallback(const FileResult& result);
    void on_pi5_config(const FileResult& result);

    // firmware_order.cpp: fact sheet 2.6 and the rest of 2.7 and 2.8.
    void begin_firmware();
    void begin_pi5_second_half();
    void read_config();
    void on_config(const FileResult& result);
    void fetch_includes();
    void on_include(const FileResult& result);
    void choose_os_prefix();
    void on_os_prefix_probe(const FileResult& result);
    void choose_overlay_prefix();
    void on_overlay_prefix_probe(const FileResult& result);
    void fetch_payload();
    void fetch_initramfs();
    void on_initramfs(const FileResult& result);
    void fetch_overlays();
    void fetch_cmdline();
    void on_cmdline(const FileResult& result);
    void choose_kernel();
    void on_kernel_probe(const FileResult& result);
    void fetch_kernel();
    void on_kernel(const FileResult& result);
    void take_config(const FileResult& result);
    ConfigTxt evaluated(bool with_includes) const;
    std::vector<std::string> kernel_names() const;

    const BoardSpec& spec_;
    std::string prefix_;
    Counters& counters_;
    FilterFacts facts_;
    FileStage stage_ = FileStage::boot_loader;
    std::deque<Step> steps_;
    std::size_t insert_at_ = 0;  // where the current step's consequences go
    Step current_;
    FilesVerdict verdict_ = StillReading{};

    std::string config_text_;
    std::map<std::string, std::string, std::less<>> includes_;
    ConfigTxt config_;
    std::uint64_t update_timestamp_ = 0;
    std::string update_digest_;
    std::string os_prefix_;
    std::string overlay_prefix_;
    std::vector<std::string> kernels_;
    std::size_t kernel_ = 0;
    bool initramfs_ = false;
    std::optional<std::string> cmdline_;
};

// P of fact sheet 2.4 for this board's EEPROM settings.
std::string tftp_prefix_of(const BoardSpec& spec);

// The device tree that the firmware of this board asks for (fact sheet 2.6, 2.7).
std::string_view device_tree_of(const BoardSpec& spec);

}  // namespace bramble::virtual_board
