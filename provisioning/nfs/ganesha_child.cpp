#include "provisioning/nfs/ganesha_child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

namespace bramble::nfs {

namespace {

constexpr int rpcbind_wait_steps = 100;  // of 50 ms

// After fork in a program with threads only plain system calls are safe, so words are written as
// they are.
void say(std::string_view text) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

[[noreturn]] void give_up(std::string_view what) {
    say("bramble: ");
    say(what);
    say(": ");
    say(strerrordesc_np(errno));
    say("\n");
    _exit(127);
}

// Ganesha is nobody's orphan: when the thread that forked it ends, however that came, it goes too.
void die_with_parent(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
}

// Mounts that the host makes later must be seen (a board's root may be one), ours must not.
void enter_own_mounts() {
    if (unshare(CLONE_NEWNS) != 0) give_up("a mount namespace of its own");
    if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) give_up("private mounts");
}

// libtirpc reaches rpcbind by the path /run/rpcbind.sock, which network namespaces share: with a
// /run of their own, server and rpcbind find each other and nobody else (lab facts, section 2).
void start_rpcbind(const char* const* argv) {
    if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0)
        give_up("a /run of its own");
    mkdir("/run/rpcbind", 0777);
    const pid_t self = getpid();
    const pid_t child = fork();
    if (child < 0) give_up("fork");
    if (child == 0) {
        die_with_parent(self);
        execvp(argv[0], const_cast<char* const*>(argv));
        give_up("rpcbind");
    }
    for (int step = 0; step < rpcbind_wait_steps; ++step) {
        if (access("/run/rpcbind.sock", F_OK) == 0) return;
        usleep(50'000);
    }
    errno = ETIMEDOUT;
    give_up("rpcbind");
}

[[noreturn]] void become_ganesha(
    pid_t parent, int output, const char* const* ganesha, const char* const* rpcbind
) {
    die_with_parent(parent);
    setpgid(0, 0);  // with its rpcbind, which forgets its parent when it gives up root
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    enter_own_mounts();
    if (rpcbind != nullptr) start_rpcbind(rpcbind);
    mkdir("/run/ganesha", 0755);
    execvp(ganesha[0], const_cast<char* const*>(ganesha));
    give_up("ganesha.nfsd");
}

}  // namespace

Result<GaneshaChild> spawn_ganesha(const Ganesha::Settings& settings, bool own_rpcbind) {
    std::array<int, 2> pipe_ends{};
    if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0)
        return fail(fmt::format("pipe: {}", strerror(errno)));
    // All memory that the child needs is made here: it must not allocate.
    const std::string configuration = settings.configuration.string();
    const std::string pid_file = settings.pid_file.string();
    const std::string address = settings.address.to_string();
    const std::array<const char*, 9> ganesha = {
        "ganesha.nfsd",
        "-F",
        "-L",
        "STDERR",
        "-f",
        configuration.c_str(),
        "-p",
        pid_file.c_str(),
        nullptr};
    const std::array<const char*, 5> rpcbind = {"rpcbind", "-f", "-h", address.c_str(), nullptr};
    const pid_t self = getpid();
    GaneshaChild child;
    child.pid = fork();
    if (child.pid == 0)
        become_ganesha(self, pipe_ends[1], ganesha.data(), own_rpcbind ? rpcbind.data() : nullptr);
    close(pipe_ends[1]);
    if (child.pid < 0) {
        close(pipe_ends[0]);
        return fail(fmt::format("fork: {}", strerror(errno)));
    }
    child.output = pipe_ends[0];
    child.pid_handle = static_cast<int>(syscall(SYS_pidfd_open, child.pid, 0));
    return child;
}

}  // namespace bramble::nfs
