#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "provisioning/host/posix.hpp"
#include "provisioning/host/real_host.hpp"

namespace bramble::host {
namespace {

using namespace posix;
using Steady = std::chrono::steady_clock;

constexpr auto grace = std::chrono::seconds(5);  // between SIGTERM and SIGKILL
constexpr int poll_ms = 100;
constexpr std::size_t line_bytes_max = 4096;
constexpr int setup_failed_exit = 127;

std::optional<std::string> find_program(std::string_view program) {
    if (program.find('/') != std::string_view::npos) return std::string(program);
    std::string_view rest = RealHost::search_path;
    while (!rest.empty()) {
        const std::string_view directory = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(rest.size(), directory.size() + 1));
        std::string candidate = fmt::format("{}/{}", directory, program);
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    return std::nullopt;
}

// Everything that the child needs, made before fork: afterwards it may not allocate.
struct Prepared {
    std::string program;
    std::vector<std::string> environment;
    std::vector<char*> argv;
    std::vector<char*> envp;
    std::string directory;
};

Prepared prepare(const Command& command, std::string program) {
    std::map<std::string, std::string> variables = {
        {"PATH", std::string(RealHost::search_path)}, {"LC_ALL", "C.UTF-8"}, {"HOME", "/root"}};
    for (const auto& [name, value] : command.environment) variables[name] = value;
    Prepared prepared;
    prepared.program = std::move(program);
    for (const auto& [name, value] : variables) {
        prepared.environment.push_back(fmt::format("{}={}", name, value));
    }
    for (const std::string& argument : command.argv) {
        prepared.argv.push_back(const_cast<char*>(argument.c_str()));
    }
    for (std::string& variable : prepared.environment) prepared.envp.push_back(variable.data());
    prepared.argv.push_back(nullptr);
    prepared.envp.push_back(nullptr);
    if (command.directory) prepared.directory = command.directory->string();
    return prepared;
}

struct Pipe {
    Fd read;
    Fd write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failure("make", "a pipe");
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// The command's standard input as a file, so that nobody has to feed it.
Result<Fd> make_input(const std::string& text) {
    if (text.empty()) {
        Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (!null) return failure("open", "/dev/null");
        return null;
    }
    Fd file(::memfd_create("input", MFD_CLOEXEC));
    if (!file) return failure("make", "a memory file");
    if (auto written = write_all(file, text, "input"); !written) {
        return tl::unexpected(written.error());
    }
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

struct ChildEnds {
    int input;
    int output;
    int errors;
    int report;  // errno of a failed start goes here
};

// Holds the place of the first process of a PID namespace towards who waits for it, in its group
// and with its end. Does not return.
[[noreturn]] void stand_in_for(pid_t first) {
    constexpr int signal_base = 128;
    ::signal(SIGTERM, SIG_IGN);  // the group is told; it ends when the first process has ended
    ::syscall(SYS_close_range, 0U, ~0U, 0U);
    int status = 0;
    while (::waitpid(first, &status, 0) < 0 && errno == EINTR) {
    }
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status));
}

// In the child, between fork and exec: only calls that are safe there. Does not return.
[[noreturn]] void become(const Prepared& prepared, const Command& command, ChildEnds ends) {
    const auto give_up = [&] {
        const int reason = errno;
        [[maybe_unused]] const ssize_t sent = ::write(ends.report, &reason, sizeof reason);
        ::_exit(setup_failed_exit);
    };
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a killed apply leaves no builder behind
    // Where that is forbidden, as in a container, its group has to do.
    if (command.own_processes && ::unshare(CLONE_NEWPID) == 0) {
        const pid_t first = ::_Fork();
        if (first < 0) give_up();
        if (first > 0) stand_in_for(first);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    if (command.private_mounts &&
        (::unshare(CLONE_NEWNS) != 0 ||
         ::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)) {
        give_up();
    }
    if (command.as && (::setgroups(0, nullptr) != 0 || ::setgid(command.as->gid) != 0 ||
                       ::setuid(command.as->uid) != 0)) {
        give_up();
    }
    if (!prepared.directory.empty() && ::chdir(prepared.directory.c_str()) != 0) give_up();
    if (::dup2(ends.input, 0) < 0 || ::dup2(ends.output, 1) < 0 || ::dup2(ends.errors, 2) < 0) {
        give_up();
    }
    ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    ::execve(prepared.program.c_str(), prepared.argv.data(), prepared.envp.data());
    give_up();
    ::_exit(setup_failed_exit);
}

// One of the two streams of a command: keeps the tail, cuts lines.
class Stream {
public:
    Stream(Fd fd, const Command& command, const Fd& log)
        : fd_(std::move(fd)), command_(command), log_(log) {
        ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
    }

    int number() const { return fd_.get(); }

    // Reads what is there, but no more at a time than a flood may delay its end by. False: the
    // other end is closed.
    bool drain() {
        constexpr int reads_max = 64;
        std::array<char, 16384> buffer;
        for (int i = 0; i < reads_max; ++i) {
            const ssize_t count = ::read(fd_.get(), buffer.data(), buffer.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0 && errno == EAGAIN) return true;
            if (count <= 0) {
                fd_.reset();
                return false;
            }
            take({buffer.data(), static_cast<std::size_t>(count)});
        }
        return true;
    }

    std::string finish() {
        end_line();
        return std::move(kept_);
    }

private:
    void take(std::string_view bytes) {
        kept_.append(bytes);
        if (kept_.size() > 2 * CommandOutcome::output_bytes_max) {
            kept_.erase(0, kept_.size() - CommandOutcome::output_bytes_max);
        }
        // A full disk must not end a build for the sake of its log.
        if (log_) [[maybe_unused]]
            const auto logged = write_all(log_, bytes, {});
        for (const char c : bytes) {
            if (c == '\n' || c == '\r' || line_.size() == line_bytes_max) end_line();
            if (c != '\n' && c != '\r') line_.push_back(c);
        }
    }

    void end_line() {
        if (!line_.empty() && command_.on_line) command_.on_line(line_);
        line_.clear();
    }

    Fd fd_;
    const Command& command_;
    const Fd& log_;
    std::string kept_;
    std::string line_;
};

// Ends the command's whole group, at first politely.
class Stopper {
public:
    Stopper(pid_t child, const Command& command) : child_(child), command_(command) {}

    // True when the command has been told to end.
    bool check(Steady::time_point now) {
        const bool late = command_.limit && now - begun_ >= *command_.limit;
        if (!told_at_ && (command_.stop.stop_requested() || late)) {
            reason_ = late ? "took longer than its limit" : "was stopped";
            ::kill(-child_, SIGTERM);
            told_at_ = now;
        }
        if (told_at_ && now - *told_at_ >= grace) ::kill(-child_, SIGKILL);
        return told_at_.has_value();
    }

    const std::string& reason() const { return reason_; }

private:
    pid_t child_;
    const Command& command_;
    Steady::time_point begun_ = Steady::now();
    std::optional<Steady::time_point> told_at_;
    std::string reason_;
};

int exit_code_of(int status) {
    constexpr int signal_base = 128;
    return WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status);
}

// Reads both streams until the command has ended. What it left running in its group ends with it.
int attend(pid_t child, Stream& output, Stream& errors, Stopper& stopper) {
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    bool running = true;
    while (running) {
        std::array<pollfd, 3> waits = {
            {{process.get(), POLLIN, 0},
             {output.number(), POLLIN, 0},
             {errors.number(), POLLIN, 0}}};
        ::poll(waits.data(), waits.size(), poll_ms);
        running = (waits[0].revents & POLLIN) == 0;
        if (output.number() >= 0) output.drain();
        if (errors.number() >= 0) errors.drain();
        stopper.check(Steady::now());
    }
    ::kill(-child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return exit_code_of(status);
}

}  // namespace

bool RealHost::has_program(std::string_view program) {
    return find_program(program).has_value();
}

Result<CommandOutcome> RealHost::run(const Command& command) {
    if (command.argv.empty()) return fail("a command without a program");
    auto program = find_program(command.argv.front());
    if (!program) {
        return fail(fmt::format(
            "'{}' is not installed; deploy/setup installs what is needed", command.argv.front()
        ));
    }
    const Prepared prepared = prepare(command, std::move(*program));
    Result<Pipe> output = make_pipe();
    Result<Pipe> errors = make_pipe();
    Result<Pipe> report = make_pipe();
    const Result<Fd> input = make_input(command.input);
    if (!output || !errors || !report || !input) return fail("cannot make pipes for a command");
    Fd log;
    if (command.log) {
        log = Fd(::open(command.log->c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
        if (!log) return failure("open the log", *command.log);
    }
    const pid_t child = ::fork();
    if (child < 0) return failure("start", prepared.program);
    if (child == 0) {
        become(
            prepared,
            command,
            {input->get(), output->write.get(), errors->write.get(), report->write.get()}
        );
    }
    ::setpgid(child, child);  // also here: we may want to signal it before it has done so
    output->write.reset();
    errors->write.reset();
    report->write.reset();
    int reason = 0;
    const bool failed = ::read(report->read.get(), &reason, sizeof reason) == sizeof reason;
    Stream from_output(std::move(output->read), command, log);
    Stream from_errors(std::move(errors->read), command, log);
    Stopper stopper(child, command);
    const int exit_code = attend(child, from_output, from_errors, stopper);
    if (failed) {
        return fail(fmt::format("cannot start '{}': {}", prepared.program, std::strerror(reason)));
    }
    if (!stopper.reason().empty()) {
        return fail(fmt::format("'{}' {}", command.argv.front(), stopper.reason()));
    }
    return CommandOutcome{exit_code, from_output.finish(), from_errors.finish()};
}

}  // namespace bramble::host
