#include "provisioning/image/inside.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>

#include "provisioning/image/debian_progress.hpp"
#include "provisioning/image/foreign_script.hpp"

namespace bramble::image {
namespace {

constexpr std::size_t lines_kept_max = 60;
constexpr std::size_t lines_quoted_max = 20;
constexpr std::size_t lines_of_an_end = 12;
constexpr const char* resolver = "etc/resolv.conf";

// Debian asks this before it starts, stops or restarts a service: 101 is "forbidden by policy".
constexpr std::string_view policy = "#!/bin/sh\nexit 101\n";

bool speaks_of_an_error(std::string_view line) {
    constexpr auto beginnings = std::to_array<std::string_view>({"E: ", "Failed ", "fatal: "});
    constexpr auto parts = std::to_array<std::string_view>(
        {"error:",
         "Error:",
         "ERROR",
         "error processing",
         ": not found",
         "No such file",
         "annot ",
         "*** ",
         "ermission denied"}
    );
    return std::any_of(
               beginnings.begin(),
               beginnings.end(),
               [&](std::string_view one) { return line.starts_with(one); }
           ) ||
           std::any_of(parts.begin(), parts.end(), [&](std::string_view one) {
               return line.find(one) != std::string_view::npos;
           });
}

// Watches one command's output: shows what is worth it, keeps the end, ends a flood.
class Listener {
public:
    explicit Listener(const Workshop& workshop)
        : workshop_(workshop), forwarding_(workshop.stop, [this] { stop_.request_stop(); }) {}

    void on_line(std::string_view line) {
        if (bytes_ == 0 && line.starts_with("== ")) return;  // our own heading
        bytes_ += line.size() + 1;
        if (bytes_ > Inside::output_bytes_max) stop_.request_stop();
        if (lines_.size() == lines_kept_max) lines_.pop_front();
        lines_.emplace_back(line);
        if (const auto worth = progress_.on_line(line); worth && workshop_.progress)
            workshop_.progress(*worth);
    }

    std::stop_token token() const { return stop_.get_token(); }

    bool flooded() const { return bytes_ > Inside::output_bytes_max; }

    std::vector<std::string> lines() const { return {lines_.begin(), lines_.end()}; }

private:
    const Workshop& workshop_;
    std::stop_source stop_;
    std::stop_callback<std::function<void()>> forwarding_;
    std::deque<std::string> lines_;
    std::uint64_t bytes_ = 0;
    DebianProgress progress_;
};

}  // namespace

std::string from_failing_line(const std::vector<std::string>& lines) {
    auto begin = std::find_if(lines.begin(), lines.end(), speaks_of_an_error);
    if (begin == lines.end())
        begin = lines.size() > lines_of_an_end ? lines.end() - lines_of_an_end : lines.begin();
    const auto end = begin + std::min<std::ptrdiff_t>(lines.end() - begin, lines_quoted_max);
    return fmt::format("{}", fmt::join(begin, end, "\n"));
}

std::optional<Processor> processor_of(std::string_view program) {
    struct Known {
        unsigned machine;  // e_machine, elf(5)
        unsigned bits_class;
        Processor processor;
    };

    constexpr auto known = std::to_array<Known>(
        {{183, 2, {"arm64", "aarch64"}},
         {40, 1, {"armhf", "arm"}},
         {62, 2, {"amd64", "x86_64"}},
         {3, 1, {"i386", "i386"}},
         {243, 2, {"riscv64", "riscv64"}}}
    );
    constexpr std::size_t machine_at = 18;
    if (program.size() < machine_at + 2 || !program.starts_with("\x7f"
                                                                "ELF"))
        return std::nullopt;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(program[at]); };
    const unsigned machine = byte(machine_at) | (static_cast<unsigned>(byte(machine_at + 1)) << 8U);
    for (const Known& one : known)
        if (one.machine == machine && one.bits_class == byte(4)) return one.processor;
    return std::nullopt;
}

Result<void> Inside::open() {
    for (const auto& [program, package] :
         {std::pair("arch-test", "arch-test"), std::pair("unshare", "util-linux")})
        if (!workshop_.host.has_program(program))
            return fail(fmt::format("{} is missing: install the package {}", program, package));
    for (const char* program : {"bin/sh", "usr/bin/dpkg", "sbin/init"}) {
        const auto there = workshop_.host.read_file_in(root_, program);
        const auto processor = there ? processor_of(*there) : std::nullopt;
        if (!processor) continue;
        architecture_ = processor->architecture;
        emulator_ = processor->emulator;
        break;
    }
    if (architecture_.empty())
        return fail("its root has no program that this version can run: is there a /bin/sh?");
    if (auto made = make_places(); !made) return made;
    // The machine's own name servers; where it has none, names are simply not found.
    const auto servers = workshop_.host.read_file("/etc/resolv.conf", 1U << 16U);
    if (auto lent = lend(resolver, servers ? *servers : "", 0644); !lent) return lent;
    const auto dpkg = workshop_.host.status_in(root_, "usr/bin/dpkg");
    if (!dpkg) return tl::unexpected(dpkg.error());
    return *dpkg ? lend("usr/sbin/policy-rc.d", std::string(policy), 0755) : Result<void>();
}

