// Two generations held against each other: which profiles' and boards' files, text lines, kernel
// and root differ, with what they were and became. It refuses to know which one is better.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/layout/manifest.hpp"

namespace bramble::plan {

enum class Fate { added, removed, changed };

struct FileChange {
    std::string path;
    Fate fate = Fate::changed;
    std::string before, after;       // size and sum of an object, size of a text; empty: none
    std::vector<std::string> lines;  // of a text: "-old" and "+new"; of cmdline.txt each word
};

struct FieldChange {
    std::string what;  // "root", "kernel release", "address"
    std::string before, after;
};

// A profile's shared tree, or one board with what it has of its own.
struct PartChange {
    std::string name;
    Fate fate = Fate::changed;
    std::vector<FileChange> files;
    std::vector<FieldChange> fields;
    std::vector<std::string> boards;  // of a profile: those that are served its tree afterwards
};

struct Comparison {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    std::vector<PartChange> profiles;  // by name, only what differs
    std::vector<PartChange> boards;
    std::size_t boards_same = 0;  // nothing differs, neither of their own nor of their profile

    bool same() const { return profiles.empty() && boards.empty(); }
};

Comparison compare(const layout::Manifest& before, const layout::Manifest& after);

// Boards with the same changes are told once; their names stand there as BOARD then.
std::string render(const Comparison& comparison);
std::string render_json(const Comparison& comparison);

}  // namespace bramble::plan
