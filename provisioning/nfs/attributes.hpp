// Kinds, modes and times of this machine in the words of NFSv3. Of this room only.
#pragma once

#include <sys/stat.h>

#include "provisioning/nfs/session.hpp"
#include "provisioning/nfs/source_tree.hpp"

namespace bramble::nfs {

inline ftype3 type_of(mode_t mode) {
    switch (mode & S_IFMT) {
        case S_IFDIR:
            return NF3DIR;
        case S_IFLNK:
            return NF3LNK;
        case S_IFCHR:
            return NF3CHR;
        case S_IFBLK:
            return NF3BLK;
        case S_IFIFO:
            return NF3FIFO;
        case S_IFSOCK:
            return NF3SOCK;
        default:
            break;
    }
    return NF3REG;
}

inline nfstime3 as_nfs(const Time& time) {
    nfstime3 out{};
    out.seconds = static_cast<u_int>(time.s);
    out.nseconds = time.ns;
    return out;
}

inline void set_times(sattr3& attributes, const Time& time) {
    attributes.mtime.set_it = SET_TO_CLIENT_TIME;
    attributes.mtime.set_mtime_u.mtime = as_nfs(time);
    attributes.atime.set_it = SET_TO_CLIENT_TIME;
    attributes.atime.set_atime_u.atime = as_nfs(time);
}

inline void set_mode(sattr3& attributes, std::uint32_t mode) {
    attributes.mode.set_it = 1;
    attributes.mode.set_mode3_u.mode = mode;
}

}  // namespace bramble::nfs
