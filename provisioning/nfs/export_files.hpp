// Single files and directories of an export, one call after another: found by path as a board would
// find them, read, made, moved. It refuses to know trees. Of this room only.
#pragma once

#include <fmt/format.h>

#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "provisioning/nfs/nas.hpp"
#include "provisioning/nfs/session.hpp"
#include "provisioning/nfs/tree_writer.hpp"

namespace bramble::nfs {

namespace fs = std::filesystem;

inline constexpr unsigned links_max = 40;  // of one path, as in Linux (MAXSYMLINKS)
inline constexpr std::size_t parts_max = 256;
inline constexpr std::uint64_t file_bytes_max = 16U << 20U;  // of one read whole

inline sattr3 attributes_like(const NasStatus& like) {
    sattr3 attributes{};
    attributes.mode.set_it = 1;
    attributes.mode.set_mode3_u.mode = like.mode;
    attributes.uid.set_it = 1;
    attributes.uid.set_uid3_u.uid = like.uid;
    attributes.gid.set_it = 1;
    attributes.gid.set_gid3_u.gid = like.gid;
    return attributes;
}

inline void put_in_front(std::deque<std::string>& parts, const fs::path& path) {
    std::deque<std::string> more;
    for (const fs::path& part : path) {
        if (part != "/" && !part.empty() && part != ".") more.push_back(part.string());
    }
    parts.insert(parts.begin(), more.begin(), more.end());
}

class ExportFiles {
public:
    explicit ExportFiles(Session& session) : session_(session) {}

    // Where a path leads: a name in a directory, and what is there, if anything.
    struct Spot {
        Handle in;
        std::string name;
        std::optional<Listed> there;
    };

    enum class Last { itself, followed };

    std::string where(const fs::path& root) const { return session_.where() + "/" + root.string(); }

    template <class Res, class Function, class Args, class Take>
    static Job call_once(
        Session& session,
        Crew& crew,
        Function function,
        const Args& args,
        const Take& take,
        nfsstat3& status
    ) {
        const Crew::Member here(crew);
        const auto* answer = co_await session.template call<Res>(function, args);
        if (answer == nullptr) co_return;
        status = answer->status;
        if (status == NFS3_OK) take(*answer);
    }

    // One call to its end; `take` sees the answer when it is a yes. Errors: the connection's.
    template <class Res, class Args, class Take>
    Result<nfsstat3> ask(
        int (*function)(rpc_context*, rpc_cb, Args*, void*), const Args& args, const Take& take
    ) {
        Crew crew;
        nfsstat3 answered = NFS3_OK;
        call_once<Res>(session_, crew, function, args, take, answered);
        if (auto done = session_.finish(crew, {}); !done) return tl::unexpected(done.error());
        return answered;
    }

    template <class Res, class Args, class Take>
    Result<void> expect(
        std::string_view doing,
        std::string_view what,
        int (*function)(rpc_context*, rpc_cb, Args*, void*),
        const Args& args,
        const Take& take
    ) {
        const auto status = ask<Res>(function, args, take);
        if (!status) return tl::unexpected(status.error());
        if (*status == NFS3_OK) return {};
        return fail(
            fmt::format("{}: cannot {} '{}': {}", session_.where(), doing, what, nas_words(*status))
        );
    }

    Result<std::optional<Listed>> look(const Handle& in, const std::string& name) {
        Listed found;
        bool complete = true;
        const LOOKUP3args args{place(in, name)};
        const auto status =
            ask<LOOKUP3res>(rpc_nfs3_lookup_async, args, [&](const LOOKUP3res& answer) {
                const LOOKUP3resok& there = answer.LOOKUP3res_u.resok;
                found.handle = Handle(there.object);
                complete = there.obj_attributes.attributes_follow != 0;
                if (complete) found.attributes = there.obj_attributes.post_op_attr_u.attributes;
            });
        if (!status) return tl::unexpected(status.error());
        if (*status == NFS3ERR_NOENT) return std::optional<Listed>();
        if (*status != NFS3_OK) {
            return fail(fmt::format(
                "{}: cannot look up '{}': {}", session_.where(), name, nas_words(*status)
            ));
        }
        if (complete) return std::optional(std::move(found));
        const GETATTR3args more{found.handle.raw()};
        return expect<GETATTR3res>(
                   "look at",
                   name,
                   rpc_nfs3_getattr_async,
                   more,
                   [&](const GETATTR3res& answer) {
                       found.attributes = answer.GETATTR3res_u.resok.obj_attributes;
                   }
        ).map([&] { return std::optional(std::move(found)); });
    }

