#include "provisioning/kernel/kconfig.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bramble::kernel {
namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// Takes the first word off.
std::string_view word(std::string_view& text) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view first = text.substr(0, end);
    text = trimmed(text.substr(end));
    return first;
}

std::string_view unquoted(std::string_view text) {
    const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                        text.back() == text.front();
    return quoted ? text.substr(1, text.size() - 2) : text;
}

// Tabs go to the next multiple of eight.
std::size_t indentation(std::string_view line) {
    std::size_t column = 0;
    for (const char c : line) {
        if (c == ' ') {
            ++column;
        } else if (c == '\t') {
            column = (column / 8 + 1) * 8;
        } else {
            break;
        }
    }
    return column;
}

// Up to a '#' that stands outside of quotes.
std::string_view without_comment(std::string_view line) {
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '#') {
            return line.substr(0, i);
        }
    }
    return line;
}

// A quoted text at the front of `text`, taken off; false: there is none.
bool take_quoted(std::string_view& text) {
    if (text.empty() || (text.front() != '"' && text.front() != '\'')) return false;
    const std::size_t end = text.find(text.front(), 1);
    text = end == std::string_view::npos ? std::string_view() : trimmed(text.substr(end + 1));
    return true;
}

std::string_view behind_if(std::string_view text) {
    return word(text) == "if" ? text : std::string_view();
}

bool is_type(std::string_view keyword) {
    return keyword == "bool" || keyword == "tristate" || keyword == "string" || keyword == "hex" ||
           keyword == "int" || keyword == "prompt";
}

}  // namespace

// One reading of all files: a stack of blocks (menu, if, choice) with their conditions, and the
// entry that attributes now belong to.
class KconfigReading {
public:
    KconfigReading(
        const Kconfig::Reader& reader,
        const std::set<std::string, std::less<>>& names,
        const std::map<std::string, std::string>& variables
    )
        : reader_(reader), names_(names), variables_(variables) {}

    Kconfig run() {
        file("Kconfig", 0);
        return std::move(read_);
    }

private:
    void file(const std::string& path, int depth) {
        if (depth > Kconfig::depth_max || ++files_ > Kconfig::files_max) return;
        const auto text = reader_(path);
        if (!text) return;
        const std::size_t blocks = blocks_.size();
        lines(path, *text, depth);
        blocks_.resize(std::min(blocks, blocks_.size()));
        close_entry();
    }

    void lines(const std::string& path, std::string_view text, int depth) {
        std::string joined;
        bool in_help = false;
        std::size_t help_indent = 0;
        for (std::size_t number = 1; !text.empty(); ++number) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            const std::string_view line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            if (in_help) {
                if (trimmed(line).empty()) continue;
                if (help_indent == 0) help_indent = indentation(line);
                if (help_indent != 0 && indentation(line) >= help_indent) continue;
                in_help = false;
            }
            const std::string_view part = trimmed(without_comment(line));
            if (part.ends_with('\\') && joined.size() < joined_bytes_max) {
                joined += std::string(part.substr(0, part.size() - 1)) + " ";
                continue;
            }
            joined += part;
            place_ = fmt::format("{}:{}", path, number);
            if (joined == "help" || joined == "---help---") {
                in_help = true;
                help_indent = 0;
            } else {
                statement(joined, depth);
            }
            joined.clear();
        }
    }

    void statement(std::string_view rest, int depth) {
        const std::string_view keyword = word(rest);
        if (keyword.empty()) return;
        if (keyword == "config" || keyword == "menuconfig") return open_entry(rest);
        if (keyword == "source") {
            close_entry();
            return file(resolved(unquoted(rest)), depth + 1);
        }
        if (keyword == "menu" || keyword == "choice") return open_block({});
        if (keyword == "if") return open_block(std::string(rest));
        if (keyword == "endmenu" || keyword == "endchoice" || keyword == "endif") {
            close_entry();
            if (!blocks_.empty()) blocks_.pop_back();
            return;
        }
        if (keyword == "comment") {
            close_entry();
            in_comment_ = true;
            return;
        }
        attribute(keyword, rest);
    }

    void attribute(std::string_view keyword, std::string_view rest) {
        if (in_comment_) return;
        if (keyword == "depends" && rest.starts_with("on")) {
            rest = trimmed(rest.substr(2));
            if (entry_open_) {
                entry_.depends.emplace_back(rest);
            } else if (!blocks_.empty()) {
                blocks_.back().emplace_back(rest);
            }
            return;
        }
        if (!entry_open_) return;
        if (is_type(keyword)) {
            if (take_quoted(rest)) entry_.prompt_if = std::string(behind_if(rest));
        } else if (keyword == "select") {
            const std::string_view name = word(rest);
            if (names_.contains(name)) {
                read_.selections_[std::string(name)].push_back(
                    {entry_name_, std::string(behind_if(rest))}
                );
            }
        }
    }

    void open_entry(std::string_view name) {
        close_entry();
        entry_open_ = true;
        entry_name_ = name;
        entry_ = Definition{place_, {}, std::nullopt};
    }

    void close_entry() {
        in_comment_ = false;
        if (!entry_open_) return;
        entry_open_ = false;
        if (!names_.contains(entry_name_)) return;
        for (const auto& block : blocks_) {
            entry_.depends.insert(entry_.depends.end(), block.begin(), block.end());
        }
        read_.definitions_[entry_name_].push_back(std::move(entry_));
    }

    void open_block(std::string condition) {
        close_entry();
        blocks_.emplace_back();
        if (!condition.empty()) blocks_.back().push_back(std::move(condition));
    }

    // arch/$(SRCARCH)/Kconfig -> arch/arm64/Kconfig
    std::string resolved(std::string_view path) const {
        std::string text(path);
        for (const auto& [name, value] : variables_) {
            const std::string written = fmt::format("$({})", name);
            const std::size_t at = text.find(written);
            if (at != std::string::npos) text.replace(at, written.size(), value);
        }
        return text;
    }

    static constexpr std::size_t joined_bytes_max = 1U << 16U;

    const Kconfig::Reader& reader_;
    const std::set<std::string, std::less<>>& names_;
    const std::map<std::string, std::string>& variables_;
    Kconfig read_;
    std::vector<std::vector<std::string>> blocks_;
    std::string place_;
    std::string entry_name_;
    Definition entry_;
    bool entry_open_ = false;
    bool in_comment_ = false;  // whose conditions are nobody's
    std::size_t files_ = 0;
};

