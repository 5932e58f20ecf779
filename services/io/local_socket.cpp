#include "services/io/local_socket.hpp"

#include <fmt/core.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

namespace bramble::io {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

constexpr std::size_t answer_bytes_max = 1024 * 1024;
constexpr int backlog = 8;

Result<sockaddr_un> address_of(const std::filesystem::path& socket) {
    sockaddr_un out{};
    out.sun_family = AF_UNIX;
    const std::string& path = socket.native();
    if (path.size() >= sizeof out.sun_path) {
        return fail(fmt::format(
            "{} is too long for a socket's path ({} characters at most)",
            path,
            sizeof out.sun_path - 1
        ));
    }
    std::copy(path.begin(), path.end(), out.sun_path);
    return out;
}

int connect_to(int fd, const sockaddr_un& address) {
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

int milliseconds_until(Deadline deadline) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
}

bool wait_for(int fd, short events, Deadline deadline) {
    pollfd wanted{fd, events, 0};
    for (;;) {
        const int ready = ::poll(&wanted, 1, milliseconds_until(deadline));
        if (ready > 0) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

bool send_line(int fd, std::string_view line, Deadline deadline) {
    const std::string whole = std::string(line) + "\n";
    std::string_view left = whole;
    while (!left.empty()) {
        if (!wait_for(fd, POLLOUT, deadline)) return false;
        const ssize_t sent = ::send(fd, left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (sent <= 0) return false;
        left.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

// Without its end. None: it did not come whole in time, or is longer than `bytes_max`.
std::optional<std::string> read_line(int fd, std::size_t bytes_max, Deadline deadline) {
    std::string out;
    std::array<char, 4096> piece{};
    while (wait_for(fd, POLLIN, deadline)) {
        const ssize_t count = ::recv(fd, piece.data(), piece.size(), MSG_DONTWAIT);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (count <= 0) return std::nullopt;
        out.append(piece.data(), static_cast<std::size_t>(count));
        if (const auto end = out.find('\n'); end != std::string::npos) {
            out.resize(end);
            return out.size() <= bytes_max ? std::optional(out) : std::nullopt;
        }
        if (out.size() > bytes_max) return std::nullopt;
    }
    return std::nullopt;
}

// A line of passwd(5) in memory of its own: callers come on another thread than openers.
struct UserEntry {
    passwd value{};
    std::array<char, 4096> text{};
    passwd* found = nullptr;
};

std::optional<LocalCaller> caller_of(int fd) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
    UserEntry entry;
    ::getpwuid_r(credentials.uid, &entry.value, entry.text.data(), entry.text.size(), &entry.found);
    return LocalCaller{
        credentials.uid,
        entry.found != nullptr ? entry.found->pw_name : std::to_string(credentials.uid)};
}

std::string last_error() {
    return std::strerror(errno);
}

}  // namespace

Result<std::string> call_local(
    const std::filesystem::path& socket, std::string_view line, Duration timeout
) {
    const auto address = address_of(socket);
    if (!address) return tl::unexpected(address.error());
    const FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.is_open() || connect_to(fd.get(), *address) != 0) {
        return fail(fmt::format("nobody listens on {}: {}", socket.string(), last_error()));
    }
    const Deadline deadline = std::chrono::steady_clock::now() + timeout;
    if (!send_line(fd.get(), line, deadline)) {
        return fail(fmt::format("{} took no line", socket.string()));
    }
    auto answer = read_line(fd.get(), answer_bytes_max, deadline);
    if (!answer) return fail(fmt::format("no answer from {}", socket.string()));
    return std::move(*answer);
}

Result<LocalListener> LocalListener::open(
    const std::filesystem::path& socket, const std::string& user
) {
    const auto address = address_of(socket);
    if (!address) return tl::unexpected(address.error());
    UserEntry owner;
    ::getpwnam_r(user.c_str(), &owner.value, owner.text.data(), owner.text.size(), &owner.found);
    if (owner.found == nullptr) {
        return fail(fmt::format("there is no user '{}' (deploy/install makes 'bramble')", user));
    }
    FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return fail(fmt::format("no socket: {}", last_error()));
    {
        const FileDescriptor other(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (connect_to(other.get(), *address) == 0) {
            return fail(fmt::format("another process listens on {} already", socket.string()));
        }
        if (errno == ECONNREFUSED) ::unlink(socket.c_str());
    }
    const mode_t before = ::umask(0177);  // nobody else may connect before its group is set
    const int bound =
        ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
    ::umask(before);
    if (bound != 0) {
        return fail(fmt::format("cannot make the socket {}: {}", socket.string(), last_error()));
    }
    if (::chown(socket.c_str(), static_cast<uid_t>(-1), owner.found->pw_gid) != 0 ||
        ::chmod(socket.c_str(), 0660) != 0 || ::listen(fd.get(), backlog) != 0) {
        return fail(fmt::format("cannot open {} for others: {}", socket.string(), last_error()));
    }
    return LocalListener(std::move(fd));
}

bool LocalListener::is_handed_over() {
    return ::sd_listen_fds(0) > 0;
}

Result<LocalListener> LocalListener::from_service_manager() {
    constexpr int first = SD_LISTEN_FDS_START;
    if (::sd_listen_fds(1) != 1 || ::sd_is_socket_unix(first, SOCK_STREAM, 1, nullptr, 0) <= 0) {
        return fail("systemd handed over something else than one listening local socket");
    }
    return LocalListener(FileDescriptor(first));
}

void LocalListener::run(
    int stop,
    Duration idle,
    const std::function<std::string(const LocalCaller&, std::string_view)>& answer,
    LocalLimits limits
) {
    const auto idle_ms = std::chrono::ceil<std::chrono::milliseconds>(idle).count();
    for (;;) {
        std::array<pollfd, 2> wanted = {pollfd{stop, POLLIN, 0}, pollfd{socket_.get(), POLLIN, 0}};
        const int ready =
            ::poll(wanted.data(), wanted.size(), idle_ms == 0 ? -1 : static_cast<int>(idle_ms));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0 || wanted[0].revents != 0) return;
        const FileDescriptor peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!peer.is_open()) continue;
        const auto caller = caller_of(peer.get());
        const Deadline deadline = std::chrono::steady_clock::now() + limits.line_timeout;
        const auto line =
            caller ? read_line(peer.get(), limits.line_bytes_max, deadline) : std::nullopt;
        if (!line) continue;
        const std::string said = answer(*caller, *line);
        send_line(peer.get(), said, std::chrono::steady_clock::now() + limits.line_timeout);
    }
}

}  // namespace bramble::io
