#include "services/io/privileges.hpp"

#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <type_traits>

namespace bramble::io {
namespace {

constexpr std::array<cap_value_t, 2> kept = {CAP_NET_BIND_SERVICE, CAP_NET_RAW};

bool set_capabilities() {
    const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> capabilities(
        ::cap_init(), &::cap_free
    );
    if (!capabilities) return false;
    for (const cap_flag_t set : {CAP_PERMITTED, CAP_EFFECTIVE}) {
        if (::cap_set_flag(capabilities.get(), set, kept.size(), kept.data(), CAP_SET) != 0) {
            return false;
        }
    }
    return ::cap_set_proc(capabilities.get()) == 0;
}

}  // namespace

bool running_as_root() {
    return ::geteuid() == 0;
}

Result<void> become_user(const std::string& user) {
    errno = 0;
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr) {
        return fail(fmt::format(
            "there is no user '{0}': create it (`adduser --system --group {0}`) or leave --user "
            "out",
            user
        ));
    }
    const uid_t uid = entry->pw_uid;
    const gid_t gid = entry->pw_gid;
    const bool became = ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
                        ::initgroups(user.c_str(), gid) == 0 && ::setresgid(gid, gid, gid) == 0 &&
                        ::setresuid(uid, uid, uid) == 0 && set_capabilities() &&
                        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    if (!became) {
        return fail(fmt::format("cannot become user '{}': {}", user, std::strerror(errno)));
    }
    return {};
}

}  // namespace bramble::io
