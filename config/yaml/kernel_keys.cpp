#include <fmt/format.h>

#include <algorithm>

#include "config/yaml/description.hpp"

namespace bramble::yaml {
namespace {

using namespace fleet;

bool is_word(std::string_view text, std::string_view also) {
    return std::ranges::all_of(text, [also](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               also.find(c) != std::string_view::npos;
    });
}

// git takes anything that begins with a dash for an option.
Type<std::string> git_name(std::string wanted) {
    return line_like(std::move(wanted), "", [](std::string_view text) {
        return is_word(text, "._/+@-") && !text.starts_with('-') &&
               text.find("..") == std::string_view::npos;
    });
}

// A shallow fetch needs the whole of it.
Type<std::string> commit_type() {
    return line_like("a whole commit (40 hex digits)", "^[0-9a-f]{40}$", [](std::string_view text) {
        return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == text.npos;
    });
}

Type<std::string> git_url() {
    return line_like(
        "a git repository (like https://github.com/raspberrypi/linux)",
        "",
        [](std::string_view text) {
            return !text.starts_with('-') && !text.starts_with("ext::") &&
                   text.find(' ') == std::string_view::npos;
        }
    );
}

Type<KernelSource> source_type() {
    struct Keys {
        std::optional<std::string> git;
        std::string branch;
        std::string commit;
        std::optional<std::filesystem::path> path;
        std::optional<std::string> archive;
        std::optional<Digest> sha256;
        std::optional<std::string> deb;
    };

    const std::vector<std::string_view> forms = {"git", "path", "archive", "deb"};
    const auto package = line_like(
        "a Debian package's name (like linux-image-arm64)",
        "^[a-z0-9][a-z0-9.+-]+$",
        [](std::string_view text) { return text.size() >= 2 && is_word(text, ".+-"); }
    );
    auto keys = object<Keys>(
        "a kernel's source",
        {key("git", &Keys::git, git_url(), "URL of a git repository."),
         key("branch", &Keys::branch, git_name("a branch's name"), "git only: its branch."),
         key("commit", &Keys::commit, commit_type(), "git only: its commit, whole."),
         key("path", &Keys::path, path(), "Directory with the sources."),
         key("archive", &Keys::archive, path_or_url(), "Archive with the sources: path or URL."),
         key("sha256",
             &Keys::sha256,
             parsed<Digest>(Digest::parse, {{"type", "string"}, {"pattern", "^[0-9A-Fa-f]{64}$"}}),
             "archive only: what it must hash to."),
         key("deb", &Keys::deb, package, "Debian package with a built kernel.")}
    );
    keys.schema = one_of_schema(std::move(keys.schema), forms);
    return converted<KernelSource>(
        std::move(keys),
        [forms](Reading& reading, const Value& value, const Keys& read, KernelSource& out) {
            if (!expect_one_of(reading, value, "a kernel's source", forms)) return false;
            for (const char* extra : {"branch", "commit"}) {
                if (value.find(extra) != nullptr && !read.git)
                    return reading.error(*value.find(extra), "only a git source has this");
            }
            if (read.sha256 && !read.archive)
                return reading.error(*value.find("sha256"), "only an archive has a `sha256`");
            if (read.git) out = GitSource{*read.git, read.branch, read.commit};
            if (read.path) out = PathSource{*read.path};
            if (read.archive) out = ArchiveSource{*read.archive, read.sha256};
            if (read.deb) out = DebSource{*read.deb};
            return true;
        }
    );
}

Type<std::string> preset_type() {
    std::vector<std::pair<std::string_view, std::string>> words;
    for (const std::string_view one : kernel_presets) words.emplace_back(one, one);
    return choice<std::string>("kernel preset", std::move(words));
}

Type<std::string> option_name() {
    auto type =
        checked(line(128), [](Reading& reading, const Value& value, const std::string& text) {
            if (text.starts_with("CONFIG_")) {
                return reading.error(
                    value, fmt::format("write the option without CONFIG_: {:.64}", text.substr(7))
                );
            }
            if (is_word(text, "_")) return true;
            return reading.error(
                value, fmt::format("'{:.64}' is not a kernel option (like DM_VERITY)", text)
            );
        });
    type.schema = {{"type", "string"}, {"pattern", "^(?!CONFIG_)[A-Za-z0-9_]+$"}};
    return type;
}

// A name of the sources, or a file of one's own, which has a '/' (./my.config).
Type<std::string> defconfig_type() {
    auto type = converted<std::string>(
        line(),
        [](Reading& reading, const Value& value, const std::string& text, std::string& out) {
            if (text.find('/') != std::string::npos && text.find("://") == std::string::npos) {
                out = reading.absolute(value, text).string();
                return true;
            }
            if (!is_word(text, "_.-") || text.starts_with('-')) {
                return reading.error(
                    value,
                    fmt::format(
                        "'{:.64}' is not a configuration's name (like bcm2711_defconfig) or file "
                        "(like ./my.config)",
                        text
                    )
                );
            }
            out = text;
            return true;
        }
    );
    type.schema = {{"type", "string"}, {"pattern", "^([A-Za-z0-9_.][A-Za-z0-9_.-]*|.*/.*)$"}};
    return type;
}

// A built kernel is taken as it is; sources need to be told what to build.
bool check_build(Reading& reading, const Value& value, const Kernel& read) {
    const bool built = std::holds_alternative<DebSource>(read.source);
    bool good = true;
    for (const char* one : {"defconfig", "presets", "options", "patches"}) {
        const Value* given = value.find(one);
        if (!built || given == nullptr) continue;
        good = reading.error(
            *given, "a Debian kernel package is built already (take this out, or use sources)"
        );
    }
    if (!built && read.defconfig.empty() && value.find("defconfig") == nullptr)
        good = reading.error(
            value, "a kernel from sources needs `defconfig` (like bcm2711_defconfig)"
        );
    return good;
}

}  // namespace

Type<Kernel> kernel_type() {
    using S = Kernel;
    auto keys = object<S>(
        "a kernel",
        {required(key("source", &S::source, source_type(), "Where the kernel comes from.")),
         key("arch",
             &S::arch,
             choice<KernelArch>(
                 "kernel architecture", {{"arm", KernelArch::arm}, {"arm64", KernelArch::arm64}}
             ),
             "arm or arm64; arm64 unless said."),
         key("defconfig",
             &S::defconfig,
             defconfig_type(),
             "What the build begins with: a defconfig's name, tinyconfig, or a .config as a path; "
             "needed "
             "for sources."),
         key("file",
             &S::file,
             line_like(
                 "a file's name (like kernel8.img)",
                 "^[A-Za-z0-9_.-]+$",
                 [](std::string_view text) {
                     return is_word(text, "_.-") && !text.starts_with('.');
                 }
             ),
             "Name in the boot tree, as config.txt's kernel= says it."),
         key("presets", &S::presets, list(preset_type(), 16), "Bundles of options."),
         key("options",
             &S::options,
             map_of(option_name(), line()),
             "Single options, without CONFIG_: y, m, n, a number or a text."),
         key("patches", &S::patches, list(path(), 1000), "Patches, in this order.")}
    );
    return checked(std::move(keys), check_build);
}

}  // namespace bramble::yaml
