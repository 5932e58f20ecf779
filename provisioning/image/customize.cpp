#include "provisioning/image/customize.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/types/text.hpp"
#include "provisioning/image/inside.hpp"
#include "provisioning/root/tree.hpp"
#include "provisioning/root/users.hpp"

namespace bramble::image {
namespace {

using fleet::Placed;

// Raised when the steps below make another root of the same settings.
constexpr int recipe = 1;

constexpr std::uint64_t file_bytes_max = 256U << 20U;

std::uint32_t mode_of(const fleet::RootFile& file, const host::FileStatus* source) {
    if (file.mode) return *file.mode;
    return source != nullptr && (source->mode & 0100U) != 0 ? 0755 : 0644;
}

Result<std::uint32_t> mode_of(const fleet::RootFile& file, host::Host& host) {
    if (file.mode || !file.source) return mode_of(file, nullptr);
    const auto status = host.status(*file.source);
    if (!status) return tl::unexpected(status.error());
    return mode_of(file, *status ? &**status : nullptr);
}

// What a command is called in messages: its first line, if need be cut.
std::string shown(std::string_view text) {
    constexpr std::size_t shown_max = 60;
    const std::string_view first = text.substr(0, text.find('\n'));
    const bool cut = first.size() > shown_max || first.size() < text.size();
    return fmt::format("{}{}", first.substr(0, shown_max), cut ? "…" : "");
}

class Customizer {
public:
    Customizer(
        const fleet::Fleet& fleet,
        const fleet::Image& image,
        const Path& root,
        const Workshop& workshop
    )
        : fleet_(fleet),
          image_(image),
          wanted_(image.customize),
          workshop_(workshop),
          tree_(workshop.host, root),
          inside_(root, workshop) {}

    Result<void> run();

private:
    bool runs_something() const {
        return !(
            wanted_.packages.empty() && wanted_.remove.empty() && wanted_.enable.empty() &&
            wanted_.disable.empty() && wanted_.run.empty()
        );
    }

    bool has(const Path& path) {
        const auto status = tree_.status(path);
        return status && status->has_value();
    }

    void say(const std::string& line) const {
        if (workshop_.progress) workshop_.progress(line);
    }

    Error error(const fleet::SourceLocation& where, std::string_view what, const Error& reason)
        const {
        return Error{fmt::format(
            "{}image '{}': {}: {}", fleet_.place(where), image_.name, what, reason.message
        )};
    }

    Result<void> run_inside(
        const fleet::SourceLocation& where,
        const std::string& what,
        const std::vector<std::string>& argv
    ) {
        say(what);
        return inside_.run(fleet_.place(where) + what, argv).map_error([&](const Error& reason) {
            const Error located = error(where, what, reason);
            return Error{fmt::format(
                "{}\n(all of its output: {})", located.message, workshop_.log.string()
            )};
        });
    }

    Result<void> write_files(bool owners);
    Result<void> write_file(const std::string& path, const fleet::RootFile& file, bool owners);
    Result<void> apt(
        const std::vector<Placed>& packages, std::string_view what, std::vector<std::string> verb
    );
    Result<void> change_packages();
    Result<void> write_users();
    Result<void> change_units(const std::vector<Placed>& units, const std::string& verb);
    Result<void> run_commands();

