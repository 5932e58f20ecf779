#include "provisioning/kernel/debian_package.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "provisioning/kernel/gathering.hpp"
#include "provisioning/kernel/recipe.hpp"

namespace bramble::kernel {
namespace {

constexpr std::string_view image_prefix = "linux-image-";

void say(const Workshop& workshop, std::string_view line) {
    if (workshop.progress) workshop.progress(line);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

// The first linux-image-… of a Depends line, without its version.
std::string first_image(std::string_view depends) {
    while (!depends.empty()) {
        const std::size_t end = std::min(depends.find_first_of(",|"), depends.size());
        std::string_view one = trimmed(depends.substr(0, end));
        depends.remove_prefix(std::min(end + 1, depends.size()));
        one = one.substr(0, one.find_first_of(" (:"));
        if (one.starts_with(image_prefix)) return std::string(one);
    }
    return {};
}

// apt with lists and cache of its own, so that neither this machine's package state nor its
// architectures change.
class Apt {
public:
    Apt(const Architecture& architecture, const Workshop& workshop)
        : architecture_(architecture), workshop_(workshop), state_(workshop.staging / "apt") {}

    Result<void> begin() {
        host::Host& host = workshop_.host;
        for (const char* program : {"apt-get", "dpkg-deb"}) {
            if (host.has_program(program)) continue;
            return fail(fmt::format(
                "{} is missing: deb: needs a Debian machine, build from sources instead", program
            ));
        }
        say(workshop_, "reading the package lists");
        return host.make_directories(state_ / "lists/partial")
            .and_then([&] { return host.make_directories(state_ / "cache/archives/partial"); })
            .and_then([&] { return host.write_file(state_ / "status", ""); })
            .and_then([&] {
                return run("apt-get", {"--quiet", "update"});
            })
            .map([](const auto&) {});
    }

    Result<host::CommandOutcome> run(
        const std::string& program,
        const std::vector<std::string>& words,
        const Path& directory = {}
    ) {
        return run_or_fail(workshop_.host, command_of(program, words, directory));
    }

    // A package's stanza; empty: there is no such package, which apt-cache takes for a failure.
    Result<std::string> show(const std::string& package) {
        const host::Command command =
            command_of("apt-cache", {"show", "--no-all-versions", package}, {});
        const auto outcome = workshop_.host.run(command);
        if (!outcome) return tl::unexpected(outcome.error());
        if (outcome->exit_code == 0) return outcome->output;
        if (outcome->errors.find("No packages found") != std::string::npos) return "";
        return fail(fmt::format("apt-cache show {}: {}", package, outcome->errors));
    }

private:
    host::Command command_of(
        const std::string& program, const std::vector<std::string>& words, const Path& directory
    ) const {
        const std::string state = state_.string();
        host::Command command;
        command.argv = {program};
        for (const std::string& option :
             {fmt::format("APT::Architecture={}", architecture_.debian),
              fmt::format("APT::Architectures={}", architecture_.debian),
              fmt::format("Dir::State={}", state),
              fmt::format("Dir::State::lists={}/lists", state),
              fmt::format("Dir::State::status={}/status", state),
              fmt::format("Dir::Cache={}/cache", state),
              std::string("APT::Sandbox::User=root"),
              std::string("Acquire::Languages=none"),
              std::string("Acquire::Retries=3")}) {
            command.argv.emplace_back("-o");
            command.argv.push_back(option);
        }
        command.argv.insert(command.argv.end(), words.begin(), words.end());
        if (!directory.empty()) command.directory = directory;
        command.log = workshop_.log;
        command.stop = workshop_.stop;
        return command;
    }

    const Architecture& architecture_;
    const Workshop& workshop_;
    const Path state_;
};

Result<std::string> find_package(Apt& apt, std::string package) {
    for (int i = 0; i < metapackages_max; ++i) {
        const auto shown = apt.show(package);
        if (!shown) return tl::unexpected(shown.error());
        const auto facts = parse_package(*shown);
        if (!facts) {
            return fail(fmt::format("this machine's package sources have no package {}", package));
        }
        if (facts->next.empty()) return fmt::format("{}={}", facts->name, facts->version);
        package = facts->next;
    }
    return fail(fmt::format("{}: more than {} metapackages deep", package, metapackages_max));
}

Result<Path> the_archive(host::Host& host, const Path& directory) {
    const auto entries = host.list(directory);
    if (!entries) return tl::unexpected(entries.error());
    for (const host::DirectoryEntry& entry : *entries) {
        if (entry.name.ends_with(".deb")) return directory / entry.name;
    }
    return fail("apt-get download left no package");
}

// The one name in the directory that begins so, without the beginning.
Result<std::string> release_in(host::Host& host, const Path& boot) {
    const auto entries = host.list(boot);
    if (!entries) return tl::unexpected(entries.error());
    constexpr std::string_view begin = "vmlinuz-";
    for (const host::DirectoryEntry& entry : *entries) {
        if (entry.name.starts_with(begin)) return entry.name.substr(begin.size());
    }
    return fail("the package holds no kernel: name one such as linux-image-arm64");
}

// Suites before bookworm pack the arm64 kernel, and no loader unpacks it.
Result<void> copy_kernel(const Workshop& workshop, const Path& from, const Path& to) {
    const auto bytes = workshop.host.read_file(from);
    if (!bytes) return tl::unexpected(bytes.error());
    if (!bytes->starts_with("\x1f\x8b")) return workshop.host.write_file(to, *bytes);
    Path packed = to;
    packed += ".gz";
    return workshop.host.write_file(packed, *bytes)
        .and_then([&] {
            host::Command command;
            command.argv = {"gzip", "--decompress", packed.string()};
            return run_or_fail(workshop.host, command);
        })
        .map([](const auto&) {});
}

}  // namespace

std::optional<PackageFacts> parse_package(std::string_view stanza) {
    PackageFacts facts;
    std::string depends;
    while (!stanza.empty() && stanza.front() != '\n') {
        const std::size_t end = std::min(stanza.find('\n'), stanza.size());
        const std::string_view line = stanza.substr(0, end);
        stanza.remove_prefix(std::min(end + 1, stanza.size()));
        const std::size_t colon = line.find(':');
        if (colon == line.npos || line.front() == ' ') continue;
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = trimmed(line.substr(colon + 1));
        if (name == "Package") facts.name = value;
        if (name == "Version") facts.version = value;
        if (name == "Depends") facts.next = first_image(value);
    }
    if (facts.name.empty() || facts.version.empty()) return std::nullopt;
    return facts;
}

Result<std::string> look_up_package(
    const fleet::Kernel& kernel, const std::string& package, const Workshop& workshop
) {
    Apt apt(architecture_of(kernel.arch), workshop);
    return apt.begin().and_then([&] { return find_package(apt, package); });
}

Result<Built> unpack_package(const Order& order, const Workshop& workshop) {
    host::Host& host = workshop.host;
    const auto meant = meaning(order.kernel, order.pins);
    if (!meant) return fail("the lock file does not say which package: run apply --update");
    Apt apt(architecture_of(order.kernel.arch), workshop);
    if (auto begun = apt.begin(); !begun) return tl::unexpected(begun.error());
    say(workshop, "downloading " + *meant);
    const Path download = workshop.staging / "download";
    const Path tree = workshop.staging / "package";
    if (auto made = host.make_directories(download); !made) return tl::unexpected(made.error());
    if (auto got = apt.run("apt-get", {"--quiet", "download", *meant}, download); !got) {
        return fail(fmt::format(
            "{}\n(is {} no longer offered? run apply --update)", got.error().message, *meant
        ));
    }
    const auto archive = the_archive(host, download);
    if (!archive) return tl::unexpected(archive.error());
    say(workshop, "unpacking " + archive->filename().string());
    host::Command unpack;
    unpack.argv = {"dpkg-deb", "--extract", archive->string(), tree.string()};
    unpack.stop = workshop.stop;
    if (auto ran = run_or_fail(host, unpack); !ran) return tl::unexpected(ran.error());
    const auto release = release_in(host, tree / "boot");
    if (!release) return tl::unexpected(release.error());

    Gathering gathering(workshop);
    Built built;
    built.directory = gathering.directory();
    built.release = *release;
    built.has_modules = true;
    const Path device_trees = tree / "usr/lib" / ("linux-image-" + *release);
    return gathering.begin()
        .and_then([&] {
            return copy_kernel(
                workshop, tree / "boot" / ("vmlinuz-" + *release), gathering.boot() / kernel_file
            );
        })
        .and_then([&] { return gathering.add_device_trees(device_trees); })
        .and_then([&] { return gathering.adopt_modules(tree, *release); })
        .and_then([&] {
            return gathering.add_configuration(tree / "boot" / ("config-" + *release));
        })
        .map([&](Options options) {
            built.options = std::move(options);
            return built;
        });
}

}  // namespace bramble::kernel
