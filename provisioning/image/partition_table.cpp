#include "provisioning/image/partition_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "provisioning/image/little_endian.hpp"

namespace bramble::image {
namespace {

constexpr std::size_t mbr_entries_at = 446;
constexpr std::size_t mbr_entry_bytes = 16;
constexpr std::size_t mbr_entries = 4;
constexpr unsigned protective_type = 0xEE;  // UEFI 5.2.3: the rest of the story is in the GPT
constexpr unsigned first_logical = 5;
constexpr std::size_t gpt_header_bytes = 92;
constexpr std::uint64_t gpt_entry_bytes_min = 128;
constexpr std::uint64_t gpt_entry_bytes_max = 4096;

// CRC-32 as of UEFI 4.2 (ISO 3309).
std::uint32_t crc32(std::string_view bytes) {
    std::uint32_t sum = ~0U;
    for (const char c : bytes) {
        sum ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) sum = sum >> 1U ^ ((sum & 1U) != 0 ? 0xEDB88320U : 0U);
    }
    return ~sum;
}

bool is_extended(unsigned type) {
    return type == 0x05 || type == 0x0F || type == 0x85;
}

struct MbrEntry {
    unsigned type = 0;
    std::uint64_t first = 0;  // sectors
    std::uint64_t count = 0;  // sectors
};

MbrEntry mbr_entry(std::string_view sector, std::size_t index) {
    const std::size_t at = mbr_entries_at + index * mbr_entry_bytes;
    return {
        static_cast<unsigned>(number_at(sector, at + 4, 1)),
        number_at(sector, at + 8, 4),
        number_at(sector, at + 12, 4)};
}

bool is_signed(std::string_view sector) {
    return number_at(sector, sector_bytes - 2, 2) == 0xAA55;
}

class Reader {
public:
    explicit Reader(const Disk& disk) : disk_(disk), sectors_(disk.size / sector_bytes) {}

    Result<std::vector<Partition>> run() {
        const auto mbr = sector(0, "the partition table");
        if (!mbr) return tl::unexpected(mbr.error());
        if (!is_signed(*mbr)) return fail("it has no partition table (neither MBR nor GPT)");
        bool gpt = false;
        for (std::size_t i = 0; i < mbr_entries; ++i) {
            gpt = gpt || mbr_entry(*mbr, i).type == protective_type;
        }
        if (auto read = gpt ? read_gpt() : read_mbr(*mbr); !read) {
            return tl::unexpected(read.error());
        }
        return in_order();
    }

private:
    Result<std::string> sector(std::uint64_t index, std::string_view what) const {
        if (index >= sectors_) {
            return fail(fmt::format("{} should be in sector {}, past its end", what, index));
        }
        return disk_.read(index * sector_bytes, sector_bytes);
    }

    Result<void> add(unsigned number, std::uint64_t first, std::uint64_t count) {
        if (count == 0) return fail(fmt::format("partition {} has no size", number));
        if (first == 0) return fail(fmt::format("partition {} begins at the table itself", number));
        if (first >= sectors_ || count > sectors_ - first) {
            return fail(fmt::format(
                "partition {} ends at sector {}, and the image has {}: it is cut short, or no disk "
                "image",
                number,
                first + count,
                sectors_
            ));
        }
        if (found_.size() >= partitions_max) {
            return fail(fmt::format("it has more than {} partitions", partitions_max));
        }
        found_.push_back({number, first * sector_bytes, count * sector_bytes});
        return {};
    }

    Result<void> read_mbr(std::string_view mbr) {
        std::optional<MbrEntry> extended;
        for (std::size_t i = 0; i < mbr_entries; ++i) {
            const MbrEntry entry = mbr_entry(mbr, i);
            if (entry.type == 0) continue;
            if (is_extended(entry.type)) {
                if (extended) return fail("it has two extended partitions");
                extended = entry;
                continue;
            }
            const auto number = static_cast<unsigned>(i + 1);
            if (auto added = add(number, entry.first, entry.count); !added) return added;
        }
        return extended ? read_extended(extended->first) : Result<void>();
    }

    // Each link of the chain names the next relative to the extended partition's first sector. A
    // chain that goes on forwards only has an end.
    Result<void> read_extended(std::uint64_t base) {
        std::uint64_t at = base;
        for (unsigned number = first_logical;; ++number) {
            const auto table = sector(at, "an extended partition table");
            if (!table) return tl::unexpected(table.error());
            if (!is_signed(*table)) {
                return fail(fmt::format("sector {} is no extended partition table", at));
            }
            const MbrEntry logical = mbr_entry(*table, 0);
            if (logical.type != 0) {
                if (auto added = add(number, at + logical.first, logical.count); !added) {
                    return added;
                }
            }
            const MbrEntry next = mbr_entry(*table, 1);
            if (next.type == 0) return {};
            if (base + next.first <= at) {
                return fail("its chain of extended partitions turns back");
            }
            if (number >= partitions_max) {
                return fail(fmt::format("it has more than {} partitions", partitions_max));
            }
            at = base + next.first;
        }
    }

