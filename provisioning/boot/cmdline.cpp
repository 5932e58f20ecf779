#include "provisioning/boot/cmdline.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "provisioning/boot/cmdline_words.hpp"

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

template <std::size_t Size>
bool among(const std::array<std::string_view, Size>& set, std::string_view word) {
    return std::find(set.begin(), set.end(), word) != set.end();
}

// What ends a word elsewhere than where it ends.
std::optional<Finding> fault_of(std::string_view word) {
    if (!is_printable_ascii(word)) {
        return Finding{
            true,
            "cmdline-ascii",
            "a cmdline parameter holds a character outside of printable ASCII",
            "write it with the characters ' ' to '~' on one line"};
    }
    if (leaves_a_quote_open(word)) {
        return Finding{
            true,
            "cmdline-quote",
            fmt::format(
                "cmdline parameter '{}' opens a quote and does not close it: the kernel takes all "
                "that follows for a part of it",
                word
            ),
            "close it, or take it out"};
    }
    return std::nullopt;
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

// The operator's parameters as words, without what Bramble writes itself. The profile's end of the
// kernel's part ("--") is not the board's.
SplitWords wanted_words(const CmdlineInputs& inputs, std::vector<Finding>& findings) {
    SplitWords kept;
    for (const auto* list : {&inputs.profile, &inputs.board}) {
        std::vector<std::string> all;
        for (const std::string& parameter : *list) {
            const auto fault = fault_of(parameter);
            if (fault) findings.push_back(*fault);
            for (std::string& word : words_of(parameter)) all.push_back(std::move(word));
        }
        SplitWords split = split_words(std::move(all));
        for (std::string& word : split.kernel) {
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
            if (!inputs.root || !redundant) kept.kernel.push_back(std::move(word));
        }
        for (std::string& word : split.init) kept.init.push_back(std::move(word));
    }
    return kept;
}

// The image's line is not the operator's to mend: a word that would spoil it is left out.
SplitWords image_words(const CmdlineInputs& inputs, std::vector<Finding>& findings) {
    std::vector<std::string> kept;
    for (std::string& word :
         inputs.root ? stock_parameters(inputs.image) : words_of(inputs.image)) {
        auto fault = fault_of(word);
        if (!fault) {
            kept.push_back(std::move(word));
            continue;
        }
        fault->fatal = false;
        fault->message = "left out of the image's cmdline.txt: " + fault->message;
        fault->remedy = "give the profile a cmdline: of its own";
        findings.push_back(std::move(*fault));
    }
    return split_words(std::move(kept));
}

}  // namespace

std::vector<std::string> stock_parameters(std::string_view cmdline) {
    std::vector<std::string> kept;
    bool of_init = false;
    for (std::string& word : words_of(cmdline)) {
        const std::string_view key = key_of(word);
        const bool first_boot = key == "init" || key.substr(0, 11) == "systemd.run";
        of_init = of_init || word == "--";
        if (!of_init && (first_boot || among(stock_dropped, key) || among(ours, key) ||
                         among(repeated, word))) {
            continue;
        }
        kept.push_back(std::move(word));
    }
    return kept;
}

Text make_cmdline(const CmdlineInputs& inputs) {
    Text result;
    const bool is_own = !inputs.profile.empty() || !inputs.board.empty();
    SplitWords words =
        is_own ? wanted_words(inputs, result.findings) : image_words(inputs, result.findings);
    std::vector<std::string>& line = words.kernel;
    const std::vector<Finding> told = lint_words(line);
    result.findings.insert(result.findings.end(), told.begin(), told.end());
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
    if (!words.init.empty()) line.emplace_back("--");
    line.insert(line.end(), words.init.begin(), words.init.end());
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
