// A comparison for people and for scripts.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cctype>
#include <map>

#include "provisioning/plan/comparison.hpp"

namespace bramble::plan {
namespace {

namespace json = boost::json;

constexpr std::size_t names_shown_max = 8;

std::string_view word(Fate fate) {
    switch (fate) {
        case Fate::added:
            return "added";
        case Fate::removed:
            return "removed";
        case Fate::changed:
            break;
    }
    return "changed";
}

std::string names(const std::vector<std::string>& boards) {
    std::string text;
    for (std::size_t i = 0; i < boards.size() && i < names_shown_max; ++i) {
        text += (i == 0 ? "" : ", ") + boards[i];
    }
    if (boards.size() > names_shown_max) {
        text += fmt::format(" and {} more", boards.size() - names_shown_max);
    }
    return text;
}

bool is_word_part(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

// A board "pi" is not meant by the middle of "raspi-1".
std::string with_board_as_word(std::string text, const std::string& name) {
    constexpr std::string_view word = "BOARD";
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;) {
        const std::size_t end = at + name.size();
        const bool whole = (at == 0 || !is_word_part(text[at - 1])) &&
                           (end == text.size() || !is_word_part(text[end]));
        if (whole) text.replace(at, name.size(), word);
        at += whole ? word.size() : 1;
    }
    return text;
}

std::string body(const PartChange& part) {
    std::string text;
    for (const FieldChange& field : part.fields) {
        text += fmt::format("  {}: {} -> {}\n", field.what, field.before, field.after);
    }
    for (const FileChange& file : part.files) {
        text += fmt::format("  {} {}", file.path, word(file.fate));
        if (file.lines.empty()) {
            text += fmt::format(
                ": {}{}{}",
                file.before,
                file.before.empty() || file.after.empty() ? "" : " -> ",
                file.after
            );
        }
        text += '\n';
        for (const std::string& line : file.lines) {
            text += fmt::format("    {} {}\n", line.front(), line.substr(1));
        }
    }
    return text;
}

struct Told {
    std::string text;  // of the first of them, as it is
    std::vector<std::string> boards;
};

std::string render_boards(const std::vector<PartChange>& boards) {
    std::vector<std::string> added;
    std::vector<std::string> removed;
    std::map<std::string, std::size_t> known;
    std::vector<Told> told;
    for (const PartChange& board : boards) {
        if (board.fate != Fate::changed) {
            (board.fate == Fate::added ? added : removed).push_back(board.name);
            continue;
        }
        const std::string text = body(board);
        const auto [place, fresh] =
            known.emplace(with_board_as_word(text, board.name), told.size());
        if (fresh) told.push_back({text, {}});
        told[place->second].boards.push_back(board.name);
        if (!fresh) told[place->second].text = place->first;
    }
    std::string text;
    for (const Told& group : told) text += names(group.boards) + "\n" + group.text;
    if (!added.empty()) text += fmt::format("new: {}\n", names(added));
    if (!removed.empty()) text += fmt::format("gone: {}\n", names(removed));
    return text;
}

json::array part_changes(const std::vector<PartChange>& parts, bool profiles) {
    json::array out;
    for (const PartChange& part : parts) {
        json::object one{{"name", part.name}, {"fate", word(part.fate)}};
        json::array files;
        for (const FileChange& file : part.files) {
            files.push_back(json::object{
                {"path", file.path},
                {"fate", word(file.fate)},
                {"before", file.before},
                {"after", file.after},
                {"lines", json::array(file.lines.begin(), file.lines.end())}});
        }
        one["files"] = std::move(files);
        if (profiles) {
            one["boards"] = json::array(part.boards.begin(), part.boards.end());
        } else {
            json::array fields;
            for (const FieldChange& field : part.fields) {
                fields.push_back(json::object{
                    {"what", field.what}, {"before", field.before}, {"after", field.after}});
            }
            one["fields"] = std::move(fields);
        }
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace

std::string render(const Comparison& comparison) {
    std::string text =
        fmt::format("generation {} -> generation {}\n", comparison.before, comparison.after);
    if (comparison.same()) return text + "boards are served the same\n";
    for (const PartChange& profile : comparison.profiles) {
        text += fmt::format("profile {}", profile.name);
        if (profile.fate == Fate::added) text += " is new";
        if (profile.fate == Fate::removed) text += " is gone";
        if (!profile.boards.empty()) text += fmt::format(" ({})", names(profile.boards));
        text += "\n" + body(profile);
    }
    text += render_boards(comparison.boards);
    if (comparison.boards_same > 0) {
        text += fmt::format(
            "{} other board{} served the same\n",
            comparison.boards_same,
            comparison.boards_same == 1 ? " is" : "s are"
        );
    }
    return text;
}

std::string render_json(const Comparison& comparison) {
    return json::serialize(json::object{
               {"before", comparison.before},
               {"after", comparison.after},
               {"same", comparison.same()},
               {"profiles", part_changes(comparison.profiles, true)},
               {"boards", part_changes(comparison.boards, false)},
               {"boards_same", comparison.boards_same}}) +
           "\n";
}

}  // namespace bramble::plan
