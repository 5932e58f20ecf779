#include "config/yaml/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace bramble::yaml {
namespace {

constexpr std::size_t shown_max = 100;  // bytes of a source line
constexpr std::size_t before_max = 60;  // of them before the place
constexpr std::string_view cut_mark = "...";

bool continues_character(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80;
}

// Moves `at` back to the first byte of its UTF-8 character.
std::size_t character_start(std::string_view text, std::size_t at) {
    while (at > 0 && at < text.size() && continues_character(text[at])) --at;
    return at;
}

// Blanks below `text` that are as wide as it: tabs stay tabs, a character of several bytes is one
// column.
std::string blanks_below(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (!continues_character(c)) out += c == '\t' ? '\t' : ' ';
    }
    return out;
}

}  // namespace

std::string render(const Diagnostic& diagnostic) {
    const std::string_view kind = diagnostic.severity == Severity::warning ? "warning: " : "";
    if (diagnostic.line == 0)
        return fmt::format("{}: {}{}\n", diagnostic.file, kind, diagnostic.message);
    const std::string_view line = diagnostic.source_line;
    const std::size_t at = std::min<std::size_t>(std::max(diagnostic.column, 1U) - 1, line.size());
    std::size_t begin = 0;
    if (line.size() > shown_max && at > before_max) begin = character_start(line, at - before_max);
    const std::size_t end = character_start(line, std::min(line.size(), begin + shown_max));
    const std::string_view head = begin > 0 ? cut_mark : "";
    const std::string_view tail = end < line.size() ? cut_mark : "";
    return fmt::format(
        "{}:{}:{}: {}{}\n{}{}{}\n{}{}^ near here\n",
        diagnostic.file,
        diagnostic.line,
        diagnostic.column,
        kind,
        diagnostic.message,
        head,
        line.substr(begin, end - begin),
        tail,
        blanks_below(head),
        blanks_below(line.substr(begin, std::min(at, end) - begin))
    );
}

std::string render(std::span<const Diagnostic> diagnostics) {
    std::string out;
    for (const Diagnostic& diagnostic : diagnostics) out += render(diagnostic);
    return out;
}

std::uint32_t Diagnostics::add_file(
    std::string shown, std::filesystem::path directory, std::string text
) {
    File file{std::move(shown), std::move(directory), std::move(text), {0}};
    for (std::size_t i = 0; i < file.text.size(); ++i) {
        if (file.text[i] == '\n') file.line_starts.push_back(i + 1);
    }
    files_.push_back(std::move(file));
    return static_cast<std::uint32_t>(files_.size() - 1);
}

void Diagnostics::error(fleet::SourceLocation where, std::string message) {
    ++errors_;
    add(Severity::error, where, std::move(message));
}

void Diagnostics::warning(fleet::SourceLocation where, std::string message) {
    add(Severity::warning, where, std::move(message));
}

std::string Diagnostics::place(fleet::SourceLocation where) const {
    return fmt::format("{}:{}:{}", files_[where.file].shown, where.line, where.column);
}

void Diagnostics::add(Severity severity, fleet::SourceLocation where, std::string message) {
    if (entries_.size() >= diagnostics_max) {
        overflowed_ = true;
        return;
    }
    // A message is one line whatever text of the file it quotes.
    std::ranges::replace_if(
        message, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' '
    );
    entries_.push_back(
        {where,
         {severity,
          files_[where.file].shown,
          where.line,
          where.column,
          std::move(message),
          line_of(where)}}
    );
}

std::string Diagnostics::line_of(fleet::SourceLocation where) const {
    const File& file = files_[where.file];
    if (where.line == 0 || where.line > file.line_starts.size()) return {};
    const std::size_t begin = file.line_starts[where.line - 1];
    std::string_view line = std::string_view(file.text).substr(begin);
    line = line.substr(0, line.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return std::string(line);
}

std::vector<Diagnostic> Diagnostics::take() {
    std::ranges::stable_sort(entries_, {}, [](const Entry& entry) {
        return std::tuple(entry.where.file, entry.where.line, entry.where.column);
    });
    std::vector<Diagnostic> out;
    out.reserve(entries_.size() + 1);
    for (Entry& entry : entries_) out.push_back(std::move(entry.diagnostic));
    if (overflowed_) {
        Diagnostic more;
        more.file = files_.front().shown;
        more.message = fmt::format(
            "there are more than these {} problems (mend these first, then check again)",
            diagnostics_max
        );
        out.push_back(std::move(more));
    }
    entries_.clear();
    return out;
}

}  // namespace bramble::yaml
