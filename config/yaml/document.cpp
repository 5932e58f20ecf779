#include "config/yaml/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <map>
#include <sstream>

namespace bramble::yaml {
namespace {

using fleet::SourceLocation;

// Ends the parse of one text from inside yaml-cpp's callbacks; never leaves this file.
struct Stop {
    SourceLocation where;
    std::string message;
};

struct Anchored {
    Value value;
    std::size_t nodes = 0;
    std::size_t scalars = 0;
};

// Turns yaml-cpp's events into a Value, with every bound checked before the memory is spent.
class Builder : public YAML::EventHandler {
public:
    Builder(std::uint32_t file, Budget& budget, Diagnostics& diagnostics)
        : file_(file), budget_(budget), diagnostics_(diagnostics) {}

    std::optional<Value> root;

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (root) throw Stop{at(mark), "a second document begins here (one file, one document)"};
    }

    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        put({Value::Kind::null, at(mark), {}, {}, {}}, anchor);
    }

    void OnScalar(
        const YAML::Mark& mark,
        const std::string& /*tag*/,
        YAML::anchor_t anchor,
        const std::string& text
    ) override {
        put({Value::Kind::scalar, at(mark), text, {}, {}}, anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end())
            throw Stop{at(mark), "this alias stands inside of what it repeats (write it out)"};
        spend(at(mark), found->second.nodes, found->second.scalars);
        place(found->second.value, at(mark));
    }

    void OnSequenceStart(
        const YAML::Mark& mark,
        const std::string& /*tag*/,
        YAML::anchor_t anchor,
        YAML::EmitterStyle::value /*style*/
    ) override {
        open(Value::Kind::sequence, at(mark), anchor);
    }

    void OnSequenceEnd() override { close(); }

    void OnMapStart(
        const YAML::Mark& mark,
        const std::string& /*tag*/,
        YAML::anchor_t anchor,
        YAML::EmitterStyle::value /*style*/
    ) override {
        open(Value::Kind::mapping, at(mark), anchor);
    }

    void OnMapEnd() override { close(); }

private:
    // A mapping or sequence whose end has not come yet.
    struct Open {
        Value value;
        YAML::anchor_t anchor = 0;
        std::size_t nodes_before = 0;
        std::size_t scalars_before = 0;
        std::optional<Entry> key;                    // waits for its value
        std::map<std::string, SourceLocation> keys;  // seen so far
    };

    SourceLocation at(const YAML::Mark& mark) const {
        if (mark.is_null()) return {file_, 0, 0};
        return {
            file_,
            static_cast<std::uint32_t>(mark.line + 1),
            static_cast<std::uint32_t>(mark.column + 1)};
    }

    void spend(SourceLocation where, std::size_t nodes, std::size_t scalars) {
        budget_.nodes += nodes;
        budget_.scalars += scalars;
        if (budget_.nodes <= Budget::nodes_max && budget_.scalars <= Budget::scalars_max) return;
        throw Stop{
            where,
            fmt::format(
                "from here on there are more than {} values or {} MiB of text, aliases counted "
                "each "
                "time (a fleet needs far less: look for aliases of aliases)",
                Budget::nodes_max,
                Budget::scalars_max >> 20U
            )};
    }

    void open(Value::Kind kind, SourceLocation where, YAML::anchor_t anchor) {
        if (open_.size() >= Budget::depth_max) {
            throw Stop{
                where,
                fmt::format(
                    "this is nested deeper than {} levels (no key of a fleet file needs that)",
                    Budget::depth_max
                )};
        }
        Open next;
        next.nodes_before = budget_.nodes;
        next.scalars_before = budget_.scalars;
        spend(where, 1, 0);
        next.value.kind = kind;
        next.value.at = where;
        next.anchor = anchor;
        open_.push_back(std::move(next));
    }

    void close() {
        Open closed = std::move(open_.back());
        open_.pop_back();
        const std::size_t nodes = budget_.nodes - closed.nodes_before;
        const std::size_t scalars = budget_.scalars - closed.scalars_before;
        remember(closed.anchor, closed.value, nodes, scalars);
        const SourceLocation where = closed.value.at;
        place(std::move(closed.value), where);
    }

    void put(Value value, YAML::anchor_t anchor) {
        const std::size_t scalars = value.text.size();
        const SourceLocation where = value.at;
        spend(where, 1, scalars);
        remember(anchor, value, 1, scalars);
        place(std::move(value), where);
    }

