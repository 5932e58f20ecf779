#include <fmt/format.h>

#include <algorithm>

#include "config/yaml/description.hpp"

namespace bramble::yaml {
namespace {

using namespace fleet;

Type<Digest> sha256_type() {
    return parsed<Digest>(Digest::parse, {{"type", "string"}, {"pattern", "^[0-9A-Fa-f]{64}$"}});
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
