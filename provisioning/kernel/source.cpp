#include "provisioning/kernel/source.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace bramble::kernel {
namespace {

void say(const Workshop& workshop, std::string_view line) {
    if (workshop.progress) workshop.progress(line);
}

host::Command command(const Workshop& workshop, std::vector<std::string> argv) {
    host::Command made;
    made.argv = std::move(argv);
    made.environment = {{"GIT_TERMINAL_PROMPT", "0"}};
    made.log = workshop.log;
    made.stop = workshop.stop;
    return made;
}

// What git prints of a fetch that takes long: "Receiving objects:  42% (33022/78624), 94 MiB | 9
// MiB/s".
bool tells_progress(std::string_view line) {
    return line.starts_with("Receiving objects:") || line.starts_with("Updating files:") ||
           line.starts_with("remote: Compressing objects:");
}

// Its lines without those that were written over.
std::string last_written(std::string_view text) {
    std::string lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        line = line.substr(line.find_last_of('\r') + 1);  // npos + 1 is 0
        if (!line.empty()) lines += fmt::format("\n{}", line);
    }
    return lines;
}

// Shows how far git is, now and then.
Result<void> run_git(const Workshop& workshop, const std::vector<std::string>& argv) {
    constexpr auto interval = std::chrono::seconds(5);
    host::Command made = command(workshop, argv);
    auto told = workshop.host.now();
    made.on_line = [&](std::string_view line) {
        const auto now = workshop.host.now();
        if (!tells_progress(line) || now - told < interval) return;
        told = now;
        say(workshop, line.substr(0, line.find_last_not_of(' ') + 1));
    };
    const auto outcome = workshop.host.run(made);
    if (!outcome) return tl::unexpected(outcome.error());
    if (outcome->exit_code == 0) return {};
    return fail(fmt::format(
        "'{}' ended with exit code {}:{}",
        fmt::join(argv, " "),
        outcome->exit_code,
        last_written(outcome->errors)
    ));
}

Result<void> need(host::Host& host, std::string_view program) {
    if (host.has_program(program)) return {};
    return fail(fmt::format("{} is missing: install the package {}", program, program));
}

class Opening {
public:
    Opening(const Order& order, const Workshop& workshop)
        : order_(order),
          workshop_(workshop),
          host_(workshop.host),
          place_(workshop.staging / "source") {}

    Result<Path> operator()(const fleet::PathSource& source) {
        if (order_.kernel.patches.empty()) return source.path;
        say(workshop_, "copying the sources, which are to be patched");
        return host_.copy_tree(source.path, place_, workshop_.stop).map([&] { return place_; });
    }

    Result<Path> operator()(const fleet::ArchiveSource& archive) {
        std::optional<Digest> sum = archive.sha256;
        Path file = archive.location;
        if (archive.location.find("://") != std::string::npos) {
            if (const auto meant = meaning(order_.kernel, order_.pins)) {
                const auto pinned = Digest::parse(*meant);
                if (!pinned) return fail("the lock file's sum is no SHA-256: run apply --update");
                sum = *pinned;
            }
            const auto fetched = workshop_.craft.fetch(archive.location, sum);
            if (!fetched) return tl::unexpected(fetched.error());
            file = *fetched;
        } else if (sum) {
            const auto is = host_.hash_file(file);
            if (!is) return tl::unexpected(is.error());
            if (is->digest != *sum) {
                return fail(fmt::format(
                    "'{}' has the SHA-256 {}, the fleet file says {}",
                    file.string(),
                    is->digest.to_string(),
                    sum->to_string()
                ));
            }
        }
        say(workshop_, "unpacking the sources");
        return host_.make_directories(place_)
            .and_then([&] { return workshop_.craft.unpack(file, place_); })
            .and_then([&] { return top_directory(); });
    }

    Result<Path> operator()(const fleet::GitSource& git) {
        if (auto there = need(host_, "git"); !there) return tl::unexpected(there.error());
        const std::string commit = is_whole_commit(git.commit)
                                       ? git.commit
                                       : meaning(order_.kernel, order_.pins).value_or("");
        if (!is_whole_commit(commit)) {
            return fail("the lock file does not say which commit: run apply --update");
        }
        say(workshop_, fmt::format("fetching {} at {}", git.url, commit.substr(0, 12)));
        const std::string place = place_.string();
        for (const std::vector<std::string>& argv : std::vector<std::vector<std::string>>{
                 {"git", "init", "--quiet", place},
                 {"git", "-C", place, "fetch", "--progress", "--depth=1", git.url, commit},
                 {"git", "-C", place, "checkout", "--progress", "--quiet", "--detach", commit}}) {
            if (auto ran = run_git(workshop_, argv); !ran) return tl::unexpected(ran.error());
        }
        return place_;
    }

    Result<Path> operator()(const fleet::DebSource& /*deb*/) {
        return fail("a Debian package holds no sources");
    }

private:
    // Archives of sources hold one directory, linux-6.1 or the like.
    Result<Path> top_directory() {
        const auto entries = host_.list(place_);
        if (!entries) return tl::unexpected(entries.error());
        if (entries->size() == 1 && entries->front().kind == host::FileKind::directory) {
            return place_ / entries->front().name;
        }
        return place_;
    }

    const Order& order_;
    const Workshop& workshop_;
    host::Host& host_;
    const Path place_;
};

Result<void> apply_patch(const Path& sources, const Path& patch, const Workshop& workshop) {
    auto text = workshop.host.read_file(patch);
    if (!text) return tl::unexpected(text.error());
    host::Command made = command(
        workshop,
        {"patch", "-p1", "--batch", "--forward", "--no-backup-if-mismatch", "-d", sources.string()}
    );
    made.input = std::move(*text);
    const auto outcome = workshop.host.run(made);
    if (!outcome) return tl::unexpected(outcome.error());
    if (outcome->exit_code == 0) return {};
    return fail(fmt::format("patch '{}' does not apply:\n{}", patch.string(), outcome->output));
}

}  // namespace

Result<Path> open_source(const Order& order, const Workshop& workshop) {
    const auto sources = std::visit(Opening(order, workshop), order.kernel.source);
    if (!sources || order.kernel.patches.empty()) return sources;
    if (auto there = need(workshop.host, "patch"); !there) return tl::unexpected(there.error());
    for (const Path& patch : order.kernel.patches) {
        say(workshop, fmt::format("applying {}", patch.filename().string()));
        if (auto applied = apply_patch(*sources, patch, workshop); !applied) {
            return tl::unexpected(applied.error());
        }
    }
    return sources;
}

Result<std::string> look_up_commit(const fleet::GitSource& git, const Workshop& workshop) {
    if (auto there = need(workshop.host, "git"); !there) return tl::unexpected(there.error());
    if (!git.commit.empty()) {
        return fail(fmt::format(
            "commit: '{}' is not the whole of it: write its 40 hex digits, or name a branch",
            git.commit
        ));
    }
    const std::string name = git.branch.empty() ? "HEAD" : "refs/heads/" + git.branch;
    const auto answer =
        run_or_fail(workshop.host, command(workshop, {"git", "ls-remote", git.url, name}));
    if (!answer) return tl::unexpected(answer.error());
    const std::string commit = answer->output.substr(0, answer->output.find_first_of(" \t\n"));
    if (is_whole_commit(commit)) return commit;
    return fail(fmt::format("{} has no branch '{}'", git.url, git.branch));
}

}  // namespace bramble::kernel
