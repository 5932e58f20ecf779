// One YAML text as a tree of plain values, each with its place; the only header behind which
// yaml-cpp lies. It refuses to know what the keys mean.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/yaml/diagnostic.hpp"

namespace bramble::yaml {

struct Entry;

struct Value {
    enum class Kind { null, scalar, sequence, mapping };

    Kind kind = Kind::null;
    fleet::SourceLocation at;
    std::string text;            // of a scalar, as it is written: 1, on and 0x10 are texts too
    std::vector<Value> items;    // of a sequence
    std::vector<Entry> entries;  // of a mapping, in the order of the file, no key twice

    const Value* find(std::string_view key) const;
};

// One key of a mapping, and its value.
struct Entry {
    std::string key;
    fleet::SourceLocation at;
    Value value;
};

// What all files of one fleet may cost together, aliases counted as often as they are used. What a
// fleet of 20,000 boards needs is below each of these.
struct Budget {
    static constexpr std::size_t text_max = 4ULL << 20U;     // bytes of YAML
    static constexpr std::size_t nodes_max = 400'000;        // values and keys
    static constexpr std::size_t scalars_max = 8ULL << 20U;  // bytes of scalars
    static constexpr std::size_t depth_max = 24;  // mappings and sequences inside each other

    std::size_t text = 0;
    std::size_t nodes = 0;
    std::size_t scalars = 0;
};

// The one document in `text`, which is the text of file number `file` in `diagnostics`. None after
// an error: not UTF-8, not YAML, empty, more than one document, over the budget. Keys that stand
// twice are reported, and the first one counts.
std::optional<Value> parse_document(
    std::uint32_t file, std::string_view text, Budget& budget, Diagnostics& diagnostics
);

}  // namespace bramble::yaml
