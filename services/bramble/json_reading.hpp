// What serve answered, read leniently: a value that is not there is "-". It refuses to know what
// any of it means.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"

namespace bramble::program {

[[nodiscard]] Result<boost::json::object> parse_object(std::string_view text);

const boost::json::value* find(const boost::json::object& object, std::string_view key);
const boost::json::object* find_object(const boost::json::object& object, std::string_view key);

// Text as it is, numbers and truth values as JSON writes them; "-" for nothing, null and "".
std::string text_of(const boost::json::object& object, std::string_view key);

// 0 when it is no number; never beyond ±1e15, so that any integer holds it.
double number_of(const boost::json::object& object, std::string_view key);

template <typename Each>
void for_each_object(const boost::json::object& document, std::string_view key, Each each) {
    const boost::json::value* list = find(document, key);
    if (list == nullptr || !list->is_array()) return;
    for (const boost::json::value& value : list->get_array()) {
        if (value.is_object()) each(value.get_object());
    }
}

// Columns as wide as their widest text, no spaces at a line's end.
std::string render_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace bramble::program
