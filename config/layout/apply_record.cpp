#include "config/layout/apply_record.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

namespace bramble::layout {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr std::size_t text_max = 4096;
constexpr std::int64_t number_max = 1LL << 43;  // milliseconds until the year 2248: no overflow

std::int64_t whole_milliseconds(Duration span) {
    return std::chrono::duration_cast<milliseconds>(span).count();
}

// Takes one number, or says which field has none.
struct Fields {
    const json::object& object;
    std::string wrong;

    std::int64_t number(std::string_view key) {
        const json::value* value = object.if_contains(key);
        const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
        if (number != nullptr && *number >= 0 && *number <= number_max) return *number;
        if (wrong.empty()) wrong = key;
        return 0;
    }

    std::uint64_t count(std::string_view key) { return static_cast<std::uint64_t>(number(key)); }

    bool flag(std::string_view key) {
        const json::value* value = object.if_contains(key);
        const bool* flag = value == nullptr ? nullptr : value->if_bool();
        if (flag == nullptr && wrong.empty()) wrong = key;
        return flag != nullptr && *flag;
    }
};

}  // namespace

std::string write_apply_record(const ApplyRecord& record) {
    const json::object out = {
        {"succeeded", record.succeeded},
        {"ended_ms", whole_milliseconds(record.ended.time_since_epoch())},
        {"took_ms", whole_milliseconds(record.took)},
        {"steps", record.steps},
        {"steps_done", record.steps_done},
        {"warnings", record.warnings}};
    return json::serialize(out) + "\n";
}

Result<ApplyRecord> parse_apply_record(std::string_view text) {
    if (text.size() > text_max) return fail("apply record: longer than any: run `bramble apply`");
    boost::system::error_code error;
    const json::value parsed = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !parsed.is_object()) {
        return fail("apply record: not a JSON object: run `bramble apply`");
    }
    Fields fields{parsed.get_object(), {}};
    ApplyRecord record;
    record.succeeded = fields.flag("succeeded");
    record.ended = TimePoint(milliseconds(fields.number("ended_ms")));
    record.took = milliseconds(fields.number("took_ms"));
    record.steps = fields.count("steps");
    record.steps_done = fields.count("steps_done");
    record.warnings = fields.count("warnings");
    if (!fields.wrong.empty()) {
        return fail("apply record: " + fields.wrong + " is missing or wrong: run `bramble apply`");
    }
    return record;
}

}  // namespace bramble::layout
