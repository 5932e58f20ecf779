#include "provisioning/boot/config_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>

#include "config/types/config_filter.hpp"
#include "provisioning/boot/config_txt.hpp"

namespace bramble::boot {
namespace {

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r");
    if (begin == text.npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::string_view first_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

// What a terminal may be shown; the firmware takes nothing else.
std::string plain(std::string_view text) {
    std::string shown(text);
    for (char& c : shown) {
        if (c < ' ' || c > '~') c = '?';
    }
    return shown;
}

// Whether a filter holds for a board. What the fleet file says of one does not always tell: which
// variant of a model it is, the level of a pin, which screen it has.
enum class Holds { no, perhaps, yes };

Holds is_model(std::string_view filter, BoardModel model) {
    const auto one_of = [&](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), filter) != names.end();
    };
    const auto holds = [&](auto surely, auto perhaps) {
        return one_of(surely) ? Holds::yes : one_of(perhaps) ? Holds::perhaps : Holds::no;
    };
    using Names = std::initializer_list<std::string_view>;
    switch (model) {
        case BoardModel::pi3:
            return holds(Names{"pi3"}, Names{"pi3+", "cm3", "cm3+"});
        case BoardModel::pi4:
            return holds(Names{"pi4"}, Names{});
        case BoardModel::pi400:
            return holds(Names{"pi4", "pi400"}, Names{});
        case BoardModel::cm4:
            return holds(Names{"pi4", "cm4"}, Names{"cm4s"});
        case BoardModel::pi5:
            return holds(Names{"pi5"}, Names{"pi500", "cm5"});
        case BoardModel::generic:
            break;
    }
    return Holds::no;
}

// A model that is of several types (3B, 3B+, 3A+; 5, 500, CM5; CM4, CM4S) does not say which.
Holds is_board_type(std::uint64_t type, BoardModel model) {
    if (type > 0xff) return Holds::no;
    const RevisionCode code(1U << 23U | static_cast<std::uint32_t>(type) << 4U);
    if (code.model() != model) return Holds::no;
    const bool one_type = model == BoardModel::pi4 || model == BoardModel::pi400;
    return one_type ? Holds::yes : Holds::perhaps;
}

// What decides which files a board starts with.
bool decides_what_is_started(std::string_view key) {
    constexpr std::array<std::string_view, 8> keys = {
        "kernel",
        "initramfs",
        "auto_initramfs",
        "ramfsfile",
        "arm_64bit",
        "os_prefix",
        "boot_ramdisk",
        "gpu_mem"};
    return std::find(keys.begin(), keys.end(), key) != keys.end() || key.starts_with("start_") ||
           key.starts_with("fixup_");
}

// Repeated filters of one kind replace each other, those of different kinds hold together.
class Filters {
public:
    explicit Filters(const FilterFacts& board) : board_(board) {}

    void apply(std::string_view line) {
        const auto filter = parse_config_filter(line.substr(0, line.find(']') + 1));
        if (!filter) {
            kinds_[ConfigFilterKind::expression] = Holds::perhaps;  // of newer firmware
        } else if (filter->kind == ConfigFilterKind::all) {
            kinds_.clear();
        } else {
            kinds_[filter->kind] = holds(*filter);
        }
    }

    // All of them together.
    Holds hold() const {
        Holds least = Holds::yes;
        for (const auto& [kind, holds] : kinds_) least = std::min(least, holds);
        return least;
    }

private:
    Holds holds(const ConfigFilter& filter) const {
        switch (filter.kind) {
            case ConfigFilterKind::model:
                return is_model(filter.model, board_.model);
            case ConfigFilterKind::board_type:
                return is_board_type(filter.number, board_.model);
            case ConfigFilterKind::serial:
                return board_.serial && board_.serial->value() == filter.number ? Holds::yes
                                                                                : Holds::no;
            case ConfigFilterKind::gpio:
            case ConfigFilterKind::display:
            case ConfigFilterKind::expression:
                return Holds::perhaps;
            case ConfigFilterKind::all:
            case ConfigFilterKind::none:
            case ConfigFilterKind::tryboot:
                break;
        }
        return Holds::no;
    }

    const FilterFacts& board_;
    std::map<ConfigFilterKind, Holds> kinds_;
};

class Reader {
public:
    Reader(const layout::BootTree& tree, const BootFacts& files, const FilterFacts& board)
        : tree_(tree), files_(files), board_(board) {}

    ConfigReading run() {
        read("config.txt", text_at(tree_, "config.txt"), 0);
        return std::move(reading_);
    }

private:
    void read(const std::string& file, std::string_view text, unsigned depth) {
        Filters filters(board_);
        while (!text.empty()) {
            const std::string_view line =
                trimmed(first_line(text).substr(0, config_line_bytes_max));
            if (line.empty() || line.front() == '#') continue;
            if (line.front() == '[') {
                filters.apply(line);
            } else if (filters.hold() == Holds::yes) {
                read_line(file, line, depth);
            } else if (filters.hold() == Holds::perhaps) {
                leave_open(line);
            }
        }
    }

    // A line that perhaps counts: what it decides is not known.
    void leave_open(std::string_view line) {
        const std::string_view key = line.substr(0, line.find_first_of(" =\t"));
        if (key == "include" || decides_what_is_started(key)) reading_.complete = false;
    }

