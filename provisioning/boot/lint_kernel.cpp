// What has to fit together once the firmware hands over: kernel, initramfs, root, command line.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "provisioning/boot/cmdline.hpp"
#include "provisioning/boot/lint.hpp"
#include "provisioning/boot/shared_root.hpp"

namespace bramble::boot {
namespace {

class KernelLint {
public:
    KernelLint(const layout::BootTree& tree, const TreeFacts& facts, const Started& started)
        : tree_(tree), facts_(facts), started_(started) {
        const auto found = facts.files.find(started.kernel);
        if (found != facts.files.end() && found->second.kernel) kernel_ = &*found->second.kernel;
    }

    std::vector<Finding> run() {
        check_length();
        check_init();
        if (started_.known) {
            check_initramfs();
            check_nfs();
        }
        return std::move(findings_);
    }

private:
    void check_length() {
        std::string_view line = text_at(tree_, "cmdline.txt");
        while (line.ends_with('\n')) line.remove_suffix(1);
        // The kernel that nobody can look into is taken for one of 32 bits.
        if (kernel_ != nullptr && kernel_->width == KernelWidth::arm64) return;
        if (line.size() <= cmdline_bytes_max_arm) return;
        findings_.push_back(
            {kernel_ != nullptr || started_.known,  // else it may be one of 64 bits
             "cmdline-length",
             fmt::format(
                 "the kernel's command line is {} bytes long; a 32-bit kernel takes {}",
                 line.size(),
                 cmdline_bytes_max_arm
             ),
             "shorten the profile's or the board's cmdline"}
        );
    }

    void check_init() {
        const std::string init = cmdline_word(text_at(tree_, "cmdline.txt"), "init");
        const auto known = facts_.root_programs.find(init);
        if (init.empty() || known == facts_.root_programs.end() || known->second) return;
        findings_.push_back(
            {true,
             "cmdline-init",
             fmt::format(
                 "cmdline has init={}, and the root has no such file that may be executed: the "
                 "kernel stops there",
                 init
             ),
             "name a program of the root, or put it there with the image's customize: {files: …}"}
        );
    }

    // Ours, for shared roots, is made to fit.
    bool is_ours() const { return tree_.find(shared_initramfs) != tree_.end(); }

    void check_initramfs() {
        const std::string rdinit = cmdline_word(text_at(tree_, "cmdline.txt"), "rdinit");
        if (started_.initramfs.empty() || is_ours()) {
            if (rdinit.empty() || is_ours()) return;
            findings_.push_back(
                {false,
                 "cmdline-rdinit",
                 fmt::format("cmdline has rdinit={}, and no initramfs is loaded", rdinit),
                 "take it out, or have one loaded by config_txt: {auto_initramfs: 1}"}
            );
            return;
        }
        for (const std::string& path : started_.initramfs) {
            const auto found = facts_.files.find(path);
            if (found == facts_.files.end() || !found->second.initramfs) return;  // nobody knows
            if (!found->second.initramfs->problem.empty()) {
                findings_.push_back(
                    {false,
                     "initramfs-unreadable",
                     fmt::format(
                         "'{}' cannot be read to its end ({})",
                         path,
                         found->second.initramfs->problem
                     ),
                     "make it anew (update-initramfs -u in the image), or take it out of "
                     "config.txt"}
                );
                return;
            }
        }
        const std::string wanted = rdinit.empty() ? "/init" : rdinit;
        for (const std::string& path : started_.initramfs) {
            if (has_program(*facts_.files.find(path)->second.initramfs, wanted)) return;
        }
        refuse_initramfs(rdinit);
    }

    // init/main.c: what cannot be executed there is left, and root= is mounted by the kernel.
    void refuse_initramfs(const std::string& rdinit) {
        const bool fatal = kernel_ != nullptr && kernel_->configured && !kernel_->mounts_root;
        const std::string_view then =
            fatal ? "and the kernel cannot mount an NFS root by itself (ROOT_NFS, IP_PNP)"
                  : "so the kernel leaves it aside and mounts the root by itself";
        const std::string names = fmt::format("{}", fmt::join(started_.initramfs, ", "));
        if (rdinit.empty()) {
            findings_.push_back(
                {fatal,
                 "initramfs-init",
                 fmt::format("'{}' has no /init that may be executed, {}", names, then),
                 "make it anew (update-initramfs -u in the image), or take it out of config.txt"}
            );
            return;
        }
        findings_.push_back(
            {fatal,
             "cmdline-rdinit",
             fmt::format(
                 "cmdline has rdinit={}, which '{}' has not as a file that may be executed, {}",
                 rdinit,
                 names,
                 then
             ),
             "name a program of the initramfs, or take rdinit= out"}
        );
    }

    std::string kernel_name() const {
        return kernel_->release.empty()
                   ? fmt::format("'{}'", started_.kernel)
                   : fmt::format("'{}' ({})", started_.kernel, kernel_->release);
    }

    void check_nfs() {
        if (kernel_ == nullptr || !kernel_->configured || facts_.nfs_version.empty()) return;
        const bool alone = started_.initramfs.empty() && !is_ours();
        if (alone && !kernel_->mounts_root) {
            findings_.push_back(
                {true,
                 "kernel-nfs-root",
                 fmt::format(
                     "no initramfs is loaded, and kernel {} cannot mount an NFS root by itself "
                     "(ROOT_NFS, IP_PNP)",
                     kernel_name()
                 ),
                 "have the image's initramfs loaded by config_txt: {auto_initramfs: 1}, or give "
                 "the "
                 "profile a kernel: with presets: [nfsroot]"}
            );
            return;
        }
        const auto& versions = alone ? kernel_->nfs_versions : kernel_->nfs_modules;
        if (versions.contains(facts_.nfs_version)) return;
        findings_.push_back(
            {true,
             "kernel-nfs-version",
             fmt::format(
                 "its root is asked for with NFS version {}, and the image's kernel {} knows {}{}",
                 facts_.nfs_version,
                 kernel_name(),
                 versions.empty() ? std::string("no NFS")
                                  : fmt::format("only {}", fmt::join(versions, ", ")),
                 alone && kernel_->nfs_modules.contains(facts_.nfs_version)
                     ? " without an initramfs that brings its modules"
                     : ""
             ),
             "set root: {nfs_version: …} to one that it knows, or give the profile another kernel:"}
        );
    }

    const layout::BootTree& tree_;
    const TreeFacts& facts_;
    const Started& started_;
    const KernelFacts* kernel_ = nullptr;
    std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> lint_kernel(
    const layout::BootTree& tree, const TreeFacts& facts, const Started& started
) {
    return KernelLint(tree, facts, started).run();
}

}  // namespace bramble::boot