    Result<void> read_gpt() {
        const auto header = sector(1, "the GPT");
        if (!header) return tl::unexpected(header.error());
        if (!header->starts_with("EFI PART")) return fail("its GPT has no header in sector 1");
        std::string summed = header->substr(0, gpt_header_bytes);
        summed.replace(16, 4, 4, '\0');
        if (number_at(*header, 12, 4) != gpt_header_bytes ||
            number_at(*header, 16, 4) != crc32(summed)) {
            return fail("its GPT's header is damaged (its sum is wrong)");
        }
        const std::uint64_t first = number_at(*header, 72, 8);
        const std::uint64_t count = number_at(*header, 80, 4);
        const std::uint64_t entry_bytes = number_at(*header, 84, 4);
        if (count > partitions_max || entry_bytes < gpt_entry_bytes_min ||
            entry_bytes > gpt_entry_bytes_max) {
            return fail(fmt::format("its GPT has {} entries of {} bytes", count, entry_bytes));
        }
        const std::uint64_t bytes = count * entry_bytes;
        if (first >= sectors_ || bytes > (sectors_ - first) * sector_bytes) {
            return fail("its GPT's entries lie past its end");
        }
        const auto entries = disk_.read(first * sector_bytes, bytes);
        if (!entries) return tl::unexpected(entries.error());
        if (crc32(*entries) != number_at(*header, 88, 4)) {
            return fail("its GPT's entries are damaged (their sum is wrong)");
        }
        return add_gpt_entries(*entries, entry_bytes);
    }

    Result<void> add_gpt_entries(std::string_view entries, std::size_t entry_bytes) {
        for (std::size_t at = 0, number = 1; at < entries.size(); at += entry_bytes, ++number) {
            const bool unused =
                number_at(entries, at, 8) == 0 && number_at(entries, at + 8, 8) == 0;
            if (unused) continue;
            const std::uint64_t first = number_at(entries, at + 32, 8);
            const std::uint64_t last = number_at(entries, at + 40, 8);
            if (last < first || last >= sectors_) {
                return fail(fmt::format(
                    "partition {} spans the sectors {} to {}, and the image has {}: it is cut "
                    "short, or no disk image",
                    number,
                    first,
                    last,
                    sectors_
                ));
            }
            auto added = add(static_cast<unsigned>(number), first, last - first + 1);
            if (!added) return added;
        }
        return {};
    }

    Result<std::vector<Partition>> in_order() {
        std::sort(found_.begin(), found_.end(), [](const Partition& a, const Partition& b) {
            return a.begin < b.begin;
        });
        for (std::size_t i = 1; i < found_.size(); ++i) {
            if (found_[i - 1].begin + found_[i - 1].size <= found_[i].begin) continue;
            return fail(fmt::format(
                "partitions {} and {} lie over each other", found_[i - 1].number, found_[i].number
            ));
        }
        return found_;
    }

    const Disk& disk_;
    std::uint64_t sectors_;
    std::vector<Partition> found_;
};

}  // namespace

Result<std::vector<Partition>> read_partitions(const Disk& disk) {
    return Reader(disk).run();
}

Result<Filesystem> filesystem_of(const Disk& disk, const Partition& partition) {
    constexpr std::size_t head_bytes = 2048;
    if (partition.size < head_bytes) return Filesystem::unknown;
    const auto head = disk.read(partition.begin, head_bytes);
    if (!head) return tl::unexpected(head.error());
    constexpr std::size_t ext_magic_at = 1024 + 56;
    if (number_at(*head, ext_magic_at, 2) == 0xEF53) return Filesystem::ext;
    constexpr std::size_t erofs_magic_at = 1024;
    if (number_at(*head, erofs_magic_at, 4) == 0xE0F5E1E2) return Filesystem::erofs;
    const std::string_view bytes = *head;
    if (bytes.starts_with("hsqs")) return Filesystem::squashfs;
    const bool fat = bytes.substr(82, 5) == "FAT32" || bytes.substr(54, 4) == "FAT1";
    return fat && is_signed(bytes.substr(0, sector_bytes)) ? Filesystem::fat : Filesystem::unknown;
}

}  // namespace bramble::image
