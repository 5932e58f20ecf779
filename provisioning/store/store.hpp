// The store on disk: objects, base roots, board roots, image records, generations, and the rule by
// which each comes to be (made aside, synced, renamed). It refuses to know why something is stored.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/plan/observed.hpp"
#include "provisioning/store/collection.hpp"

namespace bramble::store {

using host::Path;

// kernels/<key>: a kernel's record, its modules, its final configuration, its log.
inline Path kernels_path(const layout::StorePaths& paths) {
    return paths.store() / "kernels";
}

inline Path kernel_path(const layout::StorePaths& paths, const Digest& key) {
    return kernels_path(paths) / key.to_string();
}

// Borrows the host. Readers may call anything of the first part at any time; what changes the
// store needs `Changes`, of which one exists at a time on a machine.
class Store {
public:
    Store(host::Host& host, layout::StorePaths paths) : host_(host), paths_(std::move(paths)) {}

    const layout::StorePaths& paths() const { return paths_; }

    host::Host& host() const { return host_; }

    // With the size that it should have: one that was cut short counts as absent.
    [[nodiscard]] Result<bool> has_object(const layout::ObjectFile& object) const;
    [[nodiscard]] Result<bool> has_objects(const layout::BootTree& files) const;
    // Records of images whose objects are there, and whose root if they have one; unreadable ones
    // count as absent and are built again.
    [[nodiscard]] Result<std::vector<plan::ImageRecord>> images() const;
    // Kernels that were built; unreadable ones count as absent and are built again.
    [[nodiscard]] Result<std::vector<plan::KernelRecord>> kernels() const;
    // The root trees of one board with the identity last written into each.
    [[nodiscard]] Result<std::vector<plan::BoardRoot>> board_roots(std::string_view board) const;
    // Base roots that boards share, each with the initramfs that was made for it; none for one of
    // another recipe, or whose object is gone.
    [[nodiscard]] Result<std::map<std::string, std::optional<layout::ObjectFile>>> shared_roots(
        const Digest& recipe
    ) const;
    // The archive last made for a board that shares its root; none also when its object is gone.
    [[nodiscard]] Result<std::optional<plan::PackedIdentity>> packed_identity(std::string_view board
    ) const;
    // Numbers of all generations, rising.
    [[nodiscard]] Result<std::vector<std::uint64_t>> generations() const;
    // The published generation; none in a fresh store. Errors: a manifest that cannot be read.
    [[nodiscard]] Result<std::optional<layout::Manifest>> current() const;
    // The number alone, also of one whose manifest cannot be read. Errors: a link to anything else.
    [[nodiscard]] Result<std::optional<std::uint64_t>> current_number() const;
    // Any generation that is there. Errors: it is not, or it is not sound.
    [[nodiscard]] Result<layout::Manifest> generation(std::uint64_t number) const;
    // What this generation names and the store has not, in words, at most `missing_max`: boot files
    // by their path, board roots by theirs. Empty: its boards can boot.
    [[nodiscard]] Result<std::vector<std::string>> missing(const layout::Manifest& manifest) const;
    // Where the root that this entry names lies on this machine; none for one that is not ours.
    std::optional<Path> tree_of(const layout::BoardEntry& board) const;

    // How this tree came to be, as far as it shows: a copy that shares blocks looks like any copy.
    [[nodiscard]] Result<fleet::CopyOnWrite> kind_of(std::string_view board, std::string_view base)
        const;
    // What a board wrote into a root that is an overlay: its upper directory, beside the root.
    Path upper_of(std::string_view board, std::string_view base) const;

    // Where roots are subvolumes, and so exported only as mounts of their own.
    bool on_btrfs() const { return host_.filesystem_of(paths_.roots()) == "btrfs"; }

    // All that lies here and that a collection may take.
    [[nodiscard]] Result<Inventory> inventory() const;

    static constexpr std::size_t missing_max = 20;

private:
    host::Host& host_;
    layout::StorePaths paths_;
};

enum class Readers { everyone, group };

// A board's root while it is made.
struct StagedRoot {
    Path tree;  // where it can be written
    bool overlay = false;
};

// How a board's root comes from its base.
struct RootMaking {
    fleet::CopyOnWrite kind = fleet::CopyOnWrite::copy;  // anything but automatic
    bool insist = false;  // reflink: an error where blocks cannot be shared, instead of a copy
};

// The right to change the store, as long as it lives. Several threads may use one, each for another
// board, image or kernel, when the host allows it.
class Changes {
public:
    // Makes the store where it is missing, takes its lock, removes what a killed run left half
    // made, mounts what a restart took away. Errors: another one holds the lock; the disk.
    [[nodiscard]] static Result<Changes> begin(host::Host& host, const layout::StorePaths& paths);

    const Store& store() const { return store_; }

    // Reads the file's sum and copies it only when the store has no such object.
    [[nodiscard]] Result<layout::ObjectFile> add_object(const Path& source);

    // For bytes that no other user of this machine may read: its group is the store's.
    [[nodiscard]] Result<layout::ObjectFile> add_object(std::string_view bytes, Readers readers);

    // An empty directory below the store's staging place, of this call alone; its name begins so.
    [[nodiscard]] Result<Path> stage(std::string_view name);
    // Likewise a path where nothing is.
    Path staged_name(std::string_view name) const;

