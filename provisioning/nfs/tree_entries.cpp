// The single entries of a tree that is written: each a job that makes one.
#include <fmt/format.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "provisioning/nfs/attributes.hpp"
#include "provisioning/nfs/local_file.hpp"
#include "provisioning/nfs/tree_writer.hpp"

namespace bramble::nfs {

// A file while it is written.
struct FileInWork {
    FileInWork(Session& session, std::uint32_t of) : index(of), parts(session) {}

    std::uint32_t index;
    Handle handle;
    Parts parts;
    bool one_part = false;
    std::uint64_t end = 0;   // of what was sent
    std::string verifier;    // of the first unstable WRITE
    bool forgotten = false;  // the server started anew in between
};

namespace {

bool all_zero(const std::string& bytes) {
    return bytes.find_first_not_of('\0') == std::string::npos;
}

}  // namespace

Job TreeWriter::put_part(FileInWork& file, std::uint64_t offset, std::string bytes) {
    const Crew::Member here(crew_);
    WRITE3args args{};
    args.file = file.handle.raw();
    args.offset = offset;
    args.count = static_cast<count3>(bytes.size());
    args.stable = file.one_part ? FILE_SYNC : UNSTABLE;
    args.data.data_len = static_cast<u_int>(bytes.size());
    args.data.data_val = bytes.data();
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto* answer = co_await session_.call<WRITE3res>(rpc_nfs3_write_async, args);
        if (!good(answer, answer == nullptr ? NFS3_OK : answer->status, file.index, "write")) break;
        const WRITE3resok& written = answer->WRITE3res_u.resok;
        ++report_.writes;
        if (written.count == 0 || written.count > bytes.size() - done) {
            fail_at(file.index, "write", "the server wrote nothing of it");
            break;
        }
        report_.bytes += written.count;
        if (written.committed == UNSTABLE) {
            const std::string verifier(written.verf, sizeof written.verf);
            if (file.verifier.empty()) file.verifier = verifier;
            file.forgotten |= file.verifier != verifier;
        }
        done += written.count;
        args.offset = offset + done;
        args.count = static_cast<count3>(bytes.size() - done);
        args.data.data_len = args.count;
        args.data.data_val = bytes.data() + done;
    }
    buffers_.leave(bytes.size());
    file.parts.end();
}

