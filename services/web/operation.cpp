#include "services/web/operation.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <initializer_list>
#include <optional>

#include "services/web/json.hpp"

namespace bramble::web {
namespace {

namespace json = boost::json;

constexpr std::size_t word_bytes_max = 256;

struct Key {
    std::string_view name;
    std::string* value;
    bool needed = true;
};

Result<json::object> parse_object(std::string_view text) {
    if (text.size() > operation_bytes_max) return fail("it is too long");
    json::parse_options options;
    options.max_depth = 4;
    json::error_code error;
    json::value value = json::parse(text, error, {}, options);
    if (error || !value.is_object()) return fail("it is not a JSON object");
    return std::move(value.as_object());
}

// Takes the named keys out of `object`. Errors: one that is missing or no text.
Result<void> take(json::object& object, std::initializer_list<Key> keys) {
    for (const Key& key : keys) {
        const auto found = object.find(key.name);
        if (found == object.end()) {
            if (key.needed) return fail(fmt::format("'{}' is missing", key.name));
            continue;
        }
        if (!found->value().is_string() || found->value().as_string().size() > word_bytes_max) {
            return fail(fmt::format("'{}' is not a short text", key.name));
        }
        *key.value = std::string(found->value().as_string());
        object.erase(found);
    }
    return {};
}

Result<void> nothing_else(const json::object& object) {
    if (object.empty()) return {};
    return fail(fmt::format("there is no key '{}'", ascii(object.begin()->key())));
}

Result<Adopt> take_adopt(json::object& object) {
    Adopt out;
    const auto taken = take(
        object,
        {{"serial", &out.serial},
         {"name", &out.name},
         {"profile", &out.profile},
         {"mac", &out.mac, false},
         {"address", &out.address, false}}
    );
    if (!taken) return tl::unexpected(taken.error());
    return out;
}

std::optional<std::uint64_t> take_number(json::object& object, std::string_view name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->value().is_int64()) return std::nullopt;
    const std::int64_t number = found->value().as_int64();
    object.erase(found);
    return number < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(number));
}

Result<RollBack> take_roll_back(json::object& object) {
    const auto number = take_number(object, "generation");
    if (!number || *number == 0) return fail("'generation' is not the number of one");
    return RollBack{*number};
}

Result<Operation> take_operation(json::object& object) {
    std::string what;
    if (auto taken = take(object, {{"do", &what}}); !taken) return tl::unexpected(taken.error());
    const auto as_operation = [](auto value) { return Operation(std::move(value)); };
    if (what == "adopt") return take_adopt(object).map(as_operation);
    if (what == "rollback") return take_roll_back(object).map(as_operation);
    if (what != "forget") return fail("there is no such operation");
    Forget out;
    if (auto taken = take(object, {{"name", &out.name}}); !taken) {
        return tl::unexpected(taken.error());
    }
    return Operation(out);
}

struct Writer {
    json::object& out;

    void operator()(const Adopt& adopt) const {
        out["do"] = "adopt";
        out["serial"] = adopt.serial;
        out["name"] = adopt.name;
        out["profile"] = adopt.profile;
        if (!adopt.mac.empty()) out["mac"] = adopt.mac;
        if (!adopt.address.empty()) out["address"] = adopt.address;
    }

    void operator()(const Forget& forget) const {
        out["do"] = "forget";
        out["name"] = forget.name;
    }

    void operator()(const RollBack& back) const {
        out["do"] = "rollback";
        out["generation"] = back.generation;
    }
};

struct Describer {
    std::string operator()(const Adopt& adopt) const {
        return fmt::format(
            "adopt {} as {} with profile {}",
            ascii(adopt.serial),
            ascii(adopt.name),
            ascii(adopt.profile)
        );
    }

    std::string operator()(const Forget& forget) const { return "forget " + ascii(forget.name); }

    std::string operator()(const RollBack& back) const {
        return fmt::format("roll back to generation {}", back.generation);
    }
};

template <typename T>
Result<T> whole(Result<json::object> object, Result<T> (*take_all)(json::object&)) {
    if (!object) return tl::unexpected(object.error());
    Result<T> out = take_all(*object);
    if (!out) return out;
    if (const auto rest = nothing_else(*object); !rest) return tl::unexpected(rest.error());
    return out;
}

}  // namespace

std::string describe(const Operation& operation) {
    return std::visit(Describer{}, operation);
}

Result<Adopt> parse_adopt(std::string_view body) {
    return whole(parse_object(body), take_adopt);
}

Result<RollBack> parse_roll_back(std::string_view body) {
    return whole(parse_object(body), take_roll_back);
}

std::string to_line(const Asked& asked) {
    json::object out;
    out["token"] = asked.token;
    out["peer"] = asked.peer;
    std::visit(Writer{out}, asked.operation);
    return json::serialize(out);
}

Result<Asked> parse_asked(std::string_view line) {
    return whole<Asked>(parse_object(line), [](json::object& object) -> Result<Asked> {
        Asked out;
        auto taken = take(object, {{"token", &out.token}, {"peer", &out.peer}});
        if (!taken) return tl::unexpected(taken.error());
        auto operation = take_operation(object);
        if (!operation) return tl::unexpected(operation.error());
        out.operation = std::move(*operation);
        return out;
    });
}

std::string to_line(const Outcome& outcome) {
    return json::serialize(json::object{{"status", outcome.status}, {"message", outcome.message}});
}

Result<Outcome> parse_outcome(std::string_view line) {
    // A refusal may quote every problem of a large fleet file.
    constexpr std::size_t outcome_bytes_max = 1024 * 1024;
    json::error_code error;
    const json::value value =
        line.size() > outcome_bytes_max ? json::value() : json::parse(line, error);
    if (error || !value.is_object()) return fail("it is not a JSON object");
    const json::object& object = value.as_object();
    const json::value* status = object.if_contains("status");
    const json::value* message = object.if_contains("message");
    if (status == nullptr || !status->is_int64() || message == nullptr || !message->is_string()) {
        return fail("it does not say what came of it");
    }
    const std::int64_t number = status->as_int64();
    if (number < 200 || number > 599) return fail("its status is none");
    return Outcome{static_cast<unsigned>(number), std::string(message->as_string())};
}

bool is_token(std::string_view given, std::string_view expected) {
    unsigned difference = given.size() == expected.size() && !expected.empty() ? 0U : 1U;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const char c = given.empty() ? '\0' : given[i % given.size()];
        difference |= static_cast<unsigned char>(c) ^ static_cast<unsigned char>(expected[i]);
    }
    return difference == 0;
}

}  // namespace bramble::web