    // As if `root` were "/": what leads out of it stays in it. Nothing: a directory on the way is
    // missing, or is none.
    Result<std::optional<Spot>> resolve(const fs::path& root, const fs::path& relative, Last last) {
        std::vector<Spot> way;  // the tree's own root stands first
        Spot top{session_.root(), "", Listed{session_.root(), {}}};
        top.there->attributes.type = NF3DIR;
        for (const fs::path& part : root) {
            auto there = look(top.there->handle, part.string());
            if (!there) return tl::unexpected(there.error());
            if (!*there || (*there)->attributes.type != NF3DIR) return std::optional<Spot>();
            top = Spot{top.there->handle, part.string(), std::move(*there)};
        }
        way.push_back(std::move(top));
        std::deque<std::string> rest;
        put_in_front(rest, relative);
        unsigned links = 0;
        for (std::size_t i = 0; i < parts_max && !rest.empty(); ++i) {
            const std::string part = std::move(rest.front());
            rest.pop_front();
            if (part == "..") {
                if (way.size() > 1) way.pop_back();
                continue;
            }
            const Spot& at = way.back();
            if (!at.there || at.there->attributes.type != NF3DIR) return std::optional<Spot>();
            auto there = look(at.there->handle, part);
            if (!there) return tl::unexpected(there.error());
            const bool link = *there && (*there)->attributes.type == NF3LNK;
            if (!link || (rest.empty() && last == Last::itself)) {
                way.push_back(Spot{at.there->handle, part, std::move(*there)});
                continue;
            }
            if (++links > links_max) return fail(where(root) + ": a circle of symbolic links");
            const auto target = read_link(**there);
            if (!target) return tl::unexpected(target.error());
            if (target->starts_with('/')) way.resize(1);
            put_in_front(rest, *target);
        }
        if (!rest.empty()) return fail(where(root) + ": a path of too many parts");
        return std::optional(std::move(way.back()));
    }

    Result<std::string> read_link(const Listed& link) {
        std::string target;
        const READLINK3args args{link.handle.raw()};
        return expect<READLINK3res>(
                   "read",
                   "a link",
                   rpc_nfs3_readlink_async,
                   args,
                   [&](const READLINK3res& answer) { target = answer.READLINK3res_u.resok.data; }
        ).map([&] { return target; });
    }

    Result<std::string> read(const Listed& file) {
        constexpr count3 chunk_bytes = 128U << 10U;
        std::string content;
        for (bool end = false; !end;) {
            if (content.size() > file_bytes_max)
                return fail(session_.where() + ": a file of the root is too large to be changed");
            READ3args args{};
            args.file = file.handle.raw();
            args.offset = content.size();
            args.count = chunk_bytes;
            const auto got = expect<READ3res>(
                "read",
                "a file",
                rpc_nfs3_read_async,
                args,
                [&](const READ3res& answer) {
                    const READ3resok& part = answer.READ3res_u.resok;
                    content.append(part.data.data_val, part.data.data_len);
                    end = part.eof != 0 || part.data.data_len == 0;
                }
            );
            if (!got) return tl::unexpected(got.error());
        }
        return content;
    }

    // Errors: something stands there.
    Result<void> create(
        const Handle& in, const std::string& name, std::string_view bytes, const NasStatus& like
    ) {
        return create_new(in, name, bytes, like).and_then([&](bool made) -> Result<void> {
            if (made) return {};
            return fail(fmt::format(
                "{}: cannot make '{}': {}", session_.where(), name, nas_words(NFS3ERR_EXIST)
            ));
        });
    }

    // False: something stands there.
    Result<bool> create_new(
        const Handle& in, const std::string& name, std::string_view bytes, const NasStatus& like
    ) {
        CREATE3args make{};
        make.where = place(in, name);
        make.how.mode = GUARDED;
        make.how.createhow3_u.g_obj_attributes = attributes_like(like);
        const auto made = ask<CREATE3res>(rpc_nfs3_create_async, make, [](const auto&) {});
        if (!made) return tl::unexpected(made.error());
        if (*made == NFS3ERR_EXIST) return false;
        if (*made != NFS3_OK) {
            return fail(
                fmt::format("{}: cannot make '{}': {}", session_.where(), name, nas_words(*made))
            );
        }
        return fill(in, name, bytes, like).map([] { return true; });
    }

