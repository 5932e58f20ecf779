#include "provisioning/nfs/ganesha.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>

#include "provisioning/nfs/export_text.hpp"
#include "provisioning/nfs/ganesha_child.hpp"
#include "provisioning/nfs/verify.hpp"

namespace bramble::nfs {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t last_words_max = 12;
constexpr std::size_t line_bytes_max = 4096;
constexpr std::string_view ready_words = "NFS SERVER INITIALIZED";

// Asked without taking its end: while that waits, nobody else gets its number.
bool has_ended(pid_t child) {
    siginfo_t end{};
    return ::waitid(P_PID, static_cast<id_t>(child), &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           end.si_pid == child;
}

// A descriptor that is closed with its scope.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }

    int get() const { return number_; }

private:
    int number_;
};

// Whether someone listens on the portmapper's port in this network namespace: then its rpcbind is
// the one to use.
bool portmapper_runs() {
    const Descriptor probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int reuse = 1;
    setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(111);
    return bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
           errno == EADDRINUSE;
}

bool in_path(const std::string& program) {
    for (const char* directory :
         {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin"})
        if (access((std::string(directory) + "/" + program).c_str(), X_OK) == 0) return true;
    return false;
}

}  // namespace

Result<std::unique_ptr<Ganesha>> Ganesha::start(Settings settings, Log log) {
    std::ifstream file(settings.configuration);
    if (!file)
        return fail(fmt::format(
            "cannot read {}: run 'bramble apply' first", settings.configuration.string()
        ));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!in_path("ganesha.nfsd"))
        return fail("ganesha.nfsd is missing: install nfs-ganesha and nfs-ganesha-vfs");
    const bool own_rpcbind = wants_rpcbind(text) && !portmapper_runs();
    if (own_rpcbind && !in_path("rpcbind"))
        return fail("rpcbind is missing, which NFS version 3 needs: install rpcbind");
    if (own_rpcbind && settings.configuration.string().starts_with("/run/"))
        return fail("the store cannot lie below /run, which the NFS server gets as its own: move it"
        );

    std::unique_ptr<Ganesha> self(new Ganesha(std::move(settings), std::move(log), own_rpcbind));
    self->thread_ =
        std::jthread([raw = self.get()](const std::stop_token& stop) { raw->supervise(stop); });
    std::unique_lock lock(self->mutex_);
    self->changed_.wait_for(lock, self->settings_.ready_limit, [&] {
        return self->ready_ || self->failed_;
    });
    if (self->ready_) {
        lock.unlock();
        self->look_at_exports(text);
        return self;
    }
    std::string words;
    for (const std::string& line : self->last_words_) words += "\n  " + line;
    return fail(fmt::format(
        "ganesha.nfsd {}; its last words:{}",
        self->failed_
            ? std::string("ended at once")
            : fmt::format("is not ready after {} s", self->settings_.ready_limit.count() / 1000),
        words
    ));
}

Ganesha::Ganesha(Settings settings, Log log, bool own_rpcbind)
    : settings_(std::move(settings)), log_(std::move(log)), own_rpcbind_(own_rpcbind) {}

Ganesha::~Ganesha() = default;  // jthread: asks the supervising thread to stop and waits for it

// A bad EXPORT does not stop Ganesha: it serves the others (lab facts, section 2), and so do we.
void Ganesha::look_at_exports(std::string_view configuration) const {
    const auto there = verify_exports(
        settings_.address, exported_roots(configuration), mount_port, std::chrono::milliseconds(500)
    );
    if (!there && log_) log_(there.error().message);
}

bool Ganesha::ready() const {
    const std::lock_guard lock(mutex_);
    return ready_;
}

Result<void> Ganesha::reload() {
    const std::lock_guard lock(mutex_);
    if (!ready_ || kill(pid_, SIGHUP) != 0)
        return fail(
            "ganesha.nfsd is not running just now; it reads the exports when it starts again"
        );
    return {};
}

void Ganesha::supervise(const std::stop_token& stop) {
    std::chrono::milliseconds pause = pause_first;
    while (!stop.stop_requested()) {
        const auto began = Clock::now();
        if (run_once(stop) == End::stopped) return;
        {
            const std::lock_guard lock(mutex_);
            failed_ = failed_ || !ready_;
            ready_ = false;
        }
        changed_.notify_all();
        if (Clock::now() - began > pause_longest) pause = pause_first;  // it had been healthy
        if (log_)
            log_(fmt::format("ganesha.nfsd ended; starting it again in {} ms", pause.count()));
        std::unique_lock lock(mutex_);
        std::condition_variable_any waiting;
        waiting.wait_for(lock, stop, pause, [] { return false; });
        pause = std::min(pause * 2, pause_longest);
    }
}

// From fork to its end: hands on what it says, and asks it to end when we are asked.
Ganesha::End Ganesha::run_once(const std::stop_token& stop) {
    const auto child = spawn_ganesha(settings_, own_rpcbind_);
    if (!child) {
        take_line(child.error().message);
        return End::died;
    }
    {
        const std::lock_guard lock(mutex_);
        pid_ = child->pid;
    }
    const Descriptor output(child->output);
    const Descriptor pid_handle(child->pid_handle);
    const Descriptor wake(eventfd(0, EFD_CLOEXEC));
    const std::stop_callback on_stop(stop, [&] { eventfd_write(wake.get(), 1); });
    std::array<pollfd, 3> waiting{};
    waiting[0] = {output.get(), POLLIN, 0};
    waiting[1] = {pid_handle.get(), POLLIN, 0};
    waiting[2] = {wake.get(), POLLIN, 0};
    std::optional<Clock::time_point> kill_at;
    std::string pending;
    while (true) {
        poll(waiting.data(), waiting.size(), kill_at ? 100 : 1000);
        if ((waiting[0].revents & (POLLIN | POLLHUP)) != 0) {
            std::array<char, 4096> buffer{};
            const ssize_t count = read(output.get(), buffer.data(), buffer.size());
            if (count <= 0) waiting[0].fd = -1;
            pending.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
            for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos;) {
                take_line(std::string_view(pending).substr(0, end));
                pending.erase(0, end + 1);
            }
            if (pending.size() > line_bytes_max) pending.clear();
            if (count > 0) continue;  // its last words before its end
        }
        if ((waiting[2].revents & POLLIN) != 0 && !kill_at) {
            kill(child->pid, SIGTERM);
            kill_at = Clock::now() + stop_limit;
            waiting[2].fd = -1;
        }
        if (kill_at && Clock::now() > *kill_at) kill(child->pid, SIGKILL);
        if (has_ended(child->pid)) break;
    }
    kill(-child->pid, SIGKILL);  // its rpcbind; before the number of the group may be another's
    waitpid(child->pid, nullptr, 0);
    const std::lock_guard lock(mutex_);
    pid_ = 0;
    return kill_at ? End::stopped : End::died;
}

void Ganesha::take_line(std::string_view line) {
    const auto words = worth_telling(line);
    const bool is_ready = line.find(ready_words) != std::string_view::npos;
    {
        const std::lock_guard lock(mutex_);
        ready_ = ready_ || is_ready;
        if (words) last_words_.push_back(*words);
        if (last_words_.size() > last_words_max) last_words_.pop_front();
    }
    if (is_ready) changed_.notify_all();
    if (words && log_) log_(*words);
}

}  // namespace bramble::nfs
