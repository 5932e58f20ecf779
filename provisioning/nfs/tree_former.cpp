// What a tree has from the one before it: files that are the same in both get another name instead
// of being sent again.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "provisioning/nfs/local_file.hpp"
#include "provisioning/nfs/tree_writer.hpp"

namespace bramble::nfs {
namespace {

constexpr std::size_t chunk_bytes = 64U << 10U;

// Two bases may have files of one time and size and other bytes: archives and package managers set
// times. Reading both here is cheaper than sending one.
bool same_bytes(const std::filesystem::path& one, const std::filesystem::path& other) {
    const OpenFile first(one);
    const OpenFile second(other);
    if (first.fd < 0 || second.fd < 0) return false;
    std::array<char, chunk_bytes> here{};
    std::array<char, chunk_bytes> there{};
    while (true) {
        const ssize_t got = ::read(first.fd, here.data(), here.size());
        if (got < 0 || ::read(second.fd, there.data(), there.size()) != got) return false;
        if (got == 0) return true;
        if (std::memcmp(here.data(), there.data(), static_cast<std::size_t>(got)) != 0)
            return false;
    }
}

}  // namespace

bool TreeWriter::is_unchanged(std::uint32_t index, const fattr3& there) const {
    const SourceEntry& entry = source_.entries[index];
    if (!is_alike(entry, there) || !same_time(entry.modified, there.mtime)) return false;
    const auto path = source_.path_of(index);
    return same_bytes(path, how_.before->here / path.lexically_relative(source_.root));
}

// Level by level down both trees at once.
Result<void> TreeWriter::find_before(const Handle& before) {
    if (before.empty() || files_.empty()) return {};
    const std::set<std::uint32_t> wanted(files_.begin(), files_.end());
    std::map<std::uint32_t, Handle> level{{0, before}};
    while (!level.empty()) {
        std::map<std::uint32_t, Listing> listings;
        for (const auto& [index, handle] : level) {
            list_all(session_, crew_, handle, listings[index], error_);
            while (crew_.size() >= jobs_max) session_.turn();
        }
        if (auto done = settle(crew_); !done) return done;
        std::map<std::uint32_t, Handle> next;
        for (auto& [directory, listing] : listings) {
            for (const std::uint32_t i : children_[directory]) {
                const auto there = listing.find(source_.entries[i].name);
                if (there == listing.end()) continue;
                const bool folder = there->second.attributes.type == NF3DIR;
                if (folder && S_ISDIR(source_.entries[i].mode)) next[i] = there->second.handle;
                if (!wanted.contains(i) || !is_unchanged(i, there->second.attributes)) continue;
                former_[i] = std::move(there->second);
            }
        }
        level = std::move(next);
    }
    return {};
}

Job TreeWriter::put_former(std::uint32_t index) {
    const Crew::Member here(crew_);
    const SourceEntry& entry = source_.entries[index];
    const Listed& former = former_.at(index);
    const LINK3args make{former.handle.raw(), place(handles_[entry.parent], entry.name)};
    const auto* made = co_await session_.call<LINK3res>(rpc_nfs3_link_async, make);
    if (made == nullptr || !going()) co_return;
    if (made->status != NFS3_OK) {  // too many names, or no links at all: it is sent
        former_.erase(index);
        co_return;
    }
    handles_[index] = former.handle;
    ids_[index] = former.attributes.fileid;
    ++report_.made;
    ++report_.linked;
}

}  // namespace bramble::nfs
