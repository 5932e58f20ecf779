// The description of the API holds what the router holds, no more and no less.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>
#include <string>

#include "tests/unit/web/web_case.hpp"

namespace bramble::web {
namespace {

namespace json = boost::json;

json::object description() {
    WebCase fleet;
    return json::parse(fleet.get("/api/v1/openapi.json").body).as_object();
}

std::string upper(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

TEST(OpenApi, EveryRouteIsDescribedAndNothingElse) {
    std::set<std::string> described;
    const json::object whole = description();
    for (const auto& [path, item] : whole.at("paths").as_object()) {
        for (const auto& [method, operation] : item.as_object()) {
            if (method != "parameters") described.insert(upper(method) + " " + std::string(path));
        }
    }
    std::set<std::string> there;
    for (const Route& route : routes()) {
        there.insert(std::string(route.method) + " " + std::string(route.path));
    }
    EXPECT_EQ(described, there);
}

TEST(OpenApi, WhatChangesSomethingSaysThatItAsksForTheToken) {
    const json::object whole = description();
    for (const auto& [path, item] : whole.at("paths").as_object()) {
        for (const auto& [method, operation] : item.as_object()) {
            if (method == "parameters" || method == "get") continue;
            const json::object& said = operation.as_object();
            EXPECT_EQ(json::serialize(said.at("security")), R"([{"operator":[]}])") << path;
            for (const char* status : {"200", "401", "403", "421"}) {
                EXPECT_TRUE(said.at("responses").as_object().contains(status)) << path << status;
            }
        }
    }
}

// A reference that leads nowhere would make every document valid.
void check_references(const json::value& value, const json::object& whole) {
    if (const auto* array = value.if_array()) {
        for (const json::value& item : *array) check_references(item, whole);
    }
    const auto* object = value.if_object();
    if (object == nullptr) return;
    for (const auto& [key, item] : *object) {
        if (key == "$ref") {
            boost::system::error_code error;
            const std::string_view to = item.as_string();
            ASSERT_TRUE(to.starts_with("#/"));
            json::value(whole).find_pointer(to.substr(1), error);
            EXPECT_FALSE(error) << to;
        } else {
            check_references(item, whole);
        }
    }
}

TEST(OpenApi, ReferencesLeadSomewhere) {
    const json::object whole = description();
    check_references(whole, whole);
}

}  // namespace
}  // namespace bramble::web
