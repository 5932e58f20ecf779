#include "provisioning/boot/config_txt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bramble::boot {
namespace {

// Keys of which each line counts.
constexpr std::array<std::string_view, 6> adding_keys = {
    "dtoverlay", "dtparam", "device_tree_param", "gpio", "initramfs", "include"};

// Keys that are followed by a blank instead of "=" (fact sheet 7.1).
constexpr std::array<std::string_view, 2> blank_keys = {"initramfs", "include"};

template <std::size_t Size>
bool among(const std::array<std::string_view, Size>& set, std::string_view word) {
    return std::find(set.begin(), set.end(), word) != set.end();
}

bool is_filter(std::string_view key) {
    return !key.empty() && key.front() == '[';
}

std::string line_of(const fleet::ConfigEntry& entry) {
    if (is_filter(entry.key)) return entry.key;
    return fmt::format("{}{}{}", entry.key, among(blank_keys, entry.key) ? ' ' : '=', entry.value);
}

void check_line(std::string_view line, bool fatal, std::vector<Finding>& findings) {
    if (!is_printable_ascii(line)) {
        findings.push_back(
            {fatal,
             "config-ascii",
             "a config.txt entry holds a character outside of printable ASCII, which some firmware "
             "stops at",
             "write it with the characters ' ' to '~' on one line"}
        );
    } else if (line.size() > config_line_bytes_max) {
        findings.push_back(
            {fatal,
             "config-line-length",
             fmt::format(
                 "config.txt entry '{}…' is {} characters long; the firmware ignores what stands "
                 "behind {}",
                 line.substr(0, 30),
                 line.size(),
                 config_line_bytes_max
             ),
             "shorten it, or split a dtoverlay's parameters over dtparam lines"}
        );
    }
}

// The image's lines, with line ends of any system; comments that are not ASCII are left out, they
// may carry an author's name.
std::vector<std::string> image_lines(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string line(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
        std::replace(line.begin(), line.end(), '\t', ' ');
        const bool comment = line.find_first_not_of(' ') != std::string::npos &&
                             line[line.find_first_not_of(' ')] == '#';
        if (comment && !is_printable_ascii(line)) continue;
        lines.push_back(std::move(line));
    }
    return lines;
}

// Lines that choose an initramfs (fact sheet 7.1).
bool is_about_initramfs(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    constexpr std::array<std::string_view, 4> keys = {
        "initramfs", "auto_initramfs", "ramfsfile", "ramfsaddr"};
    return among(keys, line.substr(0, line.find_first_of("= ")));
}

bool says_nothing(const std::string& line) {
    const std::size_t begin = line.find_first_not_of(' ');
    return begin == std::string::npos || line[begin] == '#';
}

// Profile's and board's entries as lines: later ones win within their section.
std::vector<std::string> entry_lines(const ConfigTxtInputs& inputs) {
    struct Placed {
        std::string section;  // "[all]", and the filters since
        fleet::ConfigEntry entry;
    };

    std::vector<Placed> placed;
    for (const auto* entries : {&inputs.profile, &inputs.board}) {
        std::string section = "[all]";
        if (entries == &inputs.board && !placed.empty() && !inputs.board.empty() &&
            placed.back().section != section) {
            placed.push_back({section, {section, ""}});  // a profile's last filter ends with it
        }
        for (const fleet::ConfigEntry& entry : *entries) {
            if (is_filter(entry.key))
                section = entry.key == "[all]" ? entry.key : section + entry.key;
            const auto same = [&](const Placed& earlier) {
                return earlier.section == section && earlier.entry.key == entry.key;
            };
            if (!is_filter(entry.key) && !among(adding_keys, entry.key)) {
                placed.erase(std::remove_if(placed.begin(), placed.end(), same), placed.end());
            }
            placed.push_back({section, entry});
        }
    }
    std::vector<std::string> lines;
    for (const Placed& one : placed) lines.push_back(line_of(one.entry));
    return lines;
}

std::string assemble(
    const ConfigTxtInputs& inputs, const std::vector<std::string>& entries, bool comments
) {
    std::string text = fmt::format(
        "# Written by Bramble for {}: change the fleet file, not this.\n", inputs.owner
    );
    const bool own_initramfs = !inputs.initramfs.empty();
    for (const std::string& line : image_lines(inputs.image)) {
        if (own_initramfs && is_about_initramfs(line)) continue;
        if (comments || !says_nothing(line)) text += line + '\n';
    }
    if (!entries.empty() && !inputs.image.empty()) text += "[all]\n";
    for (const std::string& line : entries) text += line + '\n';
    return text;
}

}  // namespace

Text make_config_txt(const ConfigTxtInputs& inputs) {
    Text result;
    std::vector<std::string> entries = entry_lines(inputs);
    if (!inputs.initramfs.empty()) {
        std::erase_if(entries, [&](const std::string& line) {
            if (!is_about_initramfs(line)) return false;
            result.findings.push_back(
                {true,
                 "config-initramfs",
                 fmt::format(
                     "config.txt entry '{}' contradicts the initramfs that a shared root is "
                     "started with",
                     line
                 ),
                 "take it out, or set the profile's root: {mode: per-board}"}
            );
            return true;
        });
        entries.insert(
            entries.begin(), {"[all]", fmt::format("initramfs {} followkernel", inputs.initramfs)}
        );
    }
    for (const std::string& line : image_lines(inputs.image)) {
        if (!says_nothing(line)) check_line(line, false, result.findings);
    }
    for (const std::string& line : entries) check_line(line, true, result.findings);
    result.text = assemble(inputs, entries, true);
    if (result.text.size() > config_txt_bytes_max) result.text = assemble(inputs, entries, false);
    if (result.text.size() > config_txt_bytes_max) {
        result.findings.push_back(
            {true,
             "config-size",
             fmt::format(
                 "config.txt is {} bytes long without comments; the firmware ignores one of more "
                 "than {}",
                 result.text.size(),
                 config_txt_bytes_max
             ),
             "take entries out, or move those for start4.elf into a file of boot_files: and "
             "include it"}
        );
    }
    return result;
}

std::string default_config_txt(const layout::BootTree& tree) {
    const auto has = [&](std::string_view name) { return tree.find(name) != tree.end(); };
    std::string text;
    if (has("kernel8.img")) text += "arm_64bit=1\n";
    if (has("initramfs8") || has("initramfs7l") || has("initramfs_2712")) {
        text += "auto_initramfs=1\n";
    }
    return text;
}

}  // namespace bramble::boot