    const fleet::Fleet& fleet_;
    const fleet::Image& image_;
    const fleet::Customization& wanted_;
    const Workshop& workshop_;
    root::DirectoryTree tree_;
    Inside inside_;
};

Result<void> Customizer::write_files(bool owners) {
    const std::size_t count = wanted_.files.size();
    if (count != 0) say(fmt::format("writing {} file{}", count, count == 1 ? "" : "s"));
    for (const auto& [path, file] : wanted_.files) {
        auto done = write_file(path, file, owners);
        if (!done) return tl::unexpected(error(file.where, "files: " + path, done.error()));
    }
    return {};
}

Result<void> Customizer::write_file(
    const std::string& path, const fleet::RootFile& file, bool owners
) {
    std::string bytes = file.content;
    if (file.source) {
        auto read = workshop_.host.read_file(*file.source, file_bytes_max);
        if (!read) return tl::unexpected(read.error());
        bytes = std::move(*read);
    }
    const auto mode = mode_of(file, workshop_.host);
    if (!mode) return tl::unexpected(mode.error());
    host::Owner owner;
    if (owners) {
        const auto found = root::find_owner(tree_, file.owner);
        if (!found) return tl::unexpected(found.error());
        owner = *found;
    }
    const Path relative = Path(path).relative_path();
    const auto there = tree_.status(relative);
    if (!there) return tl::unexpected(there.error());
    if (*there && (*there)->kind == host::FileKind::directory)
        return fail("a directory stands there: name the file in it");
    return tree_.write_file(relative, bytes, *mode, owner);
}

// The line of the package that the output names, else of the first.
const fleet::SourceLocation& place_in(const std::vector<Placed>& packages, std::string_view said) {
    for (const Placed& package : packages) {
        const std::size_t at = said.find(package.text);
        if (at == std::string_view::npos) continue;
        return package.where;
    }
    return packages.front().where;
}

Result<void> Customizer::apt(
    const std::vector<Placed>& packages, std::string_view what, std::vector<std::string> verb
) {
    std::vector<std::string> argv = {
        "apt-get",
        "-q",
        "-y",
        "-o",
        "DPkg::Use-Pty=0",
        "-o",
        "Acquire::Retries=3",
        "-o",
        "APT::Update::Error-Mode=any",
        "-o",
        "APT::Install-Recommends=0",
        // A file that the fleet has put there wins, without a question.
        "-o",
        "Dpkg::Options::=--force-confdef",
        "-o",
        "Dpkg::Options::=--force-confold"};
    argv.insert(argv.end(), verb.begin(), verb.end());
    say(std::string(what));
    const std::string title = fleet_.place(packages.front().where) + std::string(what);
    return inside_.run(title, argv).map_error([&](const Error& reason) {
        const std::size_t output = reason.message.find('\n');
        const std::string_view said = output == std::string::npos
                                          ? std::string_view()
                                          : std::string_view(reason.message).substr(output);
        const Error located = error(place_in(packages, said), what, reason);
        return Error{
            fmt::format("{}\n(all of its output: {})", located.message, workshop_.log.string())};
    });
}

std::vector<std::string> with_names(
    std::vector<std::string> verb, const std::vector<Placed>& packages
) {
    verb.emplace_back("--");
    for (const Placed& package : packages) verb.push_back(package.text);
    return verb;
}

Result<void> Customizer::change_packages() {
    const auto& gone = wanted_.remove;
    const auto& come = wanted_.packages;
    if (gone.empty() && come.empty()) return {};
    if (!has("usr/bin/apt-get"))
        return tl::unexpected(error(
            (come.empty() ? gone : come).front().where,
            "packages",
            Error{"its root has no apt-get: only Debian and its kin have packages"}
        ));
    if (!gone.empty())
        if (auto done = apt(gone, "removing packages", with_names({"purge"}, gone)); !done)
            return done;
    if (come.empty()) return {};
    if (auto done = apt(come, "reading the package lists", {"update"}); !done) return done;
    return apt(come, "installing packages", with_names({"install"}, come));
}

Result<void> Customizer::write_users() {
    return root::write_users(tree_, wanted_.users).map_error([&](const Error& reason) {
        return error(wanted_.where, "users", reason);
    });
}

// Inside, not by the machine's own systemctl: the root's knows its own units, and those of SysV.
Result<void> Customizer::change_units(const std::vector<Placed>& units, const std::string& verb) {
    for (const Placed& unit : units) {
        if (!has("bin/systemctl") && !has("usr/bin/systemctl"))
            return tl::unexpected(
                error(unit.where, verb, Error{"its root has no systemctl: it does not run systemd"})
            );
        auto done =
            run_inside(unit.where, verb + " " + unit.text, {"systemctl", verb, "--", unit.text});
        if (!done) return done;
    }
    return {};
}

Result<void> Customizer::run_commands() {
    for (const Placed& command : wanted_.run) {
        auto done = run_inside(
            command.where, "run " + shown(command.text), {"/bin/sh", "-e", "-c", command.text}
        );
        if (!done) return done;
    }
    return {};
}

Result<void> Customizer::run() {
    const bool twice = !(wanted_.packages.empty() && wanted_.remove.empty());
    if (twice)
        if (auto done = write_files(false); !done) return done;
    if (runs_something())
        if (auto done = inside_.open(); !done)
            return tl::unexpected(error(wanted_.where, "customize", done.error()));
    return change_packages()
        .and_then([&] { return write_users(); })
        .and_then([&] { return write_files(true); })
        .and_then([&] { return change_units(wanted_.enable, "enable"); })
        .and_then([&] { return change_units(wanted_.disable, "disable"); })
        .and_then([&] { return run_commands(); })
        .and_then([&] { return runs_something() ? inside_.close() : Result<void>(); });
}

// A length before each text, so that no two lists of texts look alike.
void feed(Sha256& sum, std::string_view text) {
    sum.update(fmt::format("{}:{}", text.size(), text));
}

void feed(Sha256& sum, const std::vector<Placed>& list, bool ordered) {
    std::vector<std::string> texts;
    for (const Placed& one : list) texts.push_back(one.text);
    if (!ordered) std::sort(texts.begin(), texts.end());
    feed(sum, std::to_string(texts.size()));
    for (const std::string& text : texts) feed(sum, text);
}

void feed(Sha256& sum, const fleet::User& user) {
    feed(sum, user.name);
    feed(sum, user.password_hash.value_or(""));
    feed(sum, user.sudo ? "sudo" : "");
    for (const auto* list : {&user.authorized_keys, &user.groups}) {
        feed(sum, std::to_string(list->size()));
        for (const std::string& text : *list) feed(sum, text);
    }
}

}  // namespace

Result<Digest> customized_key(const fleet::Image& image, const Digest& base, host::Host& host) {
    const fleet::Customization& wanted = image.customize;
    Sha256 sum;
    feed(sum, fmt::format("customize {}", recipe));
    feed(sum, base.to_string());
    feed(sum, wanted.packages, false);
    feed(sum, wanted.remove, false);
    feed(sum, wanted.enable, false);
    feed(sum, wanted.disable, false);
    feed(sum, wanted.run, true);
    feed(sum, std::to_string(wanted.users.size()));
    for (const fleet::User& user : wanted.users) feed(sum, user);
    for (const auto& [path, file] : wanted.files) {
        Digest bytes = Digest::of(file.content);
        const auto mode = mode_of(file, host);
        const auto hashed = file.source ? host.hash_file(*file.source) : host::HashedFile{bytes, 0};
        if (!hashed || !mode)
            return fail(fmt::format(
                "image '{}': files: {}: {}",
                image.name,
                path,
                hashed ? mode.error().message : hashed.error().message
            ));
        feed(sum, path);
        feed(sum, hashed->digest.to_string());
        feed(sum, fmt::format("{:o} {}", *mode, file.owner));
    }
    return sum.finish();
}

Result<void> customize(
    const fleet::Fleet& fleet, const fleet::Image& image, const Path& root, const Workshop& workshop
) {
    return Customizer(fleet, image, root, workshop).run();
}

}  // namespace bramble::image