Kconfig Kconfig::read(
    const Reader& reader,
    const std::set<std::string, std::less<>>& names,
    const std::map<std::string, std::string>& variables
) {
    return KconfigReading(reader, names, variables).run();
}

const std::vector<Definition>* Kconfig::find(std::string_view name) const {
    const auto found = definitions_.find(name);
    return found == definitions_.end() ? nullptr : &found->second;
}

const std::vector<Selection>* Kconfig::selections(std::string_view name) const {
    const auto found = selections_.find(name);
    return found == selections_.end() ? nullptr : &found->second;
}

namespace {

Tristate wanted_of(std::string_view value) {
    if (value == "n") return Tristate::no;
    return value == "m" ? Tristate::module : Tristate::yes;
}

// "KEYS (n) and BLOCK (m)"; of a part with several options the value of each.
std::string with_values(const std::vector<std::string>& parts, const Options& final) {
    std::string text;
    for (const std::string& part : parts) {
        std::string values;
        for (const std::string& symbol : symbols_in(part)) {
            values += values.empty() ? "" : ", ";
            const std::string_view value = value_of(final, symbol);
            values += symbol == part ? std::string(value) : fmt::format("{}={}", symbol, value);
        }
        text += fmt::format("{}{} ({})", text.empty() ? "" : " and ", part, values);
    }
    return text;
}

std::string explain_definition(const Lost& lost, const Definition& one, const Options& final) {
    std::vector<std::string> unmet;
    for (const std::string& condition : one.depends) {
        const auto parts = unmet_parts(condition, final, wanted_of(lost.asked.value));
        for (const std::string& part : parts) {
            if (std::ranges::find(unmet, part) == unmet.end()) unmet.push_back(part);
        }
    }
    if (!unmet.empty()) {
        return fmt::format("it depends on {} [{}]", with_values(unmet, final), one.place);
    }
    if (!one.prompt_if) {
        return fmt::format("it cannot be set by hand, other options select it [{}]", one.place);
    }
    const auto hidden = unmet_parts(*one.prompt_if, final, Tristate::yes);
    if (!one.prompt_if->empty() && !hidden.empty()) {
        return fmt::format(
            "it can be set by hand only with {} [{}]", with_values(hidden, final), one.place
        );
    }
    return fmt::format(
        "what it depends on is met: its range or another option of its choice decided [{}]",
        one.place
    );
}

std::string explain_selections(const Lost& lost, const Kconfig& kconfig, const Options& final) {
    const auto* selections = kconfig.selections(lost.name);
    std::string by;
    if (selections != nullptr) {
        for (const Selection& one : *selections) {
            if (value_of(final, one.by) == "n") continue;
            if (!one.condition.empty() && evaluate(one.condition, final) == Tristate::no) continue;
            by += fmt::format("{}{}", by.empty() ? "" : ", ", one.by);
        }
    }
    return by.empty() ? "" : fmt::format("it is selected by {}", by);
}

}  // namespace

std::string explain(const Lost& lost, const Kconfig& kconfig, const Options& final) {
    const auto* definitions = kconfig.find(lost.name);
    if (definitions == nullptr) return "these sources have no such option for this architecture";
    const bool less = wanted_of(lost.is) < wanted_of(lost.asked.value);
    if (!less) {
        const std::string by = explain_selections(lost, kconfig, final);
        if (!by.empty()) return by;
    }
    std::string text;
    for (const Definition& one : *definitions) {
        const std::string reason = explain_definition(lost, one, final);
        text += text.empty() ? reason : "; or " + reason;
    }
    return text;
}

}  // namespace bramble::kernel
