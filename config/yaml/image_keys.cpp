#include <fmt/format.h>

#include <algorithm>

#include "config/yaml/description.hpp"

namespace bramble::yaml {
namespace {

using namespace fleet;

Type<Digest> sha256_type() {
    return parsed<Digest>(Digest::parse, {{"type", "string"}, {"pattern", "^[0-9A-Fa-f]{64}$"}});
}

// Debian policy §5.6.7: at least two of [a-z0-9.+-]; apt also takes NAME:ARCH, NAME=VERSION,
// NAME/SUITE.
Type<std::string> package_type() {
    return line_like(
        "a Debian package's name (like fio)",
        "^[a-z0-9][a-z0-9.+-]+([:=/].+)?$",
        [](std::string_view text) {
            const std::string_view base = text.substr(0, text.find_first_of(":=/"));
            return base.size() >= 2 && text.size() <= 200 &&
                   text.find_first_of(" \t;&|$`'\"\\") == std::string_view::npos &&
                   ((base[0] >= 'a' && base[0] <= 'z') || (base[0] >= '0' && base[0] <= '9')) &&
                   base.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.+-") ==
                       std::string_view::npos;
        }
    );
}

Type<std::string> unit_type() {
    return line_like(
        "a systemd unit's name (like ssh or fstrim.timer)",
        "^[A-Za-z0-9:_.@-]+$",
        [](std::string_view text) {
            return text.size() <= 255 &&
                   text.find_first_not_of(
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.\\@-"
                   ) == std::string_view::npos &&
                   !text.starts_with('-');
        }
    );
}

Type<DirectorySource> directory_source() {
    using S = DirectorySource;
    return checked(
        object<S>(
            "a directory source",
            {key("boot", &S::boot, path(), "Directory with the boot files."),
             key("root",
                 &S::root,
                 path(),
                 "Directory with the root tree; left out: boot files only.")}
        ),
        [](Reading& reading, const Value& value, const S& read) {
            if (read.boot || read.root) return true;
            return reading.error(value, "a directory source needs `boot`, `root` or both");
        }
    );
}

Type<DebianSource> debian_source() {
    using S = DebianSource;
    const auto suite = line_like(
        "a Debian suite (like bookworm)",
        "^[a-z][a-z0-9./-]*$",
        [](std::string_view text) {
            return text[0] >= 'a' && text[0] <= 'z' && text.size() <= 64 &&
                   text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789./-") ==
                       std::string_view::npos &&
                   text.find("..") == std::string_view::npos;
        }
    );
    return object<S>(
        "a debian source",
        {required(key("suite", &S::suite, suite, "The suite: bookworm, trixie and so on")),
         key("arch",
             &S::arch,
             choice<std::string>(
                 "Debian architecture", {{"arm64", "arm64"}, {"armhf", "armhf"}, {"armel", "armel"}}
             ),
             "Its architecture; arm64 unless said."),
         key("packages", &S::packages, list(package_type()), "Packages beside the base system."),
         key("mirror",
             &S::mirror,
             path_or_url(),
             "Where packages come from; as on this machine unless said.")}
    );
}

Type<ImageSource> source_type() {
    struct Keys {
        std::optional<std::string> file;
        std::optional<Digest> sha256;
        std::optional<DirectorySource> directory;
        std::optional<DebianSource> debian;
    };

    const std::vector<std::string_view> forms = {"file", "directory", "debian"};
    auto keys = object<Keys>(
        "an image's source",
        {key("file",
             &Keys::file,
             path_or_url(),
             "Disk image (also .xz .gz .zst .bz2 .zip) or tar archive: a path or a URL."),
         key("sha256", &Keys::sha256, sha256_type(), "What the file must hash to."),
         key("directory", &Keys::directory, directory_source(), "Two trees as they are."),
         key("debian", &Keys::debian, debian_source(), "A Debian suite, built by mmdebstrap.")}
    );
    keys.schema = one_of_schema(std::move(keys.schema), forms);
    return converted<ImageSource>(
        std::move(keys),
        [forms](Reading& reading, const Value& value, const Keys& read, ImageSource& out) {
            if (!expect_one_of(reading, value, "an image's source", forms)) return false;
            if (read.sha256 && !read.file)
                return reading.error(*value.find("sha256"), "only a file has a `sha256`");
            if (read.file) out = FileSource{*read.file, read.sha256};
            if (read.directory) out = *read.directory;
            if (read.debian) out = *read.debian;
            return true;
        }
    );
}

Type<std::string> root_path_key() {
    return converted<std::string>(
        absolute_path(),
        [](Reading& reading, const Value& value, const std::filesystem::path& read, auto& out) {
            if (!read.has_filename())
                return reading.error(value, "this names a directory, a file belongs here");
            out = read.string();
            return true;
        }
    );
}

Type<Customization> customize_type() {
    using S = Customization;
    return object<S>(
        "customize",
        {key("packages", &S::packages, list(package_type()), "Packages to install."),
         key("remove", &S::remove, list(package_type()), "Packages to remove."),
         key("files",
             &S::files,
             map_of(root_path_key(), path()),
             "Path in the root: file to put there."),
         key("enable", &S::enable, list(unit_type()), "systemd units to enable."),
         key("disable", &S::disable, list(unit_type()), "systemd units to disable."),
         key("run", &S::run, list(text_block(), 1000), "Commands to run inside the root, by sh -c."
         )}
    );
}

}  // namespace

Type<Image> image_type() {
    using S = Image;
    return object<S>(
        "an image",
        {required(key("source", &S::source, source_type(), "Where the image comes from.")),
         key("customize", &S::customize, customize_type(), "What is changed in its root.")}
    );
}

}  // namespace bramble::yaml
