#include <fmt/format.h>

#include <cstring>
#include <deque>

#include "provisioning/nfs/tree_writer.hpp"

namespace bramble::nfs {
namespace {

constexpr std::size_t listed_max = 4'000'000;  // of one directory; a server could go on for ever

}  // namespace

Job list_all(
    Session& session, Crew& crew, const Handle& directory, Listing& into, std::string& error
) {
    const Crew::Member here(crew);
    READDIRPLUS3args args{};
    args.dir = directory.raw();
    args.dircount = 16U << 10U;
    args.maxcount = 128U << 10U;
    std::vector<std::string> without;  // handle or attributes
    std::size_t count = 0;
    for (bool more = true; more;) {
        const auto* answer =
            co_await session.call<READDIRPLUS3res>(rpc_nfs3_readdirplus_async, args);
        if (answer == nullptr) co_return;
        if (answer->status != NFS3_OK) {
            error = fmt::format(
                "{}: cannot list a directory: {}", session.where(), nas_words(answer->status)
            );
            co_return;
        }
        const READDIRPLUS3resok& part = answer->READDIRPLUS3res_u.resok;
        // libnfs lays these out as they come: a copy of ours is aligned.
        entryplus3 entry{};
        const cookie3 before = args.cookie;
        for (const void* at = part.reply.entries; at != nullptr; at = entry.nextentry) {
            std::memcpy(&entry, at, sizeof entry);
            args.cookie = entry.cookie;
            ++count;
            const std::string name = entry.name;
            if (name == "." || name == "..") continue;
            Listed listed;
            if (entry.name_attributes.attributes_follow != 0)
                listed.attributes = entry.name_attributes.post_op_attr_u.attributes;
            if (entry.name_handle.handle_follows != 0)
                listed.handle = Handle(entry.name_handle.post_op_fh3_u.handle);
            if (listed.handle.empty() || entry.name_attributes.attributes_follow == 0)
                without.push_back(name);
            into[name] = std::move(listed);
        }
        std::memcpy(args.cookieverf, part.cookieverf, sizeof args.cookieverf);
        more = part.reply.eof == 0 && part.reply.entries != nullptr;
        if (more && (args.cookie == before || count > listed_max)) {
            error = session.where() + ": cannot list a directory: the server's list has no end";
            co_return;
        }
    }
    for (const std::string& name : without) {
        const LOOKUP3args look{place(directory, name)};
        const auto* found = co_await session.call<LOOKUP3res>(rpc_nfs3_lookup_async, look);
        if (found == nullptr) co_return;
        if (found->status != NFS3_OK) {
            error = fmt::format(
                "{}: cannot look up '{}': {}", session.where(), name, nas_words(found->status)
            );
            co_return;
        }
        const LOOKUP3resok& there = found->LOOKUP3res_u.resok;
        Listed& listed = into[name];
        listed.handle = Handle(there.object);
        if (there.obj_attributes.attributes_follow != 0) {
            listed.attributes = there.obj_attributes.post_op_attr_u.attributes;
            continue;
        }
        const GETATTR3args ask{listed.handle.raw()};
        const auto* told = co_await session.call<GETATTR3res>(rpc_nfs3_getattr_async, ask);
        if (told == nullptr) co_return;
        if (told->status != NFS3_OK) {
            error = fmt::format(
                "{}: cannot look at '{}': {}", session.where(), name, nas_words(told->status)
            );
            co_return;
        }
        listed.attributes = told->GETATTR3res_u.resok.obj_attributes;
    }
}

namespace {

Job remove_one(
    Session& session,
    Crew& crew,
    const Handle& directory,
    const std::string& name,
    bool is_directory,
    std::string& error
) {
    const Crew::Member here(crew);
    nfsstat3 status = NFS3_OK;
    if (is_directory) {
        const RMDIR3args args{place(directory, name)};
        const auto* gone = co_await session.call<RMDIR3res>(rpc_nfs3_rmdir_async, args);
        if (gone != nullptr) status = gone->status;
    } else {
        const REMOVE3args args{place(directory, name)};
        const auto* gone = co_await session.call<REMOVE3res>(rpc_nfs3_remove_async, args);
        if (gone != nullptr) status = gone->status;
    }
    if (status != NFS3_OK && status != NFS3ERR_NOENT && error.empty()) error = nas_words(status);
}

Job find_one(
    Session& session,
    Crew& crew,
    const Handle& in,
    const std::string& name,
    Handle& found,
    bool& is_directory,
    std::string& error
) {
    const Crew::Member here(crew);
    const LOOKUP3args look{place(in, name)};
    const auto* answer = co_await session.call<LOOKUP3res>(rpc_nfs3_lookup_async, look);
    if (answer == nullptr || answer->status == NFS3ERR_NOENT) co_return;
    if (answer->status != NFS3_OK) {
        error = nas_words(answer->status);
        co_return;
    }
    const LOOKUP3resok& there = answer->LOOKUP3res_u.resok;
    found = Handle(there.object);
    if (there.obj_attributes.attributes_follow != 0) {
        is_directory = there.obj_attributes.post_op_attr_u.attributes.type == NF3DIR;
        co_return;
    }
    const GETATTR3args ask{found.raw()};
    const auto* told = co_await session.call<GETATTR3res>(rpc_nfs3_getattr_async, ask);
    if (told == nullptr) co_return;
    if (told->status != NFS3_OK) {
        error = nas_words(told->status);
        co_return;
    }
    is_directory = told->GETATTR3res_u.resok.obj_attributes.type == NF3DIR;
}

}  // namespace

Result<std::uint64_t> remove_tree(
    Session& session, const Handle& directory, const std::string& name, const std::stop_token& stop
) {
    struct Folder {
        Handle in;
        std::string name;
        Handle own;
        unsigned depth = 0;
    };

    Crew crew;
    std::string error;
    std::uint64_t count = 0;
    const auto settle = [&]() -> Result<void> {
        const auto done = session.finish(crew, stop);
        if (!done) return done;
        if (!error.empty())
            return fail(fmt::format("{}: cannot remove '{}': {}", session.where(), name, error));
        return {};
    };
    Handle top;
    bool is_directory = false;
    find_one(session, crew, directory, name, top, is_directory, error);
    if (auto done = settle(); !done) return tl::unexpected(done.error());
    if (top.empty()) return count;
    if (!is_directory) {
        remove_one(session, crew, directory, name, false, error);
        if (auto done = settle(); !done) return tl::unexpected(done.error());
        return 1;
    }
    std::deque<Folder> folders{{directory, name, top}};
    for (std::size_t i = 0; i < folders.size(); ++i) {
        Listing listing;
        list_all(session, crew, folders[i].own, listing, error);
        if (auto done = settle(); !done) return tl::unexpected(done.error());
        for (const auto& [entry, listed] : listing) {
            ++count;
            if (listed.attributes.type == NF3DIR) {
                folders.push_back({folders[i].own, entry, listed.handle, folders[i].depth + 1});
            } else {
                remove_one(session, crew, folders[i].own, entry, false, error);
                while (crew.size() >= jobs_max) session.turn();
            }
        }
        if (auto done = settle(); !done) return tl::unexpected(done.error());
    }
    // Found from the top, level by level: each level goes before the one above it.
    for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
        if (folder != folders.rbegin() && std::prev(folder)->depth != folder->depth) {
            if (auto done = settle(); !done) return tl::unexpected(done.error());
        }
        remove_one(session, crew, folder->in, folder->name, true, error);
        while (crew.size() >= jobs_max) session.turn();
    }
    if (auto done = settle(); !done) return tl::unexpected(done.error());
    return count + 1;
}

}  // namespace bramble::nfs
