// What a board's firmware and kernel would make of the files that it took: config.txt and the texts
// that it includes, device tree, overlays, command line, initramfs, kernel. It refuses to know how
// the files travelled.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/layout/manifest.hpp"
#include "services/rehearsal/evidence.hpp"
#include "services/rehearsal/kernel_image.hpp"
#include "services/rehearsal/report.hpp"
#include "services/virtual_board/board.hpp"
#include "services/virtual_board/config_txt.hpp"

namespace bramble::rehearsal {

// Paths in the board's tree, in the order of its requests.
struct FilesTaken {
    std::vector<std::string> received;
    std::set<std::string, std::less<>> missing;

    bool has(std::string_view path) const;
};

class BootCheck {
public:
    // Both outlive it.
    BootCheck(const layout::Manifest& manifest, Evidence& evidence)
        : manifest_(manifest), evidence_(evidence) {}

    // The texts that the firmware obeys, and the files that they name.
    void check_config(
        const layout::BoardEntry& board,
        const virtual_board::BoardSpec& spec,
        const FilesTaken& taken,
        Report& report
    );

    // Once a kernel was loaded: the last file of all. Gives its release, empty when nobody knows.
    std::string check_kernel(
        const layout::BoardEntry& board,
        const virtual_board::BoardSpec& spec,
        const FilesTaken& taken,
        Report& report
    );

private:
    struct Look {
        const layout::BoardEntry& board;
        const virtual_board::BoardSpec& spec;
        const FilesTaken& taken;
        Report& report;
        virtual_board::ConfigTxt config;
    };

    std::optional<std::string> text_of(const layout::BoardEntry& board, std::string_view path);
    std::uint64_t size_of(const layout::BoardEntry& board, std::string_view path) const;
    virtual_board::ConfigTxt evaluate(
        const layout::BoardEntry& board, const virtual_board::BoardSpec& spec
    );
    void check_form(Look& look);
    void check_prefixes(Look& look);
    void check_device_tree(Look& look);
    void check_cmdline(Look& look);
    bool check_initramfs(Look& look);  // whether klibc mounts the root
    void check_mount_options(Look& look, bool klibc);
    Result<KernelFacts> kernel_facts(const layout::BoardEntry& board, std::string_view path);
    Result<InitramfsFacts> initramfs_facts(const layout::BoardEntry& board, std::string_view path);

    const layout::Manifest& manifest_;
    Evidence& evidence_;
    // Boards of a profile share their files: each is looked into once.
    std::unordered_map<Digest, Result<KernelFacts>> kernels_;
    std::unordered_map<Digest, Result<InitramfsFacts>> initramfs_;
};

}  // namespace bramble::rehearsal
