// The machine itself behind the Host seam: Linux system calls, and a few programs of coreutils
// where they know more than we would (cp -a, rm -rf). It refuses to know why anything is asked.
#pragma once

#include "provisioning/host/host.hpp"

namespace bramble::host {

class RealHost final : public Host {
public:
    // The PATH that commands get, and in which they are looked up.
    static constexpr std::string_view search_path =
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    Result<std::optional<FileStatus>> status(const Path& path) override;
    Result<std::string> read_file(const Path& path, std::uint64_t bytes_max) override;
    Result<Path> read_link(const Path& path) override;
    Result<std::vector<DirectoryEntry>> list(const Path& directory) override;
    Result<HashedFile> hash_file(const Path& path) override;
    std::string filesystem_of(const Path& path) override;
    std::optional<std::uint64_t> free_bytes(const Path& path) override;
    Result<std::uint64_t> occupied_bytes(const Path& path) override;

    Result<void> write_file(const Path& path, std::string_view bytes, std::uint32_t mode) override;
    Result<HashedFile> copy_file(const Path& from, const Path& to, std::uint32_t mode) override;
    Result<void> make_directories(const Path& path) override;
    Result<void> rename(const Path& from, const Path& to) override;
    Result<void> replace_symlink(const Path& target, const Path& link) override;
    Result<void> hard_link(const Path& from, const Path& to) override;
    Result<void> remove_all(const Path& path) override;
    Result<void> copy_tree(
        const Path& from, const Path& to, const std::stop_token& stop, Blocks blocks
    ) override;
    Result<void> sync_tree(const Path& path) override;

    Result<bool> is_subvolume(const Path& path) override;
    Result<void> make_subvolume(const Path& path) override;
    Result<void> snapshot(const Path& from, const Path& to) override;
    std::string overlay_problem(const Path& directory) override;
    Result<std::vector<Path>> mounts_below(const Path& path) override;
    Result<void> mount_itself(const Path& path, bool shared) override;
    Result<void> mount_overlay(const OverlayMount& overlay, const Path& at) override;
    Result<void> unmount(const Path& path) override;

    Result<std::optional<FileStatus>> status_in(const Path& root, const Path& relative) override;
    Result<std::string> read_file_in(const Path& root, const Path& relative) override;
    Result<std::vector<DirectoryEntry>> list_in(const Path& root, const Path& relative) override;
    Result<void> write_file_in(
        const Path& root,
        const Path& relative,
        std::string_view bytes,
        std::uint32_t mode,
        Owner owner,
        Sync sync
    ) override;
    Result<void> make_directories_in(
        const Path& root, const Path& relative, std::uint32_t mode, Owner owner, Sync sync
    ) override;
    Result<void> symlink_in(const Path& root, const Path& relative, const Path& target, Sync sync)
        override;
    Result<void> remove_in(const Path& root, const Path& relative) override;

    Result<CommandOutcome> run(const Command& command) override;
    bool has_program(std::string_view program) override;
    Result<std::unique_ptr<Lock>> lock(const Path& path) override;
    std::chrono::system_clock::time_point now() override;
    Result<std::string> random_bytes(std::size_t count) override;
};

}  // namespace bramble::host
