#include "provisioning/apply/nas_marks.hpp"

#include <algorithm>

namespace bramble::apply {
namespace {

constexpr std::string_view mark_suffix = ".nas";
constexpr char leaving_sign = '-';

}  // namespace

using host::Path;

Path nas_mark(const Path& tree) {
    Path mark = tree;
    mark += mark_suffix;
    return mark;
}

Result<NasMarks::Mark> NasMarks::read(const Path& tree) const {
    Mark mark;
    const auto there = host_.status(nas_mark(tree));
    if (!there) return tl::unexpected(there.error());
    if (!*there) return mark;
    const auto text = host_.read_file(nas_mark(tree), 1U << 16U);
    if (!text) return tl::unexpected(text.error());
    for (std::string_view rest = *text; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        const bool whole = !line.starts_with(leaving_sign);
        if (!whole) line.remove_prefix(1);
        if (!line.empty()) mark.emplace(line, whole);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return mark;
}

Result<void> NasMarks::write(const Path& tree, const Mark& mark) {
    std::string text;
    for (const auto& [place, whole] : mark) {
        if (!whole) text += leaving_sign;
        text += place + "\n";
    }
    return host_.write_file(nas_mark(tree), text);
}

Result<std::set<std::string>> NasMarks::places(const Path& tree) const {
    return read(tree).map([](const Mark& mark) {
        std::set<std::string> places;
        for (const auto& [place, whole] : mark) {
            if (whole) places.insert(place);
        }
        return places;
    });
}

Result<std::set<std::string>> NasMarks::all_places(const Path& tree) const {
    return read(tree).map([](const Mark& mark) {
        std::set<std::string> places;
        for (const auto& [place, whole] : mark) places.insert(place);
        return places;
    });
}

Result<void> NasMarks::add(const Path& tree, const std::string& place) {
    auto mark = read(tree);
    if (!mark) return tl::unexpected(mark.error());
    (*mark)[place] = true;
    // The mark first: a directory without one would be a root of this machine.
    return host_.make_directories(tree.parent_path())
        .and_then([&] { return write(tree, *mark); })
        .and_then([&] { return host_.make_directories(tree); });
}

Result<void> NasMarks::withdraw(const Path& tree, const std::string& place) {
    auto mark = read(tree);
    if (!mark) return tl::unexpected(mark.error());
    (*mark)[place] = false;
    return write(tree, *mark);
}

Result<void> NasMarks::remove(const Path& tree) {
    return host_.remove_all(nas_mark(tree));
}

Result<std::vector<plan::BoardRoot>> NasMarks::served(
    std::string_view board,
    std::vector<plan::BoardRoot> roots,
    const std::optional<std::string>& place
) const {
    std::vector<plan::BoardRoot> kept;
    for (plan::BoardRoot& root : roots) {
        const Path tree = paths_.board_root(board, root.base);
        const auto marked = places(tree);
        if (!marked) return tl::unexpected(marked.error());
        const auto ever = all_places(tree);
        if (!ever) return tl::unexpected(ever.error());
        bool there = place && marked->contains(*place);
        if (!place && ever->empty()) there = true;
        if (!place && !ever->empty()) {
            const auto inside = host_.list(tree);
            if (!inside) return tl::unexpected(inside.error());
            there = !inside->empty();
        }
        if (there) kept.push_back(std::move(root));
    }
    return kept;
}

}  // namespace bramble::apply