    // Moves a finished tree from staging to roots/<name>; one that is there already stays.
    [[nodiscard]] Result<void> adopt_root(const Path& staged, std::string_view name);
    [[nodiscard]] Result<void> record_image(const plan::ImageRecord& record);

    // Moves a finished kernel's directory from staging to kernels/<key>, its record in it.
    [[nodiscard]] Result<void> adopt_kernel(const Path& staged, const plan::KernelRecord& record);
    // A copy of roots/<base> in staging, to be made another base of.
    [[nodiscard]] Result<Path> stage_base(std::string_view base, const std::stop_token& stop);

    // What roots/<base> becomes for a board, not yet where the board will find it.
    [[nodiscard]] Result<StagedRoot> stage_board_root(
        std::string_view board,
        std::string_view base,
        const RootMaking& making,
        const std::stop_token& stop
    );
    [[nodiscard]] Result<void> adopt_board_root(
        std::string_view board, std::string_view base, const StagedRoot& staged
    );
    // Errors: it is one that has to be mounted to be itself, and it could not be.
    [[nodiscard]] Result<Path> board_root_to_write(std::string_view board, std::string_view base);

    // Roots that should be mounted and are not, each with the reason; found by `begin`.
    const std::vector<std::string>& mount_problems() const { return mount_problems_; }

    // Takes all mounts of this store away. Boards that run lose their roots.
    [[nodiscard]] Result<void> unmount_roots();

    // Remembers which identity a board's root was given.
    [[nodiscard]] Result<void> record_identity(
        std::string_view board, std::string_view base, const Digest& identity
    );

    // Remembers the initramfs of a base that boards share, by the recipe it was made by, and the
    // archive of a board that does. From then on such a base is a mount where an export needs one.
    [[nodiscard]] Result<void> record_initramfs(
        std::string_view base, const Digest& recipe, const layout::ObjectFile& initramfs
    );
    [[nodiscard]] Result<void> record_packed_identity(
        std::string_view board, const plan::PackedIdentity& packed
    );

    // Gives the manifest the next number and makes it the current one: from one moment to the next,
    // by one rename.
    [[nodiscard]] Result<std::uint64_t> publish(layout::Manifest manifest);
    // The same rename for a generation that is there already.
    [[nodiscard]] Result<void> make_current(std::uint64_t number);
    // What a collection takes away. A tree is gone from one moment to the next, never half there
    // under its name; a run that is killed leaves what the next `begin` takes apart.
    [[nodiscard]] Result<void> remove_generation(std::uint64_t number);
    [[nodiscard]] Result<void> remove_image_record(std::string_view name);
    [[nodiscard]] Result<void> remove_kernel(std::string_view name);
    [[nodiscard]] Result<void> remove_root(std::string_view name);
    // It is not shared any more.
    [[nodiscard]] Result<void> remove_initramfs(std::string_view base);
    [[nodiscard]] Result<void> remove_object(const Digest& digest);
    [[nodiscard]] Result<void> remove_stamp(std::string_view board, std::string_view base);
    [[nodiscard]] Result<void> remove_board_root(std::string_view board, std::string_view base);
    [[nodiscard]] Result<void> remove_download(std::string_view name);
    [[nodiscard]] Result<void> remove_board_if_empty(std::string_view board);

    // Points boards/<board>/root at the tree of that base; for people.
    [[nodiscard]] Result<void> point_board_root(std::string_view board, std::string_view base);

private:
    Changes(Store store, std::unique_ptr<host::Lock> lock)
        : store_(std::move(store)), lock_(std::move(lock)) {}

    host::Host& host() const { return store_.host(); }

    const layout::StorePaths& paths() const { return store_.paths(); }

    [[nodiscard]] Result<void> remove_aside(const Path& path, const Path& aside);
    [[nodiscard]] Result<void> remove_leftovers();
    [[nodiscard]] Result<void> remove_leftovers_of(const std::string& board);
    [[nodiscard]] Result<StagedRoot> stage_overlay(const Path& staged, const Path& base);
    Path base_aside(std::string_view name) const;
    [[nodiscard]] Result<void> mount_roots();
    [[nodiscard]] Result<void> mount_roots_of(const std::string& board);
    [[nodiscard]] Result<void> mount_shared_roots();
    [[nodiscard]] Result<void> mount_places();
    [[nodiscard]] Result<void> mount_place(const Path& place);
    [[nodiscard]] Result<void> mount_root(std::string_view board, std::string_view base);
    [[nodiscard]] Result<void> mount_shared_root(std::string_view base);
    [[nodiscard]] Result<void> unmount_shared_root(std::string_view base);

    struct Shared {
        std::mutex mounts;                 // guards mounts_
        std::mutex objects;                // one at a time of those that come as bytes
        std::atomic<std::uint64_t> names;  // given in staging so far
    };

    Store store_;
    std::unique_ptr<host::Lock> lock_;
    std::unique_ptr<Shared> shared_ = std::make_unique<Shared>();
    std::set<Path> mounts_;  // at and below boards/ and roots/
    std::vector<std::string> mount_problems_;
};

}  // namespace bramble::store
