// What a rehearsed boot came to: its story line by line, and what would go wrong, first things
// first. It refuses to know how it was found out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bramble::rehearsal {

// In the order of a boot.
enum class Phase { address, firmware, config, kernel, root, userspace };

std::string_view to_string(Phase phase);

struct Finding {
    bool stops = true;  // false: the board comes up, but not as somebody meant it
    Phase phase = Phase::address;
    std::string sentence;  // what would go wrong
    std::string remedy;

    friend bool operator==(const Finding&, const Finding&) = default;
};

struct Line {
    Phase phase = Phase::address;
    std::string text;

    friend bool operator==(const Line&, const Line&) = default;
};

// What a command line asks for.
struct RootWanted {
    std::string server;
    std::string path;
    std::string version;
};

// Who asks: the kernel that would run, with its whole line.
struct RootAsked {
    RootWanted root;
    std::string cmdline;
    std::string kernel_release;  // empty: not known
};

struct Report {
    std::string board;
    std::string firmware;          // the virtual board's profile; empty: none was powered on
    std::uint64_t generation = 0;  // 0: not published yet
    std::vector<Line> story;
    std::vector<Finding> findings;
    std::optional<RootAsked> asked;  // unset: the boot did not come so far, or mounts nothing

    void stop(Phase phase, std::string sentence, std::string remedy);
    void doubt(Phase phase, std::string sentence, std::string remedy);
    void tell(Phase phase, std::string text);

    bool boots() const;
    // What to say first: the earliest finding that stops the boot, else the earliest doubt;
    // nullptr: all is well.
    const Finding* first() const;
};

// One board: the verdict and the first thing that would go wrong on top, then the boot's story,
// then whatever else was found.
std::string render(const Report& report);

// Each sentence once, with the boards that it is about.
std::string render_findings(std::span<const Report> reports);

// The same, and how many would boot.
std::string render_all(std::span<const Report> reports);

// One object: generation, boards, would_boot, reports.
std::string render_json(std::span<const Report> reports);

}  // namespace bramble::rehearsal
