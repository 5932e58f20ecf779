#include "provisioning/boot/cmdline.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace bramble::boot {
namespace {

// Parameters that say where the root is: Bramble's, not a profile's.
constexpr std::array<std::string_view, 5> ours = {
    "root", "nfsroot", "ip", "nfsaddrs", "bramble.shared"};

// Written by us anyway; a profile that repeats them loses nothing.
constexpr std::array<std::string_view, 2> repeated = {"rootwait", "rootfstype=nfs"};

// fact sheet 7.2: stock parameters of an SD card's first boot.
constexpr std::array<std::string_view, 9> stock_dropped = {
    "root", "rootfstype", "fsck.repair", "resize", "quiet", "ro", "rw", "ds", "systemd.unit"};

std::string_view key_of(std::string_view parameter) {
    return parameter.substr(0, parameter.find('='));
}

template <std::size_t Size>
bool among(const std::array<std::string_view, Size>& set, std::string_view word) {
    return std::find(set.begin(), set.end(), word) != set.end();
}

std::vector<std::string> words(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    std::vector<std::string> found;
    std::string word;
    bool quoted = false;  // "a=\"b c\"" is one parameter
    for (const char c : text) {
        if (c == '"') quoted = !quoted;
        if (!quoted && blanks.find(c) != std::string_view::npos) {
            if (!word.empty()) found.push_back(std::exchange(word, {}));
            continue;
        }
        word.push_back(c);
    }
    if (!word.empty()) found.push_back(word);
    return found;
}

void check_parameter(const std::string& parameter, std::vector<Finding>& findings) {
    if (is_printable_ascii(parameter)) return;
    findings.push_back(
        {true,
         "cmdline-ascii",
         "a cmdline parameter holds a character outside of printable ASCII",
         "write it with the characters ' ' to '~' on one line"}
    );
}

bool contradicts(const std::string& word, const NfsRoot& root) {
    return among(ours, key_of(word)) || word == (root.read_only ? "rw" : "ro") ||
           (key_of(word) == "rootfstype" && word != "rootfstype=nfs");
}

std::string nfs_options(const NfsRoot& root) {
    return fmt::format("vers={},tcp,rsize=131072,wsize=131072", root.version);
}

void check_root(const NfsRoot& root, std::vector<Finding>& findings) {
    if (root.path.string().find_first_of(" ,%\"") != std::string::npos ||
        !is_printable_ascii(root.path.string())) {
        findings.push_back(
            {true,
             "nfsroot-path",
             fmt::format(
                 "nfsroot= cannot carry the path '{}': blanks, commas, quotes and % end it or mean "
                 "something else",
                 root.path.string()
             ),
             "choose another appliance.store"}
        );
    }
    if (nfs_options(root).size() > nfs_options_bytes_max) {
        findings.push_back(
            {true,
             "nfsroot-options",
             "the mount options are longer than the 255 bytes that the kernel keeps",
             "check the profile's nfs version"}
        );
    }
}

std::string ip_parameter(const std::optional<StaticAddress>& fixed) {
    if (!fixed) return "ip=dhcp";
    return fmt::format(
        "ip={}:{}:{}:{}:{}:{}:off",
        fixed->address.to_string(),
        fixed->server.to_string(),
        fixed->router ? fixed->router->to_string() : "",
        fixed->mask.to_string(),
        fixed->hostname,
        fixed->device
    );
}

// Parameters that a kernel takes as often as they stand there, each for something else.
constexpr std::array<std::string_view, 9> listed = {
    "console",
    "earlycon",
    "netconsole",
    "blacklist",
    "modprobe.blacklist",
    "module_blacklist",
    "systemd.mask",
    "systemd.wants",
    "systemd.setenv"};

// Of a parameter that is given twice the kernel takes the last one.
void check_twice(const std::vector<std::string>& line, std::vector<Finding>& findings) {
    std::map<std::string_view, std::string_view> seen;
    for (const std::string& word : line) {
        const std::string_view key = key_of(word);
        if (among(listed, key) || key.find('.') != std::string_view::npos) continue;
        const auto [earlier, fresh] = seen.emplace(key, word);
        if (fresh) continue;
        findings.push_back(
            {false,
             "cmdline-twice",
             earlier->second == word
                 ? fmt::format("cmdline parameter '{}' stands there twice", word)
                 : fmt::format(
                       "cmdline has '{}' and '{}': the kernel takes the last one",
                       earlier->second,
                       word
                   ),
             "leave one of them"}
        );
        earlier->second = word;
    }
}

// Fact sheet 7.2: words of old guides that do nothing, or not what they say.
void check_effect(const std::vector<std::string>& line, std::vector<Finding>& findings) {
    const auto has = [&](std::string_view word) {
        return std::find(line.begin(), line.end(), word) != line.end();
    };
    for (const std::string& word : line) {
        if (key_of(word) == "elevator") {
            findings.push_back(
                {false,
                 "cmdline-elevator",
                 fmt::format("cmdline parameter '{}' has no effect since Linux 5.0", word),
                 "take it out; an I/O scheduler is set by a udev rule or in /sys/block"}
            );
        }
    }
    if (has("crashkernel=auto")) {
        findings.push_back(
            {false,
             "cmdline-crashkernel",
             "crashkernel=auto is known to kernels of the Fedora family only: others reserve "
             "nothing",
             "write the size, such as crashkernel=128M"}
        );
    }
    if (has("quiet") && has("debug")) {
        findings.push_back(
            {false,
             "cmdline-contradiction",
             "cmdline has quiet and debug: the kernel takes the last one",
             "leave one of them"}
        );
    }
}

// The operator's parameters as words, without what Bramble writes itself.
std::vector<std::string> wanted_words(const CmdlineInputs& inputs, std::vector<Finding>& findings) {
    std::vector<std::string> kept;
    for (const auto* list : {&inputs.profile, &inputs.board}) {
        for (const std::string& parameter : *list) {
            check_parameter(parameter, findings);
            for (std::string& word : words(parameter)) {
                if (inputs.root && contradicts(word, *inputs.root)) {
                    findings.push_back(
                        {true,
                         "cmdline-root",
                         fmt::format(
                             "cmdline parameter '{}' contradicts the NFS root that this board gets",
                             word
                         ),
                         "take it out (root=, nfsroot= and ip= are written by Bramble), or set the "
                         "profile's root: {mode: none}"}
                    );
                    continue;
                }
                const bool redundant = among(repeated, word) || word == "rw" || word == "ro";
                if (!inputs.root || !redundant) kept.push_back(std::move(word));
            }
        }
    }
    return kept;
}

}  // namespace

