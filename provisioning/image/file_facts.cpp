#include "provisioning/image/file_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "provisioning/boot/config_txt.hpp"
#include "provisioning/boot/text.hpp"
#include "provisioning/root/cpio.hpp"

namespace bramble::image {
namespace {

constexpr std::uint64_t configuration_bytes_max = 4U << 20U;
constexpr std::size_t programs_max = 10'000;
constexpr std::size_t text_bytes_max = 2U << 20U;     // of an initramfs' paths and targets
constexpr std::size_t texts_bytes_max = 256U << 10U;  // of an image, together
constexpr std::string_view configuration_prefix = "config-";
constexpr std::string_view gzip_magic("\x1f\x8b\x08", 3);

// Names that cannot be a kernel or an initramfs: most of a boot partition's bytes.
bool is_other(std::string_view name) {
    if (name.find('/') != name.npos && !name.ends_with(".img")) return true;
    constexpr std::array<std::string_view, 8> ends = {
        ".dtb", ".dtbo", ".elf", ".dat", ".txt", ".bin", ".uimg", ".scr"};
    for (const std::string_view end : ends) {
        if (name.ends_with(end)) return true;
    }
    return false;
}

// What config.txt includes is called so (usercfg.txt, extra.conf); its limit is config.txt's.
bool is_text_name(std::string_view name) {
    if (name == "config.txt" || name == "cmdline.txt") return false;
    return name.ends_with(".txt") || name.ends_with(".conf") || name.ends_with(".cfg");
}

// A record holds it as JSON: no bytes that are not UTF-8.
Result<boot::FileFacts> read_text(host::Host& host, const Path& file) {
    boot::FileFacts facts;
    const auto status = host.status(file);
    if (!status) return tl::unexpected(status.error());
    if (*status && (*status)->size > boot::config_txt_bytes_max) return facts;
    auto bytes = host.read_file(file, boot::config_txt_bytes_max);
    if (!bytes) return tl::unexpected(bytes.error());
    for (char& c : *bytes) {
        if (static_cast<unsigned char>(c) > 0x7f) c = '\x1a';
    }
    facts.text = std::move(*bytes);
    return facts;
}

std::string_view file_name(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == path.npos ? path : path.substr(slash + 1);
}

bool is_initramfs_name(std::string_view path) {
    const std::string_view name = file_name(path);
    return name.starts_with("initramfs") || name.starts_with("initrd");
}

// Compressed by what is not read here (lz4, lzma, bzip2): nobody knows what is in it.
bool is_unread_kind(std::string_view bytes) {
    using namespace std::string_view_literals;
    for (const std::string_view magic :
         {"\x02\x21\x4c\x18"sv, "\x04\x22\x4d\x18"sv, "\x5d\0\0"sv, "BZh"sv, "\x89LZO"sv}) {
        if (bytes.starts_with(magic)) return true;
    }
    return false;
}

std::string printable(std::string text) {
    for (char& c : text) {
        if (c < ' ' || c > '~') c = '?';
    }
    return text;
}

// Whether behind this archive another one may follow, which nobody read: by its plain bytes, and by
// the length that gzip ends with (RFC 1952, 2.3.1), which is of the last part alone.
bool may_go_on(std::string_view bytes) {
    constexpr std::string_view trailer = "TRAILER!!!";
    if (bytes.starts_with("07070")) return true;
    const auto plain = root::decompress(bytes);
    if (!plain) return true;
    const auto end = plain->find(trailer);
    if (end == plain->npos) return true;
    if (plain->find_first_not_of('\0', end + trailer.size()) != plain->npos) return true;
    if (!bytes.starts_with(gzip_magic)) return false;
    std::uint32_t length = 0;
    for (const char byte :
         {bytes[bytes.size() - 1],
          bytes[bytes.size() - 2],
          bytes[bytes.size() - 3],
          bytes[bytes.size() - 4]}) {
        length = length << 8U | static_cast<unsigned char>(byte);
    }
    return length != plain->size();
}

std::optional<boot::InitramfsFacts> read_initramfs(std::string_view bytes) {
    if (is_unread_kind(bytes)) return std::nullopt;
    boot::InitramfsFacts facts;
    const auto entries = root::read_cpio(bytes);
    if (!entries) {
        facts.problem = printable(entries.error().message);
        return facts;
    }
    constexpr std::uint32_t executable = 0111;
    std::size_t text_bytes = 0;
    for (const root::CpioEntry& entry : *entries) {
        std::string_view path = entry.path;
        while (path.starts_with("./")) path.remove_prefix(2);
        const bool link = entry.kind == root::CpioEntry::Kind::symlink;
        const bool program =
            entry.kind == root::CpioEntry::Kind::file && (entry.mode & executable) != 0;
        if (!link && !program) continue;
        // Names that a record cannot hold, and what Linux would not make: no init is called so.
        if (!boot::is_printable_ascii(path) || path.size() > boot::path_bytes_max) continue;
        const std::string_view target = link ? std::string_view(entry.content) : "";
        if (!boot::is_printable_ascii(target) || target.size() > boot::path_bytes_max) continue;
        // What is not there may be among the rest.
        text_bytes += path.size() + target.size();
        if (text_bytes > text_bytes_max) return std::nullopt;
        if (facts.programs.size() + facts.links.size() == programs_max) return std::nullopt;
        if (link) {
            facts.links.emplace(path, target);
        } else {
            facts.programs.emplace(path);
        }
    }
    // An archive may follow another (microcode, which is not compressed, and then the rest): of the
    // second nothing is known.
    if (!boot::has_program(facts, "init") && may_go_on(bytes)) return std::nullopt;
    return facts;
}

// Where gzip ends nobody says: libarchive reads on to what it cannot read.
std::optional<std::string> unzipped(std::string_view bytes) {
    auto plain = root::decompress(bytes, configuration_bytes_max);
    if (!plain || plain->find("CONFIG_") == plain->npos) return std::nullopt;
    return std::move(*plain);
}

std::optional<boot::KernelFacts> look_at_kernel(std::string_view bytes) {
    auto facts = boot::read_kernel(bytes);
    std::string plain;
    if (!facts) {
        auto unpacked = root::decompress(bytes, fact_file_bytes_max);
        if (!unpacked || *unpacked == bytes) return std::nullopt;
        plain = std::move(*unpacked);
        bytes = plain;
        facts = boot::read_kernel(bytes);
    }
    if (!facts) return std::nullopt;
    const std::string_view embedded = boot::embedded_configuration(bytes);
    if (!embedded.empty() && embedded.starts_with(gzip_magic)) {
        if (const auto text = unzipped(embedded)) boot::add_configuration(*facts, *text);
    }
    return facts;
}

// Of kernel7l.img and the like the end of its release: 6.6.31+rpt-rpi-v7l.
std::string_view flavour_of(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> known = {
        {{"kernel.img", "-v6"},
         {"kernel7.img", "-v7"},
         {"kernel7l.img", "-v7l"},
         {"kernel8.img", "-v8"},
         {"kernel_2712.img", "-2712"}}};
    for (const auto& [file, flavour] : known) {
        if (name == file) return flavour;
    }
    return {};
}

// Of a file's name, which may be any bytes: it goes into records and onto terminals.
bool is_release(std::string_view text) {
    return !text.empty() && text.size() <= boot::release_bytes_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// The root's /boot holds one configuration a kernel, or several: the kernel's release tells which,
// or its name does.
Result<void> add_configuration(
    host::Host& host,
    const std::vector<std::string>& configurations,
    const Path& root,
    const std::string& name,
    boot::KernelFacts& facts
) {
    for (const std::string& file : configurations) {
        const std::string_view release = std::string_view(file).substr(configuration_prefix.size());
        const std::string_view flavour = flavour_of(name);
        const bool same =
            facts.release.empty()
                ? configurations.size() == 1 || (!flavour.empty() && release.ends_with(flavour))
                : release == facts.release;
        if (!same) continue;
        const auto status = host.status_in(root, Path("boot") / file);
        if (!status) return tl::unexpected(status.error());
        if (!*status || (*status)->kind != host::FileKind::regular) continue;
        if ((*status)->size > configuration_bytes_max) continue;
        const auto text = host.read_file_in(root, Path("boot") / file);
        if (!text) return tl::unexpected(text.error());
        boot::add_configuration(facts, *text);
        if (facts.release.empty()) facts.release = release;
        return {};
    }
    return {};
}

Result<std::vector<std::string>> configurations_of(host::Host& host, const Path& root) {
    const auto there = host.status_in(root, "boot");
    if (!there) return tl::unexpected(there.error());
    std::vector<std::string> found;
    if (!*there || (*there)->kind != host::FileKind::directory) return found;
    const auto entries = host.list_in(root, "boot");
    if (!entries) return tl::unexpected(entries.error());
    for (const host::DirectoryEntry& entry : *entries) {
        if (!entry.name.starts_with(configuration_prefix)) continue;
        if (!is_release(std::string_view(entry.name).substr(configuration_prefix.size()))) continue;
        found.push_back(entry.name);
    }
    return found;
}

}  // namespace

Result<boot::FileFacts> read_file_facts(
    host::Host& host, const std::string& name, const Path& file
) {
    boot::FileFacts facts;
    if (is_text_name(name)) return read_text(host, file);
    if (is_other(name)) return facts;
    const auto status = host.status(file);
    if (!status) return tl::unexpected(status.error());
    if (*status && (*status)->size > fact_file_bytes_max) return facts;
    const auto bytes = host.read_file(file, fact_file_bytes_max);
    if (!bytes) return tl::unexpected(bytes.error());
    if (is_initramfs_name(name)) {
        facts.initramfs = read_initramfs(*bytes);
    } else {
        facts.kernel = look_at_kernel(*bytes);
    }
    return facts;
}

Result<boot::BootFacts> read_boot_facts(
    host::Host& host, const std::map<std::string, Path>& files, const std::optional<Path>& root
) {
    boot::BootFacts known;
    std::size_t texts_bytes = 0;
    std::vector<std::string> configurations;
    if (root) {
        auto found = configurations_of(host, *root);
        if (!found) return tl::unexpected(found.error());
        configurations = std::move(*found);
    }
    for (const auto& [name, file] : files) {
        auto facts = read_file_facts(host, name, file);
        if (!facts) return tl::unexpected(facts.error());
        if (facts->kernel && !facts->kernel->configured && root) {
            auto added = add_configuration(host, configurations, *root, name, *facts->kernel);
            if (!added) return tl::unexpected(added.error());
        }
        if (facts->text) texts_bytes += facts->text->size();
        if (texts_bytes > texts_bytes_max) facts->text.reset();
        if (facts->kernel || facts->initramfs || facts->text) known[name] = std::move(*facts);
    }
    return known;
}

}  // namespace bramble::image
