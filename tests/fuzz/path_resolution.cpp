// Any octets as a requested path: what comes back lies in the asking board's own tree, under a path
// that may stand there.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "services/bytes/byte_reader.hpp"
#include "services/tftp/resolve.hpp"

namespace bramble::tftp {
namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

layout::Manifest two_boards() {
    layout::Manifest manifest;
    manifest.trees["lab"] = {{"config.txt", layout::TextFile{"shared"}}};
    layout::BoardEntry one;
    one.name = "one";
    one.serial = Serial(0x5b154510);
    one.tree = "lab";
    one.files = {{"a", layout::TextFile{"one"}}, {"d/b", layout::TextFile{"one"}}};
    one.tftp_prefixes = {"5b154510/"};
    layout::BoardEntry two = one;
    two.name = "two";
    two.serial = Serial(0x91cdf03d);
    two.files = {{"a", layout::TextFile{"two"}}, {"secret", layout::TextFile{"two"}}};
    two.tftp_prefixes = {"91cdf03d/", "deep/er/"};
    manifest.boards = {one, two};
    return manifest;
}

void check(std::string_view path) {
    static const layout::Manifest manifest = two_boards();
    static const PathIndex index(manifest);
    const layout::BoardEntry* one = &manifest.boards[0];
    const Lookup lookup = index.resolve(one, path, TrustPrefix::no);
    if (const auto* found = std::get_if<Found>(&lookup)) {
        require(found->board == one);
        require(layout::is_boot_path(found->path));
        require(found->file == manifest.find_file(*one, found->path));
        require(std::get<layout::TextFile>(*found->file).text != "two");
    }
    const Lookup stranger = index.resolve(nullptr, path, TrustPrefix::no);
    require(std::holds_alternative<Denied>(stranger));
    index.resolve(nullptr, path, TrustPrefix::yes);
    if (const auto normal = normalize_path(path)) {
        require(normal->find("//") == std::string::npos && normal->front() != '/');
        require(normalize_path(*normal) == *normal);
    }
}

}  // namespace
}  // namespace bramble::tftp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    bramble::ByteReader reader(std::as_bytes(std::span(data, size)));
    bramble::tftp::check(reader.rest_as_text());
    return 0;
}
