#include "provisioning/kernel/recipe.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "provisioning/kernel/presets.hpp"

namespace bramble::kernel {
namespace {

// Raised when the steps of a build make another kernel of the same inputs.
constexpr int recipe = 1;
constexpr int depth_max = 64;  // of directories in a source tree
constexpr std::uint64_t text_bytes_max = 64U << 20U;
constexpr std::size_t digits = 12;  // of the key in a release
constexpr std::string_view release_mark = "-bramble-";

constexpr Architecture arm = {
    "arm", "armhf", "arm-linux-gnueabihf-", "gcc-arm-linux-gnueabihf", "zImage", "kernel7l.img"};
constexpr Architecture arm64 = {
    "arm64", "arm64", "aarch64-linux-gnu-", "gcc-aarch64-linux-gnu", "Image", "kernel8.img"};

// Size, mode and times of every file, of which nobody can set back the time of its last change:
// also what was edited to the same size and got its old date again is noticed. git's own directory
// says nothing about the files.
Result<void> add_tree(
    host::Host& host, const Path& directory, const std::string& shown, Sha256& sum, int depth
) {
    if (depth > depth_max) return fail(fmt::format("'{}' is nested too deep", directory.string()));
    const auto entries = host.list(directory);
    if (!entries) return tl::unexpected(entries.error());
    for (const host::DirectoryEntry& entry : *entries) {
        if (depth == 0 && entry.name == ".git") continue;
        const Path path = directory / entry.name;
        const std::string name = shown + "/" + entry.name;
        if (entry.kind == host::FileKind::directory) {
            if (auto added = add_tree(host, path, name, sum, depth + 1); !added) return added;
            continue;
        }
        const auto found = host.status(path);
        if (!found) return tl::unexpected(found.error());
        if (!*found) continue;  // gone meanwhile
        sum.update(fmt::format(
            "{}:{} {} {} {} {:o}\n",
            name.size(),
            name,
            (*found)->size,
            (*found)->modified_ns,
            (*found)->changed_ns,
            (*found)->mode
        ));
    }
    return {};
}

Result<std::string> file_state(host::Host& host, const Path& path) {
    const auto found = host.status(path);
    if (!found) return tl::unexpected(found.error());
    if (!*found) return fail(fmt::format("there is no file '{}'", path.string()));
    return fmt::format("{} {} {}", path.string(), (*found)->size, (*found)->modified_ns);
}

// A source in words of which each other one means another kernel.
struct SourceText {
    const fleet::Kernel& kernel;
    const std::optional<std::string>& meant;
    host::Host& host;

    Result<std::string> operator()(const fleet::GitSource& git) const {
        return fmt::format("git {} {}", git.url, meant ? *meant : git.commit + " " + git.branch);
    }

    Result<std::string> operator()(const fleet::PathSource& source) const {
        const auto found = host.status(source.path / "Makefile");
        if (!found) return tl::unexpected(found.error());
        if (!*found) {
            return fail(fmt::format(
                "'{}' holds no Makefile: name the top directory of a kernel's sources",
                source.path.string()
            ));
        }
        Sha256 sum;
        sum.update(fmt::format("tree {}\n", source.path.string()));
        return add_tree(host, source.path, "", sum, 0).map([&] {
            return sum.finish().to_string();
        });
    }

    Result<std::string> operator()(const fleet::ArchiveSource& archive) const {
        if (archive.sha256) return "archive " + archive.sha256->to_string();
        if (moving_wish(kernel)) return "archive " + (meant ? *meant : archive.location);
        return file_state(host, archive.location);
    }

