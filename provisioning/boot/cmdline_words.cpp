#include "provisioning/boot/cmdline_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace bramble::boot {
namespace {

// Parameters that a kernel, or systemd, takes as often as they stand there, each for something
// else; written with "_".
constexpr std::array<std::string_view, 29> listed = {
    "blacklist",
    "cgroup_disable",
    "cgroup_enable",
    "console",
    "crashkernel",  // ",high" and ",low"
    "dyndbg",
    "earlycon",
    "fbcon",
    "initcall_blacklist",
    "memmap",
    "modprobe.blacklist",
    "module_blacklist",
    "netconsole",
    "rd.break",
    "rd.driver.blacklist",
    "rd.driver.post",
    "rd.driver.pre",
    "rd.luks.name",
    "rd.luks.options",
    "rd.luks.uuid",
    "rd.lvm.lv",
    "systemd.mask",
    "systemd.run",
    "systemd.set_credential",
    "systemd.setenv",
    "systemd.tty.term",
    "systemd.wants",
    "trace_event",
    "video"};  // for each connector

bool is_listed(std::string_view key) {
    return std::find(listed.begin(), listed.end(), key) != listed.end() || key.ends_with(".dyndbg");
}

// kernel/params.c, parameq: '-' and '_' are the same in a key.
std::string plain_key(std::string_view word) {
    std::string key(key_of(word));
    std::replace(key.begin(), key.end(), '-', '_');
    return key;
}

std::string_view value_of_word(std::string_view word) {
    const auto equals = word.find('=');
    return equals == word.npos ? std::string_view() : word.substr(equals + 1);
}

Finding twice(std::string_view word) {
    return {
        false,
        "cmdline-twice",
        fmt::format("cmdline parameter '{}' stands there twice", word),
        "leave one of them"};
}

// Of a parameter that is given twice the kernel takes the last one.
void check_twice(const std::vector<std::string>& words, std::vector<Finding>& findings) {
    std::map<std::string, std::string_view> seen;
    std::set<std::pair<std::string, std::string_view>> seen_of_listed;
    for (const std::string& word : words) {
        std::string key = plain_key(word);
        if (key == "hugepages" || key == "hugepagesz") continue;  // one behind the other, in pairs
        if (is_listed(key)) {
            const bool fresh = seen_of_listed.emplace(std::move(key), value_of_word(word)).second;
            if (!fresh) findings.push_back(twice(word));
            continue;
        }
        const auto [earlier, fresh] = seen.emplace(std::move(key), word);
        if (fresh) continue;
        findings.push_back(
            earlier->second == word
                ? twice(word)
                : Finding{
                      false,
                      "cmdline-twice",
                      fmt::format(
                          "cmdline has '{}' and '{}': the kernel takes the last one",
                          earlier->second,
                          word
                      ),
                      "leave one of them"}
        );
        earlier->second = word;
    }
}

// More than one processor; none: another word.
std::optional<unsigned> processors(std::string_view word) {
    if (plain_key(word) != "maxcpus") return std::nullopt;
    const std::string_view text = value_of_word(word);
    unsigned count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size() || count < 2) return std::nullopt;
    return count;
}

// Two words for one setting, so that the one undoes the other.
bool undo_each_other(std::string_view one, std::string_view other) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 2> pairs = {
        {{"quiet", "debug"}, {"ro", "rw"}}};
    if (std::find(pairs.begin(), pairs.end(), std::pair(one, other)) != pairs.end()) return true;
    if (one == "nosmp" && processors(other)) return true;
    return plain_key(one) == "cgroup_enable" && plain_key(other) == "cgroup_disable" &&
           value_of_word(one) == value_of_word(other);
}

void check_contradictions(const std::vector<std::string>& words, std::vector<Finding>& findings) {
    // Few words are half of such a pair: what is compared with all others are those.
    for (const std::string& one : words) {
        const bool half =
            one == "quiet" || one == "ro" || one == "nosmp" || plain_key(one) == "cgroup_enable";
        if (!half) continue;
        for (const std::string& other : words) {
            if (!undo_each_other(one, other)) continue;
            findings.push_back(
                {false,
                 "cmdline-contradiction",
                 fmt::format("cmdline has {} and {}: the kernel takes the last one", one, other),
                 "leave one of them"}
            );
            break;
        }
    }
}

// Fact sheet 7.2: words of old guides that do nothing, or not what they say.
void check_effect(const std::vector<std::string>& words, std::vector<Finding>& findings) {
    for (const std::string& word : words) {
        if (plain_key(word) == "elevator") {
            findings.push_back(
                {false,
                 "cmdline-elevator",
                 fmt::format("cmdline parameter '{}' has no effect since Linux 5.0", word),
                 "take it out; an I/O scheduler is set by a udev rule or in /sys/block"}
            );
        }
    }
    // A speed that lost its console. One digit alone may be a runlevel.
    for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string& word = words[i];
        const bool number = word.find_first_not_of("0123456789") == word.npos;
        if (!number || word.size() < 2) continue;
        findings.push_back(
            {false,
             "cmdline-number",
             fmt::format("cmdline has the number {} alone, behind '{}'", word, words[i - 1]),
             fmt::format("write '{},{}' if that is meant, else take it out", words[i - 1], word)}
        );
    }
    if (std::find(words.begin(), words.end(), "crashkernel=auto") != words.end()) {
        findings.push_back(
            {false,
             "cmdline-crashkernel",
             "crashkernel=auto is known to kernels of the Fedora family only: others reserve "
             "nothing",
             "write the size, such as crashkernel=128M"}
        );
    }
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> found;
    std::string word;
    bool quoted = false;  // "a=\"b c\"" is one parameter
    for (const char c : text) {
        if (c == '"') quoted = !quoted;
        const bool line_ends = c == '\n' || c == '\r';
        if (line_ends || (!quoted && (c == ' ' || c == '\t'))) {
            if (!word.empty()) found.push_back(std::exchange(word, {}));
            if (line_ends) quoted = false;
            continue;
        }
        word.push_back(c);
    }
    if (!word.empty()) found.push_back(word);
    return found;
}

std::string_view key_of(std::string_view word) {
    if (word.starts_with('"')) word.remove_prefix(1);
    return word.substr(0, word.find('='));
}

bool leaves_a_quote_open(std::string_view word) {
    return std::count(word.begin(), word.end(), '"') % 2 != 0;
}

SplitWords split_words(std::vector<std::string> words) {
    SplitWords split;
    const auto end = std::find(words.begin(), words.end(), "--");
    split.kernel.assign(words.begin(), end);
    if (end != words.end()) split.init.assign(end + 1, words.end());
    return split;
}

std::vector<Finding> lint_words(const std::vector<std::string>& words) {
    std::vector<Finding> findings;
    check_twice(words, findings);
    check_effect(words, findings);
    check_contradictions(words, findings);
    return findings;
}

}  // namespace bramble::boot
