#include "provisioning/image/fat_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "provisioning/image/fat_geometry.hpp"
#include "provisioning/image/fat_name.hpp"
#include "provisioning/image/little_endian.hpp"

namespace bramble::image {
namespace {

constexpr unsigned attribute_label = 0x08;
constexpr unsigned attribute_directory = 0x10;

class Lister {
public:
    Lister(const Disk& disk, const Partition& partition, const FatGeometry& geometry)
        : disk_(disk), partition_(partition), is_(geometry), taken_(geometry.clusters) {}

    Result<std::vector<FatEntry>> run() {
        const Result<void> done =
            is_.bits == 32 ? list_chain("", is_.root_cluster, 0) : list_root();
        if (!done) return tl::unexpected(done.error());
        return std::move(found_);
    }

private:
    Result<std::string> read(std::uint64_t at, std::uint64_t count) const {
        return disk_.read(partition_.begin + at, count);
    }

    // Of FAT12 and FAT16 the top directory has a place of its own.
    Result<void> list_root() {
        const auto bytes = read(is_.root_at, is_.root_bytes);
        if (!bytes) return tl::unexpected(bytes.error());
        return list_entries("", *bytes, 0);
    }

    // A cluster is one file's or one directory's: so no chain has a loop, no directory leads back,
    // and the files together hold no more than the partition.
    Result<void> take(const std::string& path, std::uint64_t cluster) {
        if (!is_.has(cluster)) {
            return fat_is_damaged(fmt::format(
                "'{}' lies in cluster {}, and there are 2 to {}", path, cluster, is_.clusters + 1
            ));
        }
        if (taken_[cluster - fat_first_cluster]) {
            return fat_is_damaged(
                fmt::format("cluster {} of '{}' is another's already", cluster, path)
            );
        }
        taken_[cluster - fat_first_cluster] = true;
        return {};
    }

    Result<std::uint64_t> after(std::uint64_t cluster) {
        constexpr std::uint64_t window_bytes = 1U << 16U;
        constexpr std::uint64_t straddling = 3;  // bytes of an entry that are in the next window
        const std::uint64_t at = cluster * is_.bits / 8;
        const std::uint64_t begin = at / window_bytes * window_bytes;
        if (window_.empty() || begin != window_at_) {
            auto bytes = read(
                is_.fat_at + begin, std::min(window_bytes + straddling, is_.fat_bytes - begin)
            );
            if (!bytes) return tl::unexpected(bytes.error());
            window_ = std::move(*bytes);
            window_at_ = begin;
        }
        if (is_.bits == 32) return number_at(window_, at - begin, 4) & 0x0FFFFFFFU;
        const std::uint64_t value = number_at(window_, at - begin, 2);
        if (is_.bits == 16) return value;
        return cluster % 2 == 0 ? value & 0xFFFU : value >> 4U;
    }

    Result<void> list_chain(const std::string& path, std::uint64_t first, int depth) {
        const std::string shown = path.empty() ? "/" : path;
        if (depth > fat_depth_max) {
            return fat_is_damaged(
                fmt::format("'{}' is nested over {} directories deep", shown, fat_depth_max)
            );
        }
        std::string bytes;
        for (std::uint64_t cluster = first; !is_.is_last(cluster) || cluster == first;) {
            if (auto taken = take(shown, cluster); !taken) return taken;
            if (bytes.size() + is_.cluster_bytes > fat_directory_bytes_max) {
                return fat_is_damaged(fmt::format("the directory '{}' is over 2 MiB large", shown));
            }
            const auto more = read(
                is_.data_at + (cluster - fat_first_cluster) * is_.cluster_bytes, is_.cluster_bytes
            );
            if (!more) return tl::unexpected(more.error());
            bytes += *more;
            const auto next = after(cluster);
            if (!next) return tl::unexpected(next.error());
            cluster = *next;
        }
        return list_entries(path.empty() ? path : path + "/", bytes, depth);
    }

    Result<void> list_entries(const std::string& prefix, std::string_view bytes, int depth) {
        FatLongName long_name;
        for (; bytes.size() >= fat_entry_bytes; bytes.remove_prefix(fat_entry_bytes)) {
            const std::string_view entry = bytes.substr(0, fat_entry_bytes);
            constexpr char end = '\0';
            constexpr char deleted = '\xe5';
            if (entry.front() == end) return {};
            if (entry.front() == deleted) {
                long_name.clear();
                continue;
            }
            if (is_fat_long_name(entry)) {
                long_name.add(entry);
                continue;
            }
            const std::string name = long_name.of(entry).value_or(fat_short_name(entry));
            long_name.clear();
            if (auto done = list_entry(prefix, name, entry, depth); !done) return done;
        }
        return {};
    }

    Result<void> list_entry(
        const std::string& prefix, const std::string& name, std::string_view entry, int depth
    ) {
        const auto attributes = number_at(entry, 11, 1);
        if ((attributes & attribute_label) != 0) return {};
        constexpr std::size_t name_bytes = 11;
        const std::string_view short_name = entry.substr(0, name_bytes);
        if (short_name == ".          " || short_name == "..         ") return {};
        if (!is_fat_name(name)) {
            return fat_is_damaged(
                fmt::format("'{}{}' is no name of a file", prefix, shown_fat_name(name))
            );
        }
        if (found_.size() >= fat_entries_max) {
            return fail(fmt::format(
                "its FAT partition holds more than {} files: is it a boot partition? Pack what is "
                "meant into a tar archive with boot/ and root/",
                fat_entries_max
            ));
        }
        std::uint64_t first = number_at(entry, 26, 2);
        if (is_.bits == 32) first |= number_at(entry, 20, 2) << 16U;
        const std::string path = prefix + name;
        if ((attributes & attribute_directory) != 0) {
            found_.push_back({path, true, 0});
            return list_chain(path, first, depth + 1);
        }
        const std::uint64_t size = number_at(entry, 28, 4);
        found_.push_back({path, false, size});
        return take_file(path, first, size);
    }

    Result<void> take_file(const std::string& path, std::uint64_t first, std::uint64_t size) {
        std::uint64_t cluster = first;
        for (std::uint64_t left = size; left > 0;) {
            if (left != size && is_.is_last(cluster)) {
                return fat_is_damaged(fmt::format("'{}' ends before its {} bytes do", path, size));
            }
            if (auto taken = take(path, cluster); !taken) return taken;
            left -= std::min(left, is_.cluster_bytes);
            const auto next = after(cluster);
            if (!next) return tl::unexpected(next.error());
            cluster = *next;
        }
        return {};
    }

    const Disk& disk_;
    const Partition& partition_;
    const FatGeometry& is_;
    std::vector<bool> taken_;
    std::vector<FatEntry> found_;
    std::string window_;  // of the FAT
    std::uint64_t window_at_ = 0;
};

}  // namespace

Result<std::vector<FatEntry>> list_fat(const Disk& disk, const Partition& partition) {
    if (partition.size < sector_bytes) return fat_is_damaged("it is smaller than a boot sector");
    const auto boot = disk.read(partition.begin, sector_bytes);
    if (!boot) return tl::unexpected(boot.error());
    const auto geometry = fat_geometry_of(*boot, partition.size);
    if (!geometry) return tl::unexpected(geometry.error());
    return Lister(disk, partition, *geometry).run();
}

}  // namespace bramble::image
