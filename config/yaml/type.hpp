// The words in which the fleet file is described once, for the parser and for the JSON Schema: a
// Type says how a value is read and what an editor should expect. It refuses to know any key.
#pragma once

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/types/result.hpp"
#include "config/types/text.hpp"
#include "config/yaml/reading.hpp"

namespace bramble::yaml {

namespace json = boost::json;

// Reads a value into `out`; after a complaint it says false and `out` is as it was.
template <typename T>
struct Type {
    std::function<bool(Reading&, const Value&, T& out)> read;
    json::object schema;
};

// ---- scalars

// Whether `value` is a scalar; complains that `wanted` ("a number") belongs here otherwise.
bool expect_scalar(Reading& reading, const Value& value, std::string_view wanted);

// One line of text, 1 to `size_max` bytes, without control characters.
Type<std::string> line(std::size_t size_max = 1024);

// Any text, also of several lines, 1 byte to 64 KiB.
Type<std::string> text_block();

// A line that `accept` takes; `wanted` says what that is: "a package name (like fio)".
Type<std::string> line_like(
    std::string wanted, std::string pattern, std::function<bool(std::string_view)> accept
);

// A name of an image, kernel or profile: letters, digits, '.', '_' and '-', up to 63 of them.
Type<std::string> name(std::string what);

// A path, absolute afterwards.
Type<std::filesystem::path> path();

// A path (absolute afterwards) or an http(s) URL (kept as it is).
Type<std::string> path_or_url();

// An absolute path on a machine or in a root that is not this one.
Type<std::filesystem::path> absolute_path();

Type<bool> boolean();  // true, false, on, off, yes, no
Type<std::uint64_t> whole_number(std::uint64_t min, std::uint64_t max);
Type<Duration> duration(Duration min, Duration max);

// A scalar with a `parse`: T parse(std::string_view) -> Result<T>.
template <typename T>
Type<T> parsed(Result<T> (*parse)(std::string_view), json::object schema) {
    return {
        [parse](Reading& reading, const Value& value, T& out) {
            if (!expect_scalar(reading, value, "a single value")) return false;
            constexpr std::size_t shown_max = 64;
            auto result = parse(std::string_view(value.text).substr(0, shown_max));
            if (!result) return reading.error(value, result.error().message);
            out = *std::move(result);
            return true;
        },
        std::move(schema)};
}

// One of a few words; `what` names them: "board model".
template <typename T>
Type<T> choice(std::string what, std::vector<std::pair<std::string_view, T>> words) {
    json::array known;
    std::string list;
    for (const auto& [word, meaning] : words) {
        known.emplace_back(word);
        list += (list.empty() ? "" : ", ") + std::string(word);
    }
    return {
        [what, words, list](Reading& reading, const Value& value, T& out) {
            if (!expect_scalar(reading, value, "a " + what)) return false;
            for (const auto& [word, meaning] : words) {
                if (word != value.text) continue;
                out = meaning;
                return true;
            }
            return reading.error(
                value,
                "unknown " + what + " '" + value.text.substr(0, 64) + "' (known: " + list + ")"
            );
        },
        {{"enum", std::move(known)}}};
}

// ---- lists and maps

bool expect_list(Reading& reading, const Value& value);
bool expect_map(Reading& reading, const Value& value);

// A list, up to `count_max` long; a key without a value is an empty one.
template <typename T>
Type<std::vector<T>> list(Type<T> item, std::size_t count_max = 10'000) {
    json::object schema = {{"type", {"array", "null"}}, {"items", item.schema}};
    return {
        [item = std::move(item),
         count_max](Reading& reading, const Value& value, std::vector<T>& out) {
            if (!expect_list(reading, value)) return false;
            bool good = true;
            for (const Value& element : value.items) {
                if (out.size() >= count_max) {
                    return reading.error(
                        element, "this list is too long (at most " + std::to_string(count_max) + ")"
                    );
                }
                const Reading::Step step(
                    reading, "[" + std::to_string(out.size()) + "]", element.at
                );
                // What does not fit is kept at its default, so that numbers in paths stay true.
                T read{};
                good = item.read(reading, element, read) && good;
                out.push_back(std::move(read));
            }
            return good;
        },
        std::move(schema)};
}

// Keys that are names or paths of the user's: each is read by `key`, its value by `item`.
template <typename T>
Type<std::map<std::string, T>> map_of(Type<std::string> key, Type<T> item) {
    json::object schema = {
        {"type", {"object", "null"}},
        {"propertyNames", key.schema},
        {"additionalProperties", item.schema}};
    return {
        [key = std::move(key), item = std::move(item)](
            Reading& reading, const Value& value, std::map<std::string, T>& out
        ) {
            if (!expect_map(reading, value)) return false;
            bool good = true;
            for (const Entry& entry : value.entries) {
                const Value as_value{Value::Kind::scalar, entry.at, entry.key, {}, {}};
                const Reading::Step step(reading, "[" + entry.key + "]", entry.at);
                std::string name;
                T read{};
                const bool named = key.read(reading, as_value, name);
                const bool fits = item.read(reading, entry.value, read) && named;
                if (fits) out.insert_or_assign(std::move(name), std::move(read));
                good = good && fits;
            }
            return good;
        },
        std::move(schema)};
}

// ---- objects with known keys

template <typename T>
struct Key {
    std::string_view name;
    bool required = false;
    std::function<bool(Reading&, const Value&, T&)> read;
    json::object schema;
};

template <typename T, typename M>
Key<T> key(std::string_view name, M T::*member, Type<M> type, std::string_view about) {
    type.schema["description"] = about;
    return {
        name,
        false,
        [member, read = std::move(type.read)](Reading& reading, const Value& value, T& out) {
            return read(reading, value, out.*member);
        },
        std::move(type.schema)};
}

template <typename T, typename M>
Key<T> key(
    std::string_view name, std::optional<M> T::*member, Type<M> type, std::string_view about
) {
    type.schema["description"] = about;
    return {
        name,
        false,
        [member, read = std::move(type.read)](Reading& reading, const Value& value, T& out) {
            M fits{};
            if (!read(reading, value, fits)) return false;
            out.*member = std::move(fits);
            return true;
        },
        std::move(type.schema)};
}

template <typename T>
Key<T> required(Key<T> one) {
    one.required = true;
    return one;
}

// "unknown key 'adress' in a board (did you mean 'address'?)"; `meant` is the nearest of `known`.
std::string unknown_key(
    std::string_view key,
    std::string_view what,
    std::optional<std::string_view> meant,
    const std::vector<std::string_view>& known
);

// A mapping with these keys and no others; `what` names it: "a board".
template <typename T>
Type<T> object(std::string what, std::vector<Key<T>> keys) {
    json::object properties;
    json::array needed;
    std::vector<std::string_view> names;
    for (const Key<T>& one : keys) {
        properties.emplace(one.name, one.schema);
        names.push_back(one.name);
        if (one.required) needed.emplace_back(one.name);
    }
    json::object schema = {
        {"type", needed.empty() ? json::value{"object", "null"} : json::value("object")},
        {"additionalProperties", false},
        {"properties", std::move(properties)}};
    if (!needed.empty()) schema["required"] = std::move(needed);
    return {
        [what = std::move(what),
         keys = std::move(keys),
         names = std::move(names)](Reading& reading, const Value& value, T& out) {
            if (!expect_map(reading, value)) return false;
            bool good = true;
            std::vector<std::string_view> meant;  // misspelt, so not missing
            for (const Entry& entry : value.entries) {
                const auto known = std::ranges::find(keys, entry.key, &Key<T>::name);
                if (known == keys.end()) {
                    const auto near = nearest(entry.key, names);
                    if (near) meant.push_back(*near);
                    reading.diagnostics().error(
                        entry.at, unknown_key(entry.key, what, near, names)
                    );
                    good = false;
                    continue;
                }
                const Reading::Step step(reading, known->name, entry.value.at);
                good = known->read(reading, entry.value, out) && good;
            }
            for (const Key<T>& one : keys) {
                if (!one.required || value.find(one.name) != nullptr) continue;
                good = false;
                if (std::ranges::find(meant, one.name) == meant.end())
                    reading.error(value, what + " needs the key '" + std::string(one.name) + "'");
            }
            return good;
        },
        std::move(schema)};
}

// ---- changes of a Type

// `type`, then `check(reading, value, out)`, which may complain and say false.
template <typename T, typename F>
Type<T> checked(Type<T> type, F check) {
    return {
        [read = std::move(type.read), check](Reading& reading, const Value& value, T& out) {
            return read(reading, value, out) && check(reading, value, out);
        },
        std::move(type.schema)};
}

// Reads as a `From`, which `convert(reading, value, from, out)` makes a `To` of or complains about.
template <typename To, typename From, typename F>
Type<To> converted(Type<From> type, F convert) {
    return {
        [read = std::move(type.read), convert](Reading& reading, const Value& value, To& out) {
            From from{};
            return read(reading, value, from) && convert(reading, value, from, out);
        },
        std::move(type.schema)};
}

// One form when the value is a scalar, the other when it is a mapping.
template <typename T>
Type<T> scalar_or_map(Type<T> scalar, Type<T> mapping) {
    json::object schema = {{"anyOf", {scalar.schema, mapping.schema}}};
    return {
        [scalar = std::move(scalar.read),
         mapping = std::move(mapping.read)](Reading& reading, const Value& value, T& out) {
            const bool is_map = value.kind == Value::Kind::mapping;
            return is_map ? mapping(reading, value, out) : scalar(reading, value, out);
        },
        std::move(schema)};
}

// Exactly one of `keys` must stand in the mapping: "an image's source needs one of file,
// directory".
bool expect_one_of(
    Reading& reading,
    const Value& value,
    std::string_view what,
    const std::vector<std::string_view>& keys
);

// The schema of a mapping that has exactly one of `keys`.
json::object one_of_schema(json::object schema, const std::vector<std::string_view>& keys);

}  // namespace bramble::yaml