// One of the file's parts itself, until all others have begun.
Job TreeWriter::send_content(FileInWork& file) {
    const Crew::Member here(crew_);
    const SourceEntry& entry = source_.entries[file.index];
    const std::size_t part_max = session_.limits().write_bytes_max;
    file.one_part = entry.size <= part_max;
    const OpenFile local(source_.path_of(file.index));
    if (local.fd < 0) fail_at(file.index, "read", std::strerror(errno));
    // Holes are not sent; the size at the end makes them again.
    for (std::uint64_t at = 0; local.fd >= 0 && at < entry.size && going();) {
        const off_t data = ::lseek(local.fd, static_cast<off_t>(at), SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;
        if (data >= 0) at = static_cast<std::uint64_t>(data);
        const off_t hole = ::lseek(local.fd, static_cast<off_t>(at), SEEK_HOLE);
        const std::uint64_t end =
            std::min(entry.size, hole < 0 ? entry.size : static_cast<std::uint64_t>(hole));
        while (at < end && going()) {
            const std::size_t size = std::min<std::uint64_t>(part_max, end - at);
            co_await buffers_.enter(size);
            std::string bytes(size, '\0');
            const ssize_t got = ::pread(local.fd, bytes.data(), size, static_cast<off_t>(at));
            const bool whole = got == static_cast<ssize_t>(size);
            if (!whole)
                fail_at(file.index, "read", got < 0 ? std::strerror(errno) : "it became shorter");
            if (!whole || all_zero(bytes)) {
                buffers_.leave(size);
            } else {
                file.end = at + size;
                file.parts.begin();
                put_part(file, at, std::move(bytes));
            }
            at += size;
        }
    }
    file.parts.end();
}

// A server that says yes may still have made something else of it.
void TreeWriter::take_result(std::uint32_t index, const post_op_attr& after) {
    if (after.attributes_follow == 0) return;
    const SourceEntry& entry = source_.entries[index];
    const fattr3& there = after.post_op_attr_u.attributes;
    ids_[index] = there.fileid;
    if (is_alike(entry, there)) return;
    fail_at(
        index,
        "keep",
        fmt::format(
            "wanted mode {:o} of {}:{}, {} bytes, and there is mode {:o} of {}:{}, {} bytes; "
            "export "
            "it with no_root_squash and without ACLs that change modes",
            entry.mode & 07777U,
            entry.uid,
            entry.gid,
            entry.size,
            there.mode & 07777U,
            there.uid,
            there.gid,
            there.size
        )
    );
}

Job TreeWriter::put_file(std::uint32_t index) {
    const Crew::Member here(crew_);
    const SourceEntry& entry = source_.entries[index];
    FileInWork file(session_, index);
    CREATE3args make{};
    make.where = place(handles_[entry.parent], entry.name);
    make.how.mode = GUARDED;
    make.how.createhow3_u.g_obj_attributes = owner_of(entry);
    set_mode(make.how.createhow3_u.g_obj_attributes, 0600);
    const auto* made = co_await session_.call<CREATE3res>(rpc_nfs3_create_async, make);
    if (!good(made, made == nullptr ? NFS3_OK : made->status, index, "make")) co_return;
    const post_op_fh3& handle = made->CREATE3res_u.resok.obj;
    if (handle.handle_follows == 0) {
        const LOOKUP3args look{place(handles_[entry.parent], entry.name)};
        const auto* found = co_await session_.call<LOOKUP3res>(rpc_nfs3_lookup_async, look);
        if (!good(found, found == nullptr ? NFS3_OK : found->status, index, "look up")) co_return;
        file.handle = Handle(found->LOOKUP3res_u.resok.object);
    } else {
        file.handle = Handle(handle.post_op_fh3_u.handle);
    }
    file.parts.begin();
    send_content(file);
    co_await file.parts;
    if (!file.verifier.empty() && going()) {
        COMMIT3args commit{};
        commit.file = file.handle.raw();
        const auto* kept = co_await session_.call<COMMIT3res>(rpc_nfs3_commit_async, commit);
        if (!good(kept, kept == nullptr ? NFS3_OK : kept->status, index, "write")) co_return;
        const COMMIT3resok& with = kept->COMMIT3res_u.resok;
        file.forgotten |= file.verifier != std::string(with.verf, sizeof with.verf);
        if (file.forgotten) fail_at(index, "write", "the server started anew: run apply again");
    }
    if (!going()) co_return;
    SETATTR3args last{};
    last.object = file.handle.raw();
    set_mode(last.new_attributes, entry.mode & 07777U);
    if (file.end < entry.size) {  // it ends with a hole
        last.new_attributes.size.set_it = 1;
        last.new_attributes.size.set_size3_u.size = entry.size;
    }
    set_times(last.new_attributes, entry.modified);
    const auto* set = co_await session_.call<SETATTR3res>(rpc_nfs3_setattr_async, last);
    if (!good(set, set == nullptr ? NFS3_OK : set->status, index, "set the attributes of"))
        co_return;
    take_result(index, set->SETATTR3res_u.resok.obj_wcc.after);
    if (entry.has_more_names) handles_[index] = file.handle;
    ++report_.made;
}

Job TreeWriter::put_link(std::uint32_t index) {
    const Crew::Member here(crew_);
    const SourceEntry& entry = source_.entries[index];
    SYMLINK3args make{};
    make.where = place(handles_[entry.parent], entry.name);
    make.symlink.symlink_attributes = owner_of(entry);
    make.symlink.symlink_data = const_cast<char*>(entry.target.c_str());
    const auto* made = co_await session_.call<SYMLINK3res>(rpc_nfs3_symlink_async, make);
    if (!good(made, made == nullptr ? NFS3_OK : made->status, index, "make the link")) co_return;
    ++report_.made;
    const post_op_fh3& handle = made->SYMLINK3res_u.resok.obj;
    if (handle.handle_follows == 0) co_return;
    const Handle link(handle.post_op_fh3_u.handle);
    SETATTR3args last{};
    last.object = link.raw();
    last.new_attributes = owner_of(entry);
    set_times(last.new_attributes, entry.modified);
    // What a server without times of links says to it does not matter.
    co_await session_.call<SETATTR3res>(rpc_nfs3_setattr_async, last);
}

Job TreeWriter::put_special(std::uint32_t index) {
    const Crew::Member here(crew_);
    const SourceEntry& entry = source_.entries[index];
    MKNOD3args make{};
    make.where = place(handles_[entry.parent], entry.name);
    make.what.type = type_of(entry.mode);
    sattr3 attributes = owner_of(entry);
    set_mode(attributes, entry.mode & 07777U);
    if (S_ISCHR(entry.mode) || S_ISBLK(entry.mode)) {
        make.what.mknoddata3_u.chr_device.dev_attributes = attributes;
        make.what.mknoddata3_u.chr_device.spec = {major(entry.device), minor(entry.device)};
    } else {
        make.what.mknoddata3_u.pipe_attributes = attributes;
    }
    const auto* made = co_await session_.call<MKNOD3res>(rpc_nfs3_mknod_async, make);
    if (!good(made, made == nullptr ? NFS3_OK : made->status, index, "make the device or fifo"))
        co_return;
    ++report_.made;
    const post_op_fh3& handle = made->MKNOD3res_u.resok.obj;
    if (handle.handle_follows == 0) co_return;
    const Handle node(handle.post_op_fh3_u.handle);
    if (entry.has_more_names) handles_[index] = node;
    SETATTR3args last{};
    last.object = node.raw();
    set_mode(last.new_attributes, entry.mode & 07777U);
    set_times(last.new_attributes, entry.modified);
    const auto* set = co_await session_.call<SETATTR3res>(rpc_nfs3_setattr_async, last);
    if (!good(set, set == nullptr ? NFS3_OK : set->status, index, "set the attributes of"))
        co_return;
    take_result(index, set->SETATTR3res_u.resok.obj_wcc.after);
}

Job TreeWriter::put_name(std::uint32_t index) {
    const Crew::Member here(crew_);
    const SourceEntry& entry = source_.entries[index];
    const Handle& first = handles_[*entry.same_as];
    if (first.empty()) {
        fail_at(index, "link", "the server gave no handle for its first name");
        co_return;
    }
    const LINK3args make{first.raw(), place(handles_[entry.parent], entry.name)};
    const auto* made = co_await session_.call<LINK3res>(rpc_nfs3_link_async, make);
    if (!good(made, made == nullptr ? NFS3_OK : made->status, index, "link")) co_return;
    ++report_.made;
}

// Last of all: making what is in it changed its time.
Job TreeWriter::finish_directory(std::uint32_t index) {
    const Crew::Member here(crew_);
    const SourceEntry& entry = source_.entries[index];
    SETATTR3args last{};
    last.object = handles_[index].raw();
    last.new_attributes = owner_of(entry);
    set_mode(last.new_attributes, entry.mode & 07777U);
    set_times(last.new_attributes, entry.modified);
    const auto* set = co_await session_.call<SETATTR3res>(rpc_nfs3_setattr_async, last);
    good(set, set == nullptr ? NFS3_OK : set->status, index, "set the attributes of");
}

}  // namespace bramble::nfs