    Result<std::string> operator()(const fleet::DebSource& deb) const {
        return "deb " + (meant ? *meant : deb.package);
    }
};

Result<std::string> read_part(host::Host& host, const Path& path, std::string_view what) {
    auto text = host.read_file(path, text_bytes_max);
    if (!text) return fail(fmt::format("{}: {}", what, text.error().message));
    return text;
}

bool is_word_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The column, from 1, at which the word stands alone in the line; 0: nowhere.
std::uint32_t column_of(std::string_view line, std::string_view word) {
    for (std::size_t at = line.find(word); at != line.npos; at = line.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        const bool begins = at == 0 || !is_word_character(line[at - 1]);
        if (begins && (end == line.size() || !is_word_character(line[end]))) {
            return static_cast<std::uint32_t>(at + 1);
        }
    }
    return 0;
}

}  // namespace

const Architecture& architecture_of(fleet::KernelArch arch) {
    return arch == fleet::KernelArch::arm ? arm : arm64;
}

std::string file_of(const fleet::Kernel& kernel) {
    return kernel.file.empty() ? std::string(architecture_of(kernel.arch).file) : kernel.file;
}

Asking asking_of(const fleet::Kernel& kernel) {
    Asking asking;
    for (const std::string& preset : kernel.presets) {
        // The tests parse every fragment that there is.
        const auto options = parse_configuration(preset_fragment(preset));
        if (!options) continue;
        for (const auto& [name, value] : *options) {
            asking[name] = Asked{value, "preset " + preset};
        }
    }
    for (const auto& [name, value] : kernel.options) {
        asking[name] = Asked{written_value(value), "options"};
    }
    return asking;
}

Result<Key> key_of(const fleet::Kernel& kernel, const Pins& pins, Inquiry& inquiry) {
    host::Host& host = inquiry.host();
    const auto named = [&](const Error& error) {
        return Error{fmt::format("kernel '{}': {}", kernel.name, error.message)};
    };
    Key key;
    const std::optional<std::string> meant = meaning(kernel, pins);
    key.pinned = meant || !moving_wish(kernel);
    const auto source = std::visit(SourceText{kernel, meant, host}, kernel.source);
    if (!source) return tl::unexpected(named(source.error()));
    key.inputs["its source"] = Digest::of(*source).to_string();
    key.inputs["arch"] = architecture_of(kernel.arch).make;
    Sha256 sum;
    sum.update(
        fmt::format("kernel {}\n{}\n{}\n", recipe, *source, architecture_of(kernel.arch).make)
    );
    if (!std::holds_alternative<fleet::DebSource>(kernel.source)) {
        const auto compiler = inquiry.compiler(kernel.arch);
        if (!compiler) return tl::unexpected(named(compiler.error()));
        sum.update(fmt::format("compiler {}\n", *compiler));
        key.inputs["the compiler"] = *compiler;
    }
    if (kernel.defconfig.find('/') == std::string::npos) {
        sum.update(fmt::format("defconfig {}\n", kernel.defconfig));
        key.inputs["defconfig"] = kernel.defconfig;
    } else {
        const auto text = read_part(host, kernel.defconfig, "defconfig");
        if (!text) return tl::unexpected(named(text.error()));
        const std::string digest = Digest::of(*text).to_string();
        sum.update(fmt::format("configuration {}\n", digest));
        key.inputs["defconfig " + kernel.defconfig] = digest;
    }
    for (const auto& [name, asked] : asking_of(kernel)) {
        sum.update(fmt::format("{}={}\n", name, asked.value));
        key.inputs["option " + name] = asked.value;
    }
    for (const Path& patch : kernel.patches) {
        const auto text = read_part(host, patch, "patches");
        if (!text) return tl::unexpected(named(text.error()));
        const std::string digest = Digest::of(*text).to_string();
        sum.update(fmt::format("patch {}\n", digest));
        key.inputs["patch " + patch.filename().string()] = digest;
    }
    key.inputs = in_ascii(key.inputs);
    key.digest = sum.finish();
    return key;
}

std::string release_suffix(const Digest& key) {
    return std::string(release_mark) + key.to_string().substr(0, digits);
}

std::string_view key_digits(std::string_view release) {
    const std::size_t at = release.rfind(release_mark);
    if (at == release.npos) return {};
    const std::string_view found = release.substr(at + release_mark.size());
    const bool good = found.size() == digits && std::ranges::all_of(found, [](char c) {
                          return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                      });
    return good ? found : std::string_view();
}

std::string describe_source(const fleet::Kernel& kernel, const Pins& pins) {
    const auto meant = meaning(kernel, pins);
    if (const auto* git = std::get_if<fleet::GitSource>(&kernel.source)) {
        return fmt::format("git {} at {}", git->url, meant ? *meant : git->commit);
    }
    if (const auto* path = std::get_if<fleet::PathSource>(&kernel.source)) {
        return "sources in " + path->path.string();
    }
    if (const auto* archive = std::get_if<fleet::ArchiveSource>(&kernel.source)) {
        return "archive " + archive->location;
    }
    return "Debian package " + (meant ? *meant : std::get<fleet::DebSource>(kernel.source).package);
}

fleet::SourceLocation place_of(
    const fleet::Fleet& fleet, const fleet::Kernel& kernel, std::string_view word
) {
    constexpr std::size_t lines_max = 200;  // of one kernel's entry
    fleet::SourceLocation place = kernel.where;
    if (place.line == 0 || place.file >= fleet.sources.size() || word.empty()) return place;
    std::string_view text = fleet.sources[place.file].text;
    for (std::size_t line = 1; line < place.line + lines_max && !text.empty(); ++line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::uint32_t column = column_of(text.substr(0, end), word);
        if (line >= place.line && column != 0) {
            place.line = static_cast<decltype(place.line)>(line);
            place.column = column;
            return place;
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return place;
}

}  // namespace bramble::kernel
