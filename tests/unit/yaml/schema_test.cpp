// The JSON Schema says what the parser does: each of its properties is a key, each key is in the
// reference, and the examples are valid by it.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

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

// What validate.py says of `files` by the schema: its exit code and its words.
std::pair<int, std::string> validate(const std::string& files) {
    const std::string here = std::string(BRAMBLE_SOURCE_DIR) + "/tests/unit/yaml/";
    const auto schema = std::filesystem::temp_directory_path() /
                        ("bramble-schema-" + std::to_string(::getpid()) + ".json");
    std::ofstream(schema) << json_schema();
    const std::string command =
        "python3 " + here + "validate.py " + schema.string() + " " + files + " 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    std::string words;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) words += static_cast<char>(c);
    const int status = ::pclose(pipe);
    std::filesystem::remove(schema);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, words};
}

constexpr int validator_missing = 77;

TEST(SchemaTest, TheExamplesAreValid) {
    const std::string examples = std::string(BRAMBLE_SOURCE_DIR) + "/config/examples/";
    const auto [code, words] = validate(
        examples + "lab.yaml " + examples + "first-boot.yaml " + examples + "reference.yaml " +
        examples + "boards.d/pi-02.yaml"
    );
    if (code == validator_missing) GTEST_SKIP() << words;
    EXPECT_EQ(code, 0) << words;
}

// What the schema calls wrong the parser does too.
TEST(SchemaTest, TheirOpinionsOfWrongFilesAgree) {
    const std::string head = "version: 1\nappliance: {interface: e, address: 10.0.0.1/24}\n";
    const std::vector<std::string> wrong = {
        "version: 2\n",
        "version: 1\nappliance: {interface: e}\n",
        head + "boards: [{name: a_b, serial: 00000001, profile: p}]\n",
        head + "boards: [{name: a, serial: '0000001', profile: p}]\n",
        head + "images: {a: {source: {file: x, debian: {suite: y}}}}\n",
        head + "images: {a: {source: {file: x, sha256: abc}}}\n",
        head + "profiles: {p: {image: a, root: {mode: x}}}\n",
        head + "profiles: {p: {image: a, config_txt: {'[pi4]': 1}}}\n",
        head + "kernels: {k: {source: {path: x}, options: {CONFIG_A: y}, defconfig: d}}\n",
        head + "no_such_key: 1\n"};
    std::string name = (std::filesystem::temp_directory_path() / "bramble-wrong-XXXXXX").string();
    const std::filesystem::path directory = ::mkdtemp(name.data());
    std::string files;
    for (std::size_t i = 0; i < wrong.size(); ++i) {
        const auto file = directory / (std::to_string(i) + ".yaml");
        std::ofstream(file) << wrong[i];
        files += file.string() + " ";
    }
    const auto [code, words] = validate(files);
    std::filesystem::remove_all(directory);
    if (code == validator_missing) GTEST_SKIP() << words;
    for (std::size_t i = 0; i < wrong.size(); ++i) {
        EXPECT_NE(words.find("/" + std::to_string(i) + ".yaml: "), std::string::npos) << wrong[i];
        EXPECT_FALSE(load_text(wrong[i]).fleet) << wrong[i];
    }
}

}  // namespace
}  // namespace bramble::yaml
