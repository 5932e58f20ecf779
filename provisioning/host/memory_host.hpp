// A machine made of memory for tests: a tree of files, scripted commands, a clock that stands
// still, and a knob that fails the n-th call or pulls the plug there. It refuses to touch the real
// machine.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "provisioning/host/host.hpp"

namespace bramble::host {

class MemoryHost final : public Host {
public:
    using Script = std::function<Result<CommandOutcome>(MemoryHost&, const Command&)>;

    enum class Fault {
        once,      // the n-th call fails, the ones after it work: a full disk, a lost server
        power_cut  // the n-th and all after it fail until `restart`
    };

    MemoryHost();

    // ---- for tests

    std::string filesystem = "ext4";                   // of every path
    std::optional<std::uint64_t> free;                 // bytes that can still be written to it
    std::string no_overlay = "this machine has none";  // why; empty: overlays can be mounted

    void put_file(const Path& path, std::string_view bytes, std::uint32_t mode = 0644);
    void put_symlink(const Path& path, const Path& target);
    void put_directory(const Path& path);
    std::string text_at(const Path& path);  // follows links; "<missing>" when there is none
    bool exists(const Path& path) const;    // a link counts by itself
    void script(const std::string& program, Script script);

    void forget_script(const std::string& program) { scripts_.erase(program); }  // as if removed

    void advance(std::chrono::seconds by) { now_ += by; }

    // Fails the call `number` (from 0), counted from now.
    void fail_call(std::size_t number, Fault fault);
    // After a power cut: calls work again; mounts and bytes that were never synced are gone.
    // After a call that failed only the first.
    void restart();

    std::size_t calls() const { return calls_; }  // since fail_call, or the beginning

    // Paths of all nodes below `path`, for comparing.
    std::vector<std::string> tree(const Path& path) const;

    // ---- Host

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

    std::chrono::system_clock::time_point now() override { return now_; }

    Result<std::string> random_bytes(std::size_t count) override;

private:
    struct Content {
        std::string bytes;
        bool synced = true;
    };

    struct Node {
        FileKind kind = FileKind::directory;
        std::shared_ptr<Content> content;  // shared by hard links
        Path target;
        FileStatus status;
        bool subvolume = false;
    };

    // What hides a directory. An overlay's nodes stand at the mount while it is there, and all of
    // them in `upper` afterwards: who looks through it sees no difference.
    struct MountRecord {
        std::string at;
        std::optional<std::string> upper;  // of an overlay
    };

    // Counts a call and fails it when its turn has come.
    Result<void> enter(std::string_view call, const Path& path);
    // The node's own path when `relative` is walked from `root` as "/"; empty when a directory on
    // the way is missing.
    std::string resolve(const std::string& root, const Path& relative, bool follow_last) const;
    Node* find(const std::string& resolved);
    Node* find_file(const std::string& resolved);
    Result<void> put(
        const std::string& resolved, std::string_view bytes, std::uint32_t mode, bool synced
    );
    void make_parents(const std::string& resolved);
    Result<void> make_inside(
        const Path& root, const Path& relative, std::uint32_t mode, Owner owner
    );
    Node* make_directory_node(const std::string& resolved);
    std::vector<DirectoryEntry> entries_of(const std::string& directory) const;
    std::vector<std::string> below(const std::string& path) const;  // itself first
    void remove_node(const std::string& resolved);
    void move_below(const std::string& from, const std::string& to);  // without `from` itself
    void copy_below(const std::string& from, const std::string& to);  // likewise
    void take_off(const MountRecord& mount);
    bool has_mount(const std::string& resolved) const;        // at or below it
    std::string mount_of(const std::string& resolved) const;  // where it lies; "" in none

    std::map<std::string, Node> nodes_;
    std::map<std::string, Script> scripts_;
    std::map<std::string, int> locks_;
    std::vector<MountRecord> mounts_;
    std::chrono::system_clock::time_point now_;
    std::size_t calls_ = 0;
    std::optional<std::size_t> fail_at_;
    Fault fault_ = Fault::once;
    bool dark_ = false;  // the power is cut
    unsigned random_ = 0;
};

}  // namespace bramble::host