    // A file that was made just now.
    Result<void> fill(
        const Handle& in, const std::string& name, std::string_view bytes, const NasStatus& like
    ) {
        const auto there = look(in, name);
        if (!there) return tl::unexpected(there.error());
        if (!*there) return fail(session_.where() + ": a file made there is not there");
        const std::size_t chunk = session_.limits().write_bytes_max;
        for (std::size_t at = 0; at < bytes.size();) {
            const std::string_view part = bytes.substr(at, chunk);
            WRITE3args args{};
            args.file = (*there)->handle.raw();
            args.offset = at;
            args.count = static_cast<count3>(part.size());
            args.stable = FILE_SYNC;
            args.data.data_len = args.count;
            args.data.data_val = const_cast<char*>(part.data());
            std::size_t written = 0;
            auto done = expect<WRITE3res>(
                "write",
                name,
                rpc_nfs3_write_async,
                args,
                [&](const WRITE3res& answer) { written = answer.WRITE3res_u.resok.count; }
            );
            if (!done) return done;
            if (written == 0) return fail(session_.where() + ": the server wrote nothing");
            at += written;
        }
        SETATTR3args last{};
        last.object = (*there)->handle.raw();
        last.new_attributes.mode = attributes_like(like).mode;  // writing took setuid away
        return expect<SETATTR3res>(
            "set the mode of", name, rpc_nfs3_setattr_async, last, [](const auto&) {}
        );
    }

    Result<void> move(
        const Handle& from, const std::string& name, const Handle& to, const std::string& as
    ) {
        const RENAME3args args{place(from, name), place(to, as)};
        return expect<RENAME3res>("rename to", as, rpc_nfs3_rename_async, args, [](const auto&) {});
    }

    // What is there already stays as it is.
    Result<Handle> make_directory(
        const Handle& in, const std::string& name, const NasStatus& like
    ) {
        const auto there = look(in, name);
        if (!there) return tl::unexpected(there.error());
        if (*there && (*there)->attributes.type == NF3DIR) return (*there)->handle;
        if (*there) {
            const auto gone = remove_tree(session_, in, name, {});
            if (!gone) return tl::unexpected(gone.error());
        }
        const MKDIR3args args{place(in, name), attributes_like(like)};
        const auto made = ask<MKDIR3res>(rpc_nfs3_mkdir_async, args, [](const auto&) {});
        if (!made) return tl::unexpected(made.error());
        // EXIST: whoever writes another tree beside this one was faster.
        if (*made != NFS3_OK && *made != NFS3ERR_EXIST) {
            return fail(
                fmt::format("{}: cannot make '{}': {}", session_.where(), name, nas_words(*made))
            );
        }
        const auto found = look(in, name);
        if (!found) return tl::unexpected(found.error());
        if (!*found || (*found)->attributes.type != NF3DIR)
            return fail(session_.where() + ": a directory made there is not there");
        return (*found)->handle;
    }

    Result<Handle> make_all(const fs::path& path) {
        NasStatus usual;
        usual.mode = 0755;
        Handle at = session_.root();
        for (const fs::path& part : path) {
            auto next = make_directory(at, part.string(), usual);
            if (!next) return next;
            at = std::move(*next);
        }
        return at;
    }

    // The directory that holds `relative`, made where it is missing.
    Result<Handle> parent_of(const fs::path& root, const fs::path& relative) {
        NasStatus usual;
        usual.mode = 0755;
        fs::path way;
        for (const fs::path& part : relative.lexically_normal().parent_path()) {
            way /= part;
            const auto spot = resolve(root, way, Last::followed);
            if (!spot) return tl::unexpected(spot.error());
            if (!*spot)
                return fail(fmt::format("{}: '{}' leads nowhere", where(root), way.string()));
            if ((*spot)->there) continue;
            if (auto made = make_directory((*spot)->in, (*spot)->name, usual); !made) return made;
        }
        const auto spot = resolve(root, way, Last::followed);
        if (!spot) return tl::unexpected(spot.error());
        if (!*spot || !(*spot)->there || (*spot)->there->attributes.type != NF3DIR)
            return fail(fmt::format("{}: '{}' is no directory", where(root), way.string()));
        return (*spot)->there->handle;
    }

private:
    Session& session_;
};

}  // namespace bramble::nfs
