// Generations told to people and scripts: which there are, what each changed, who uses it. It
// refuses to know the store and the state they were read from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/layout/manifest.hpp"

namespace bramble::plan {

// "3, 5 to 9": rising numbers, for a sentence; "none" when there are none.
std::string ranges(const std::vector<std::uint64_t>& numbers);

// Boards by the generation that they hold on to.
struct GenerationUse {
    std::vector<std::string> booting;  // a boot of it is under way
    std::vector<std::string> running;  // their last boot was of it
    bool served = false;               // a running serve answers from it

    bool any() const { return served || !booting.empty() || !running.empty(); }
};

struct GenerationLine {
    std::uint64_t number = 0;
    bool current = false;
    std::string problem;  // why it cannot be read; then the rest says nothing
    std::string created;
    std::size_t boards = 0;
    std::size_t profiles = 0;
    std::vector<std::string> changes;  // against the one before: plan::differences
    std::uint64_t before = 0;          // that one's number; 0: there is none
    GenerationUse use;
};

struct GenerationList {
    std::vector<GenerationLine> lines;  // rising
    std::string use_unknown;            // why nobody knows who uses them; empty: it is known
};

std::string render(const GenerationList& list);
std::string render_json(const GenerationList& list);

}  // namespace bramble::plan
