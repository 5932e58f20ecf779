#include "provisioning/nfs/tree_writer.hpp"

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <deque>

#include "provisioning/nfs/attributes.hpp"

namespace bramble::nfs {

TreeWriter::TreeWriter(
    Session& session, const SourceTree& source, const Handle& directory, const WriteOptions& how
)
    : session_(session),
      source_(source),
      how_(how),
      buffers_(session, std::max<std::size_t>(how.bytes_max, session.limits().write_bytes_max)),
      handles_(source.entries.size()),
      ids_(source.entries.size()),
      fresh_(source.entries.size(), false) {
    handles_[0] = directory;
    report_.entries = source.entries.size();
}

// ---- common to all jobs

void TreeWriter::fail_at(std::uint32_t index, std::string_view doing, const std::string& why) {
    if (!error_.empty()) return;
    const auto path = source_.path_of(index).lexically_relative(source_.root);
    error_ = fmt::format("{}: cannot {} '{}': {}", session_.where(), doing, path.string(), why);
}

bool TreeWriter::good(
    const void* answer, nfsstat3 status, std::uint32_t index, std::string_view doing
) {
    if (answer == nullptr || !going()) return false;  // the session says why
    if (status == NFS3_OK) return true;
    fail_at(index, doing, nas_words(status));
    return false;
}

bool TreeWriter::same_time(const Time& wanted, const nfstime3& there) const {
    const std::uint32_t step = session_.time_step_ns();
    return static_cast<u_int>(wanted.s) == there.seconds &&
           wanted.ns / step == there.nseconds / step;
}

bool TreeWriter::is_alike(const SourceEntry& entry, const fattr3& there) const {
    if (type_of(entry.mode) != there.type || entry.uid != there.uid || entry.gid != there.gid)
        return false;
    if (!S_ISLNK(entry.mode) && (entry.mode & 07777U) != (there.mode & 07777U)) return false;
    if (S_ISCHR(entry.mode) || S_ISBLK(entry.mode)) {
        return major(entry.device) == there.rdev.specdata1 &&
               minor(entry.device) == there.rdev.specdata2;
    }
    return !(S_ISREG(entry.mode) || S_ISLNK(entry.mode)) || entry.size == there.size;
}

sattr3 TreeWriter::owner_of(const SourceEntry& entry) const {
    sattr3 attributes{};
    attributes.uid.set_it = 1;
    attributes.uid.set_uid3_u.uid = entry.uid;
    attributes.gid.set_it = 1;
    attributes.gid.set_gid3_u.gid = entry.gid;
    return attributes;
}

Result<void> TreeWriter::settle(Crew& crew) {
    const auto done = session_.finish(crew, how_.stop);
    if (!error_.empty()) return fail(error_);
    // Also where nothing was under way any more: for_each left the rest out.
    if (done && how_.stop.stop_requested()) return fail(std::string(stopped_words));
    return done;
}

template <class Act>
Result<void> TreeWriter::for_each(const Indices& indices, const Act& act) {
    for (const std::uint32_t index : indices) {
        if (!going() || how_.stop.stop_requested()) break;
        act(index);
        while (crew_.size() >= jobs_max) session_.turn();
        if (how_.on_progress && report_.made % 64 == 0)
            how_.on_progress(report_.made, report_.entries, report_.bytes);
    }
    return settle(crew_);
}

// ---- directories, from the top

Job TreeWriter::make_directory(std::uint32_t index) {
    const Crew::Member here(crew_);
    const SourceEntry& entry = source_.entries[index];
    MKDIR3args make{place(handles_[entry.parent], entry.name), owner_of(entry)};
    set_mode(make.attributes, 0700);  // until it is finished
    const auto* made = co_await session_.call<MKDIR3res>(rpc_nfs3_mkdir_async, make);
    if (made != nullptr && made->status == NFS3_OK) {
        const post_op_fh3& handle = made->MKDIR3res_u.resok.obj;
        if (handle.handle_follows != 0) handles_[index] = Handle(handle.post_op_fh3_u.handle);
        fresh_[index] = true;
        ++report_.made;
    } else if (made != nullptr && made->status != NFS3ERR_EXIST) {
        good(made, made->status, index, "make the directory");
        co_return;
    }
    if (!handles_[index].empty() || !going()) co_return;
    const LOOKUP3args look{place(handles_[entry.parent], entry.name)};
    const auto* found = co_await session_.call<LOOKUP3res>(rpc_nfs3_lookup_async, look);
    if (!good(found, found == nullptr ? NFS3_OK : found->status, index, "look up")) co_return;
    const LOOKUP3resok& there = found->LOOKUP3res_u.resok;
    handles_[index] = Handle(there.object);
}

// Level by level: a directory's handle is known before what it holds is asked for. What was there
// before is listed; what must not stay goes before anything is made in its place.
Result<void> TreeWriter::make_directories() {
    Indices level{0};
    const auto& entries = source_.entries;
    while (!level.empty()) {
        levels_.insert(levels_.end(), level.begin(), level.end());
        Indices next;
        for (const std::uint32_t index : level) {
            if (fresh_[index]) continue;
            list_all(session_, crew_, handles_[index], listings_[index], error_);
        }
        if (auto done = settle(crew_); !done) return done;
        if (auto done = clear_away(level); !done) return done;
        for (const std::uint32_t index : level) {
            for (const std::uint32_t i : children_[index]) {
                if (S_ISDIR(entries[i].mode)) next.push_back(i);
            }
        }
        if (auto done = for_each(next, [this](std::uint32_t i) { make_directory(i); }); !done)
            return done;
        level = std::move(next);
    }
    return {};
}

// What the source does not have, or has as another kind of thing.
Result<void> TreeWriter::clear_away(const Indices& level) {
    std::vector<std::pair<std::uint32_t, std::string>> unwanted;
    for (const std::uint32_t directory : level) {
        if (fresh_[directory]) continue;
        Listing& listing = listings_[directory];
        std::map<std::string, ftype3> wanted;
        for (const std::uint32_t i : children_[directory])
            wanted[source_.entries[i].name] = type_of(source_.entries[i].mode);
        for (auto at = listing.begin(); at != listing.end();) {
            const auto found = wanted.find(at->first);
            if (found != wanted.end() && found->second == at->second.attributes.type) {
                ++at;
                continue;
            }
            unwanted.emplace_back(directory, at->first);
            at = listing.erase(at);
        }
    }
    for (const auto& [directory, name] : unwanted) {
        const auto gone = remove_tree(session_, handles_[directory], name, how_.stop);
        if (!gone) return tl::unexpected(gone.error());
        report_.removed += *gone;
    }
    return {};
}

Job TreeWriter::remove(std::uint32_t directory, std::string name) {
    const Crew::Member here(crew_);
    const REMOVE3args args{place(handles_[directory], name)};
    const auto* gone = co_await session_.call<REMOVE3res>(rpc_nfs3_remove_async, args);
    if (gone == nullptr || gone->status == NFS3ERR_NOENT) co_return;
    good(gone, gone->status, directory, "remove something in");
}

// Some servers (NFS-Ganesha) keep no times of links: then the target tells whether it is the same.
Job TreeWriter::compare_link(std::uint32_t index, const Listed& there, bool& same) {
    const Crew::Member here(crew_);
    const READLINK3args args{there.handle.raw()};
    const auto* answer = co_await session_.call<READLINK3res>(rpc_nfs3_readlink_async, args);
    if (!good(answer, answer == nullptr ? NFS3_OK : answer->status, index, "read the link"))
        co_return;
    same = source_.entries[index].target == answer->READLINK3res_u.resok.data;
}

Result<void> TreeWriter::compare_links() {
    std::deque<std::pair<std::uint32_t, bool>> looked_at;
    for (auto& [directory, listing] : listings_) {
        for (const std::uint32_t i : children_[directory]) {
            const SourceEntry& entry = source_.entries[i];
            const auto there = listing.find(entry.name);
            if (!S_ISLNK(entry.mode) || there == listing.end()) continue;
            if (!is_alike(entry, there->second.attributes)) continue;
            looked_at.emplace_back(i, false);
            compare_link(i, there->second, looked_at.back().second);
            while (crew_.size() >= jobs_max) session_.turn();
        }
    }
    auto done = settle(crew_);
    for (const auto& [index, same] : looked_at) {
        if (same) same_links_.insert(index);
    }
    return done;
}

// What has to be made: of what is there, what differs goes first.
Result<void> TreeWriter::sort_out() {
    std::vector<std::pair<std::uint32_t, std::string>> stale;
    const auto& entries = source_.entries;
    for (std::uint32_t i = 1; i < entries.size(); ++i) {
        const SourceEntry& entry = entries[i];
        if (S_ISDIR(entry.mode)) continue;
        const auto listing = listings_.find(entry.parent);
        const Listed* there = nullptr;
        if (listing != listings_.end()) {
            const auto found = listing->second.find(entry.name);
            if (found != listing->second.end()) there = &found->second;
        }
        if (there != nullptr) {
            bool same = S_ISLNK(entry.mode)
                            ? same_links_.contains(i)
                            : is_alike(entry, there->attributes) &&
                                  same_time(entry.modified, there->attributes.mtime);
            if (same && entry.same_as) same = ids_[*entry.same_as] == there->attributes.fileid;
            if (same) {
                handles_[i] = there->handle;
                ids_[i] = there->attributes.fileid;
                continue;
            }
            stale.emplace_back(entry.parent, entry.name);
        }
        Indices& list = entry.same_as         ? names_
                        : S_ISREG(entry.mode) ? files_
                        : S_ISLNK(entry.mode) ? links_
                                              : specials_;
        list.push_back(i);
    }
    for (auto& [directory, name] : stale) {
        remove(directory, name);
        while (crew_.size() >= jobs_max) session_.turn();
    }
    return settle(crew_);
}

Result<void> TreeWriter::put_formers() {
    Indices formers;
    for (const auto& [index, listed] : former_) formers.push_back(index);
    auto done = for_each(formers, [this](std::uint32_t i) { put_former(i); });
    std::erase_if(files_, [this](std::uint32_t i) { return former_.contains(i); });
    return done;
}

Result<WriteReport> TreeWriter::write(const Handle& before) {
    const auto& entries = source_.entries;
    for (std::uint32_t i = 1; i < entries.size(); ++i) children_[entries[i].parent].push_back(i);
    auto done =
        make_directories()
            .and_then([&] { return compare_links(); })
            .and_then([&] { return sort_out(); })
            .and_then([&] { return find_before(before); })
            .and_then([&] { return put_formers(); })
            .and_then([&] { return for_each(files_, [this](std::uint32_t i) { put_file(i); }); })
            .and_then([&] { return for_each(links_, [this](std::uint32_t i) { put_link(i); }); })
            .and_then([&] {
                return for_each(specials_, [this](std::uint32_t i) { put_special(i); });
            })
            .and_then([&] { return for_each(names_, [this](std::uint32_t i) { put_name(i); }); })
            .and_then([&] {
                return for_each(levels_, [this](std::uint32_t i) { finish_directory(i); });
            });
    if (!done) return tl::unexpected(done.error());
    report_.lost = describe(source_.not_held);
    return report_;
}

}  // namespace bramble::nfs