    // What an anchor keeps is a copy, and paid for like one.
    void remember(
        YAML::anchor_t anchor, const Value& value, std::size_t nodes, std::size_t scalars
    ) {
        if (anchor == YAML::NullAnchor) return;
        spend(value.at, nodes, scalars);
        anchors_[anchor] = {value, nodes, scalars};
    }

    void place(Value value, SourceLocation where) {
        if (open_.empty()) {
            root = std::move(value);
            return;
        }
        Open& parent = open_.back();
        if (parent.value.kind == Value::Kind::sequence) {
            parent.value.items.push_back(std::move(value));
            return;
        }
        if (!parent.key) {
            if (value.kind != Value::Kind::scalar)
                throw Stop{
                    where, "a key must be plain text (quote it where it begins with [ or {)"};
            parent.key = Entry{std::move(value.text), where, {}};
            return;
        }
        parent.key->value = std::move(value);
        // What is not there has no place of its own; yaml-cpp names the line after it.
        if (parent.key->value.kind == Value::Kind::null) parent.key->value.at = parent.key->at;
        const auto [first, is_new] = parent.keys.emplace(parent.key->key, parent.key->at);
        if (is_new) {
            parent.value.entries.push_back(std::move(*parent.key));
        } else {
            diagnostics_.error(
                parent.key->at,
                fmt::format(
                    "duplicate key '{:.64}' (it stands at {} already: keep one of the two)",
                    parent.key->key,
                    diagnostics_.place(first->second)
                )
            );
        }
        parent.key.reset();
    }

    std::uint32_t file_;
    Budget& budget_;
    Diagnostics& diagnostics_;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, Anchored> anchors_;
};

// Bytes of the UTF-8 character at the front of `text`; 0: there is none (RFC 3629 §4).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    std::size_t length = 0;
    if (first >= 0xc2 && first <= 0xdf) length = 2;
    if (first >= 0xe0 && first <= 0xef) length = 3;
    if (first >= 0xf0 && first <= 0xf4) length = 4;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) return 0;
    }
    const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
    const bool surrogate = first == 0xed && byte(1) > 0x9f;
    const bool too_large = first == 0xf4 && byte(1) > 0x8f;
    return overlong || surrogate || too_large ? 0 : length;
}

// yaml-cpp takes 0x04 for the end of its input and guesses UTF-16 from NUL bytes: only text that is
// UTF-8 without control characters may reach it.
bool is_clean_text(std::uint32_t file, std::string_view text, Diagnostics& diagnostics) {
    SourceLocation where{file, 1, 1};
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = utf8_length(text.substr(i));
        const auto first = static_cast<unsigned char>(text[i]);
        if (length == 0) {
            diagnostics.error(
                where, fmt::format("byte 0x{:02x} is not UTF-8 (save the file as UTF-8)", first)
            );
            return false;
        }
        if ((first < 0x20 && first != '\t' && first != '\n' && first != '\r') || first == 0x7f) {
            diagnostics.error(
                where, fmt::format("control character 0x{:02x} (take it out)", first)
            );
            return false;
        }
        i += length;
        where.column += static_cast<std::uint32_t>(length);
        if (first == '\n') where = {file, where.line + 1, 1};
    }
    return true;
}

}  // namespace

const Value* Value::find(std::string_view key) const {
    for (const Entry& entry : entries) {
        if (entry.key == key) return &entry.value;
    }
    return nullptr;
}

std::optional<Value> parse_document(
    std::uint32_t file, std::string_view text, Budget& budget, Diagnostics& diagnostics
) {
    if (!is_clean_text(file, text, diagnostics)) return std::nullopt;
    Builder builder(file, budget, diagnostics);
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Stop& stop) {
        diagnostics.error(stop.where, stop.message);
        return std::nullopt;
    } catch (const YAML::Exception& e) {
        SourceLocation where{file, 0, 0};
        if (!e.mark.is_null()) {
            where.line = static_cast<std::uint32_t>(e.mark.line + 1);
            where.column = static_cast<std::uint32_t>(e.mark.column + 1);
        }
        diagnostics.error(
            where, fmt::format("not YAML: {} (look at the indentation and the quotes here)", e.msg)
        );
        return std::nullopt;
    } catch (const std::exception& e) {  // the library's own faults must not end the program
        diagnostics.error({file, 0, 0}, fmt::format("cannot be read as YAML: {}", e.what()));
        return std::nullopt;
    }
    if (!builder.root || builder.root->kind == Value::Kind::null) {
        diagnostics.error({file, 1, 1}, "there is nothing in this file (begin with `version: 1`)");
        return std::nullopt;
    }
    return std::move(builder.root);
}

}  // namespace bramble::yaml
