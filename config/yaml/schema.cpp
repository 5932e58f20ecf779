#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "config/yaml/description.hpp"
#include "config/yaml/load.hpp"

namespace bramble::yaml {
namespace {

bool is_short(const json::value& value) {
    constexpr std::size_t line_max = 80;
    return !value.is_structured() || json::serialize(value).size() <= line_max;
}

void indent(std::string& out, std::size_t depth) {
    out += '\n';
    out.append(2 * depth, ' ');
}

// JSON with two blanks of indentation; what is short stays on one line.
void print(std::string& out, const json::value& value, std::size_t depth) {
    if (is_short(value)) {
        out += json::serialize(value);
        return;
    }
    const char* separator = "";
    if (const json::object* object = value.if_object()) {
        out += '{';
        for (const auto& entry : *object) {
            out += separator;
            indent(out, depth + 1);
            out += json::serialize(json::string(entry.key())) + ": ";
            print(out, entry.value(), depth + 1);
            separator = ",";
        }
        indent(out, depth);
        out += '}';
        return;
    }
    out += '[';
    for (const json::value& item : value.get_array()) {
        out += separator;
        indent(out, depth + 1);
        print(out, item, depth + 1);
        separator = ",";
    }
    indent(out, depth);
    out += ']';
}

}  // namespace

std::string json_schema() {
    json::object schema = {
        {"$schema", "https://json-schema.org/draft/2020-12/schema"},
        {"title", "Bramble fleet file"}};
    for (const auto& entry : fleet_file().schema) schema.emplace(entry.key(), entry.value());
    std::string out;
    print(out, schema, 0);
    return out + "\n";
}

}  // namespace bramble::yaml