std::vector<std::string> stock_parameters(std::string_view cmdline) {
    std::vector<std::string> kept;
    for (std::string& word : words(cmdline)) {
        const std::string_view key = key_of(word);
        const bool first_boot = key == "init" || key.substr(0, 11) == "systemd.run";
        if (first_boot || among(stock_dropped, key) || among(ours, key) || among(repeated, word)) {
            continue;
        }
        kept.push_back(std::move(word));
    }
    return kept;
}

Text make_cmdline(const CmdlineInputs& inputs) {
    Text result;
    std::vector<std::string> line = wanted_words(inputs, result.findings);
    if (inputs.profile.empty() && inputs.board.empty()) {
        line = inputs.root ? stock_parameters(inputs.image) : words(inputs.image);
    }
    check_twice(line, result.findings);
    check_effect(line, result.findings);
    if (inputs.root) {
        check_root(*inputs.root, result.findings);
        line.push_back("root=/dev/nfs");
        line.push_back(fmt::format(
            "nfsroot={}:{},{}",
            inputs.root->server,
            inputs.root->path.string(),
            nfs_options(*inputs.root)
        ));
        if (!inputs.root->identity.empty()) {
            line.push_back("bramble.shared=" + inputs.root->identity);
        }
        line.push_back(inputs.root->read_only ? "ro" : "rw");
        line.push_back(ip_parameter(inputs.static_address));
        line.push_back("rootwait");
    }
    result.text = fmt::format("{}\n", fmt::join(line, " "));
    if (result.text.size() - 1 > cmdline_bytes_max) {
        result.findings.push_back(
            {true,
             "cmdline-length",
             fmt::format(
                 "the kernel's command line is {} bytes long; a 64-bit kernel takes {}",
                 result.text.size() - 1,
                 cmdline_bytes_max
             ),
             "shorten the profile's or the board's cmdline"}
        );
    }
    return result;
}

}  // namespace bramble::boot