Result<void> Inside::make_places() {
    host::Host& host = workshop_.host;
    for (const char* place : {"proc", "sys", "dev", "run", "tmp"}) {
        const auto there = host.status_in(root_, place);
        if (!there) return tl::unexpected(there.error());
        if (*there) continue;
        const std::uint32_t mode = std::string_view(place) == "tmp" ? 01777 : 0755;
        if (auto made = host.make_directories_in(root_, place, mode); !made) return made;
    }
    const Path scratch = workshop_.staging / "scratch";
    return host.make_directories(scratch)
        .and_then([&] { return host.make_directories_in(scratch, "tmp", 01777); })
        .and_then([&] { return host.write_file(workshop_.staging / "run-foreign", foreign_script); }
        )
        .and_then([&] { return host.write_file(workshop_.staging / "enter-root", enter_script); });
}

Result<void> Inside::lend(const Path& path, std::string bytes, std::uint32_t mode) {
    host::Host& host = workshop_.host;
    const auto before = host.status_in(root_, path);
    if (!before) return tl::unexpected(before.error());
    Loan loan{path, std::move(bytes), *before, {}};
    if (loan.before && loan.before->kind == host::FileKind::regular) {
        auto read = host.read_file_in(root_, path);
        if (!read) return tl::unexpected(read.error());
        loan.before_bytes = std::move(*read);
    } else if (loan.before && loan.before->kind == host::FileKind::symlink) {
        // The directory is asked first: a link in its place would lead out of the root.
        const auto directory = host.status_in(root_, path.parent_path());
        if (!directory) return tl::unexpected(directory.error());
        if (!*directory || (*directory)->kind != host::FileKind::directory)
            return fail(fmt::format("its /{} is no directory", path.parent_path().string()));
        auto target = host.read_link(root_ / path);
        if (!target) return tl::unexpected(target.error());
        loan.before_bytes = target->string();
    } else if (loan.before) {
        return fail(fmt::format("its /{} is neither file nor link", path.string()));
    }
    loans_.push_back(std::move(loan));
    return host.write_file_in(root_, path, loans_.back().bytes, mode);
}

// A package may have put a file of its own there meanwhile: that one stays.
Result<void> Inside::take_back(const Loan& loan) {
    host::Host& host = workshop_.host;
    const auto there = host.status_in(root_, loan.path);
    if (!there) return tl::unexpected(there.error());
    if (!*there || (*there)->kind != host::FileKind::regular) return {};
    const auto bytes = host.read_file_in(root_, loan.path);
    if (!bytes) return tl::unexpected(bytes.error());
    if (*bytes != loan.bytes) return {};
    if (!loan.before) return host.remove_in(root_, loan.path);
    if (loan.before->kind == host::FileKind::symlink)
        return host.symlink_in(root_, loan.path, loan.before_bytes);
    return host.write_file_in(
        root_, loan.path, loan.before_bytes, loan.before->mode, {loan.before->uid, loan.before->gid}
    );
}

Result<void> Inside::run(const std::string& title, const std::vector<std::string>& argv) {
    Listener listener(workshop_);
    host::Command command;
    command.argv = {
        "sh",
        workshop_.staging / "run-foreign",
        architecture_,
        fmt::format("/usr/lib/binfmt.d/qemu-{}.conf", emulator_),
        "sh",
        workshop_.staging / "enter-root",
        root_,
        workshop_.staging / "scratch"};
    command.argv.insert(command.argv.end(), argv.begin(), argv.end());
    command.environment = {{"BRAMBLE_TITLE", title}};
    command.log = workshop_.log;
    command.stop = listener.token();
    command.limit = command_limit;
    command.on_line = [&](std::string_view line) { listener.on_line(line); };
    const auto outcome = workshop_.host.run(command);
    if (listener.flooded())
        return fail(fmt::format("printed more than {} MiB: ended", output_bytes_max >> 20U));
    if (!outcome) return tl::unexpected(outcome.error());
    if (outcome->exit_code == 0) return {};
    return fail(fmt::format(
        "ended with exit code {}:\n{}", outcome->exit_code, from_failing_line(listener.lines())
    ));
}

Result<void> Inside::close() {
    for (const Loan& loan : loans_)
        if (auto done = take_back(loan); !done) return done;
    loans_.clear();
    host::Host& host = workshop_.host;
    return host.remove_all(workshop_.staging / "scratch")
        .and_then([&] { return host.remove_all(workshop_.staging / "run-foreign"); })
        .and_then([&] { return host.remove_all(workshop_.staging / "enter-root"); });
}

}  // namespace bramble::image