    // "initramfs NAME followkernel" and "include FILE" have no "=" (fact sheet 7.1).
    void read_line(const std::string& file, std::string_view line, unsigned depth) {
        constexpr std::string_view include_key = "include ";
        constexpr std::string_view initramfs_key = "initramfs ";
        if (line.starts_with(include_key)) {
            return include(file, trimmed(line.substr(include_key.size())), depth);
        }
        if (line.starts_with(initramfs_key)) {
            line = trimmed(line.substr(initramfs_key.size()));
            return set(file, "initramfs", line.substr(0, line.find(' ')), depth);
        }
        const auto equals = line.find('=');
        if (equals == line.npos) return;
        set(file, trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)), depth);
    }

    void set(
        const std::string& file, std::string_view key, std::string_view value, unsigned depth
    ) {
        reading_.settings[plain(key)] = plain(value);
        if (depth == 0) {
            reading_.early[plain(key)] = plain(value);
        } else {
            reading_.included_keys[file].insert(plain(key));
        }
    }

    void include(const std::string& from, std::string_view name, unsigned depth) {
        if (name.empty()) return;
        if (!is_printable_ascii(name)) {  // told of the line already
            reading_.complete = false;
            return;
        }
        if (name.size() > include_name_bytes_max) {
            return find_fault(
                "include-name",
                fmt::format(
                    "{} includes '{}…', a name of {} characters; the firmware takes {}",
                    from,
                    name.substr(0, 30),
                    name.size(),
                    include_name_bytes_max
                ),
                "give the file a shorter name"
            );
        }
        const auto file = tree_.find(name);
        if (file == tree_.end()) {
            return find_fault(
                "include-missing",
                fmt::format("{} includes '{}', which is not among the boot files", from, name),
                "add it to the image's boot directory or under boot_files:, or take the line out"
            );
        }
        if (depth == include_depth_max || reads_ == include_reads_max) {
            reading_.complete = false;
            return find_fault(
                "include-depth",
                fmt::format(
                    "what config.txt includes is more than {} deep or {} files (by '{}'), perhaps "
                    "without an end",
                    include_depth_max,
                    include_reads_max,
                    name
                ),
                "take an include out"
            );
        }
        ++reads_;
        if (const auto text = text_of(file->second, name)) {
            read(std::string(name), *text, depth + 1);
        }
    }

    std::optional<std::string_view> text_of(const layout::BootFile& file, std::string_view name) {
        const auto* text = std::get_if<layout::TextFile>(&file);
        const auto* object = std::get_if<layout::ObjectFile>(&file);
        const std::uint64_t size = text != nullptr ? text->text.size() : object->size;
        if (size > config_txt_bytes_max) {
            reading_.complete = false;
            find_fault(
                "include-size",
                fmt::format(
                    "'{}' is included and {} bytes long; the firmware reads no configuration of "
                    "more than {}",
                    name,
                    size,
                    config_txt_bytes_max
                ),
                "take lines out of it, or make two of it"
            );
            return std::nullopt;
        }
        if (text != nullptr) return looked_at(text->text, name);
        const auto known = files_.find(name);
        if (known != files_.end() && known->second.text)
            return looked_at(*known->second.text, name);
        reading_.complete = false;
        return std::nullopt;
    }

    std::string_view looked_at(std::string_view text, std::string_view name) {
        if (!looked_at_.insert(std::string(name)).second) return text;
        for (std::string_view rest = text; !rest.empty();) {
            std::string line(trimmed(first_line(rest)));
            std::replace(line.begin(), line.end(), '\t', ' ');
            if (line.empty()) continue;
            if (!is_printable_ascii(line)) {
                find_fault(
                    "config-ascii",
                    fmt::format(
                        "'{}' is included and holds a character outside of printable ASCII, which "
                        "some firmware stops at",
                        name
                    ),
                    "write it with the characters ' ' to '~'"
                );
            } else if (line.front() != '#' && line.size() > config_line_bytes_max) {
                find_fault(
                    "config-line-length",
                    fmt::format(
                        "'{}' is included, and its line '{}…' is {} characters long; the firmware "
                        "ignores what stands behind {}",
                        name,
                        line.substr(0, 30),
                        line.size(),
                        config_line_bytes_max
                    ),
                    "shorten it, or split a dtoverlay's parameters over dtparam lines"
                );
            }
        }
        return text;
    }

    void find_fault(std::string rule, std::string message, std::string remedy) {
        Finding finding{false, std::move(rule), std::move(message), std::move(remedy)};
        auto& all = reading_.findings;
        if (std::find(all.begin(), all.end(), finding) == all.end()) {
            all.push_back(std::move(finding));
        }
    }

    const layout::BootTree& tree_;
    const BootFacts& files_;
    const FilterFacts& board_;
    ConfigReading reading_;
    std::set<std::string> looked_at_;
    unsigned reads_ = 0;  // of included texts
};

}  // namespace

std::string value_of(const Settings& settings, std::string_view key) {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string() : found->second;
}

std::string_view text_at(const layout::BootTree& tree, std::string_view path) {
    const auto found = tree.find(path);
    if (found == tree.end()) return {};
    const auto* text = std::get_if<layout::TextFile>(&found->second);
    return text == nullptr ? std::string_view() : std::string_view(text->text);
}

ConfigReading read_config(
    const layout::BootTree& tree, const BootFacts& files, const FilterFacts& board
) {
    return Reader(tree, files, board).run();
}

}  // namespace bramble::boot
