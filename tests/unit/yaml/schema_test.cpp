// The JSON Schema says what the parser does: each of its properties is a key, each key is in the
// reference, and the examples are valid by it.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fstream>

#include "tests/unit/yaml/memory_files.hpp"

namespace bramble::yaml {
namespace {

namespace json = boost::json;

// A mapping of the schema, and how a file leads to it: "{images: {x: %}}".
void visit(
    const json::value& schema,
    const std::string& around,
    const std::function<void(const json::object&, const std::string&)>& each
) {
    const json::object& object = schema.as_object();
    const auto into = [&around](const std::string& inner) {
        std::string text = around;
        return text.replace(text.find('%'), 1, inner);
    };
    if (const json::value* forms = object.if_contains("anyOf")) {
        for (const json::value& form : forms->as_array()) visit(form, around, each);
    }
    if (const json::value* items = object.if_contains("items")) visit(*items, into("[%]"), each);
    if (const json::value* more = object.if_contains("additionalProperties");
        more && more->is_object())
        visit(*more, into("{x: %}"), each);
    if (const json::value* properties = object.if_contains("properties")) {
        each(properties->as_object(), around);
        for (const auto& one : properties->as_object())
            visit(one.value(), into("{" + std::string(one.key()) + ": %}"), each);
    }
}

TEST(SchemaTest, EachPropertyIsAKeyOfTheParser) {
    std::size_t properties = 0;
    visit(
        json::parse(json_schema()),
        "%",
        [&](const json::object& keys, const std::string& around) {
            for (const auto& one : keys) {
                std::string text = around;
                text.replace(
                    text.find('%'), 1, "{" + std::string(one.key()) + ": {}, no_such_key: 1}"
                );
                const std::string all = problems(text);
                EXPECT_EQ(
                    all.find("unknown key '" + std::string(one.key()) + "'"), std::string::npos
                ) << text;
                EXPECT_NE(all.find("unknown key 'no_such_key'"), std::string::npos) << text;
                ++properties;
            }
        }
    );
    EXPECT_GT(properties, 90U);
}

TEST(SchemaTest, EachPropertyIsExplainedAndStandsInTheReference) {
    std::ifstream file(std::string(BRAMBLE_SOURCE_DIR) + "/config/examples/reference.yaml");
    const std::string reference((std::istreambuf_iterator<char>(file)), {});
    visit(
        json::parse(json_schema()),
        "%",
        [&](const json::object& keys, const std::string& around) {
            for (const auto& one : keys) {
                EXPECT_TRUE(one.value().as_object().contains("description")) << around << one.key();
                EXPECT_NE(reference.find(std::string(one.key()) + ":"), std::string::npos)
                    << one.key();
            }
        }
    );
}

}  // namespace
}  // namespace bramble::yaml
