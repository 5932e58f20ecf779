#include <fmt/format.h>

#include <algorithm>

#include "config/types/boot_path.hpp"
#include "config/yaml/description.hpp"

namespace bramble::yaml {
namespace {

using namespace fleet;

bool is_printable_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

// A kernel parameter: blanks only inside of double quotes (kernel-parameters.rst).
bool is_one_parameter(std::string_view text) {
    bool quoted = false;
    for (const char c : text) {
        if (c == '"') quoted = !quoted;
        if (c == ' ' && !quoted) return false;
    }
    return !quoted;
}

bool check_parameter(Reading& reading, const Value& value, const std::string& text) {
    // Fact sheet 5.2: the firmware's text parsers drop what follows a byte that is not ASCII.
    if (!is_printable_ascii(text))
        return reading.error(value, "a kernel parameter must be plain ASCII");
    if (!is_one_parameter(text)) {
        return reading.error(
            value,
            "one kernel parameter belongs here, this is several (make each an entry of the list)"
        );
    }
    const std::string_view parameter = std::string_view(text).substr(0, text.find('='));
    for (const char* ours : {"root", "nfsroot", "ip"}) {
        if (parameter != ours || text.size() == parameter.size()) continue;
        return reading.error(
            value,
            fmt::format(
                "{}= is written by Bramble (take it out; `root:` of a profile says how)", ours
            )
        );
    }
    return true;
}

Type<RootSettings> root_type() {
    using S = RootSettings;
    auto keys = object<S>(
        "root",
        {key("mode",
             &S::mode,
             choice<RootMode>(
                 "root mode",
                 {{"per-board", RootMode::per_board},
                  {"shared", RootMode::shared},
                  {"none", RootMode::none}}
             ),
             "per-board: a root of its own that keeps changes. shared: one read-only root, changes "
             "in RAM. none: boot files only."),
         key("copy_on_write",
             &S::copy_on_write,
             choice<CopyOnWrite>(
                 "way to copy roots",
                 {{"auto", CopyOnWrite::automatic},
                  {"btrfs", CopyOnWrite::btrfs},
                  {"reflink", CopyOnWrite::reflink},
                  {"overlay", CopyOnWrite::overlay},
                  {"copy", CopyOnWrite::copy}}
             ),
             "auto: the first that the store's filesystem offers."),
         key("nfs_version",
             &S::nfs_version,
             choice<std::string>(
                 "NFS version", {{"3", "3"}, {"4", "4"}, {"4.1", "4.1"}, {"4.2", "4.2"}}
             ),
             "3 unless said: what every kernel and initramfs of Pi OS can mount."),
         key("ip",
             &S::ip,
             choice<KernelAddress>(
                 "way to give the kernel its address",
                 {{"dhcp", KernelAddress::dhcp}, {"static", KernelAddress::fixed}}
             ),
             "dhcp: the kernel asks again, which the boot's story shows. static: the board's "
             "`address` stands in cmdline.txt."),
         key("on_base_change",
             &S::on_base_change,
             choice<OnBaseChange>(
                 "answer to a changed base",
                 {{"reset", OnBaseChange::reset}, {"keep", OnBaseChange::keep}}
             ),
             "What becomes of a board's changes when its image changes; keep: see `keep`."),
         key("keep", &S::keep, list(line(), 1000), "Paths carried over to the new base.")}
    );
    // A bare 4.2 is a number to other readers of YAML.
    json::object& version = keys.schema["properties"].as_object()["nfs_version"].as_object();
    version["enum"] = {"3", "4", "4.1", "4.2", 3, 4, 4.1, 4.2};
    return checked(std::move(keys), [](Reading& reading, const Value& value, S& read) {
        if (!read.keep.empty() && read.on_base_change != OnBaseChange::keep) {
            return reading.error(
                *value.find("keep"), "paths are kept only with on_base_change: keep"
            );
        }
        for (const std::string& kept : read.keep) {
            const std::filesystem::path written(kept);
            const bool climbs = std::ranges::find(written, "..") != written.end();
            if (!written.is_absolute() || climbs) {
                return reading.error(
                    *value.find("keep"),
                    fmt::format("'{:.64}' is not an absolute path without '..'", kept)
                );
            }
        }
        return true;
    });
}

Type<std::string> boot_path_key() {
    return line_like(
        "a path below a board's boot directory (like overlays/mine.dtbo)", "^[^/\\\\]", is_boot_path
    );
}

struct ProfileDhcp {
    std::optional<std::string> bootfile;
};

Type<ProfileDhcp> profile_dhcp_type() {
    return object<ProfileDhcp>(
        "a profile's dhcp",
        // RFC 2131 §2: the `file` field has 128 bytes, the last of them NUL.
        {
            key("bootfile",
                &ProfileDhcp::bootfile,
                line(127),
                "What boards without Raspberry Pi firmware are told to load.")}
    );
}

// What YAML leaves of "115200n8" in [console=ttyAMA0,115200n8]: no kernel parameter looks like it.
bool is_speed(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    return digits >= 2 && text.substr(digits).find_first_not_of("noe78r") == text.npos;
}

// YAML parts a list at its commas, also those within [console=serial0,115200, console=tty1], which
// is how people write it.
std::vector<std::string> rejoined(const std::vector<std::string>& entries) {
    std::vector<std::string> parameters;
    for (const std::string& entry : entries) {
        const bool goes_on = !parameters.empty() && is_speed(entry) &&
                             parameters.back().find('=') != std::string::npos;
        if (goes_on) {
            parameters.back() += "," + entry;
        } else {
            parameters.push_back(entry);
        }
    }
    return parameters;
}

}  // namespace

Type<BoardModel> model_type() {
    std::vector<std::pair<std::string_view, BoardModel>> words;
    for (const std::string_view one : board_model_names)
        words.emplace_back(one, *parse_board_model(one));
    return choice<BoardModel>("board model", std::move(words));
}

Type<std::vector<std::string>> cmdline_type() {
    using Words = std::vector<std::string>;
    return converted<Words>(
        list(checked(line(), check_parameter), 256),
        [](Reading& /*reading*/, const Value& /*value*/, const Words& read, Words& out) {
            out = rejoined(read);
            return true;
        }
    );
}

Type<std::string> group_type() {
    return name("a group's name");
}

Type<Profile> profile_type() {
    using S = Profile;
    auto dhcp = converted<std::optional<std::string>>(
        profile_dhcp_type(),
        [](Reading& /*reading*/, const Value& /*value*/, const ProfileDhcp& read, auto& out) {
            out = read.bootfile;
            return true;
        }
    );
    dhcp.schema["description"] = "What its boards are told by DHCP.";
    Key<S> dhcp_key = {
        "dhcp",
        false,
        [read = std::move(dhcp.read)](Reading& reading, const Value& value, S& out) {
            return read(reading, value, out.dhcp_bootfile);
        },
        std::move(dhcp.schema)};
    return object<S>(
        "a profile",
        {key("model", &S::model, model_type(), "Kind of its boards; pi4 unless said."),
         required(key("image", &S::image, name("an image's name"), "One of `images`.")),
         key("kernel",
             &S::kernel,
             name("a kernel's name"),
             "One of `kernels`; left out: the image's own."),
         key("root", &S::root, root_type(), "What its boards mount as their root."),
         key("cmdline",
             &S::cmdline,
             cmdline_type(),
             "Kernel parameters; root=, nfsroot= and ip= are Bramble's."),
         key("config_txt",
             &S::config_txt,
             config_txt_type(),
             "Lines of config.txt; a list repeats its key, a filter (\"[pi400]\") holds lines of "
             "its own."),
         key("boot_files",
             &S::boot_files,
             map_of(boot_path_key(), path()),
             "Path in the boards' trees: file to put there."),
         std::move(dhcp_key),
         key("users", &S::users, list(user_type(), 1000), "Users of its roots."),
         key("group", &S::group, group_type(), "PoE group or switch, for admission.")}
    );
}

}  // namespace bramble::yaml
