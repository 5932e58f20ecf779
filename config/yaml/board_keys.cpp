#include <fmt/format.h>

#include <algorithm>

#include "config/types/boot_path.hpp"
#include "config/yaml/description.hpp"

namespace bramble::yaml {
namespace {

using namespace fleet;

// RFC 1123 §2.1: a board's name is its host name.
bool is_host_label(std::string_view text) {
    const auto is_inner = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-';
    };
    return text.size() <= 63 && std::ranges::all_of(text, is_inner) && text.front() != '-' &&
           text.back() != '-';
}

Result<TftpPrefix> parse_prefix(std::string_view text) {
    if (text == "serial") return SerialPrefix{};
    if (text == "mac") return MacPrefix{};
    // Fact sheet 2.4: TFTP_PREFIX_STR holds 32 characters, the slash that the user must write among
    // them.
    constexpr std::size_t prefix_max = 32;
    if (text.ends_with('/') && text.size() <= prefix_max &&
        is_boot_path(text.substr(0, text.size() - 1))) {
        return StringPrefix{std::string(text)};
    }
    return fail(fmt::format(
        "'{}' is not a TFTP prefix (known: serial, mac, or TFTP_PREFIX_STR as the EEPROM has it: "
        "up "
        "to {} characters that end with '/')",
        text,
        prefix_max
    ));
}

template <typename T>
Type<std::vector<T>> named(std::string what, Type<T> body) {
    const Type<std::string> key_type = name("a name of " + what);
    json::object schema = {
        {"type", {"object", "null"}},
        {"propertyNames", key_type.schema},
        {"additionalProperties", body.schema}};
    return {
        [what,
         key_type,
         body = std::move(body.read)](Reading& reading, const Value& value, std::vector<T>& out) {
            if (!expect_map(reading, value)) return false;
            bool good = true;
            for (const Entry& entry : value.entries) {
                const Value key{Value::Kind::scalar, entry.at, entry.key, {}, {}};
                const auto other = std::ranges::find(out, entry.key, &T::name);
                if (other != out.end()) {
                    good = reading.error(
                        key,
                        fmt::format(
                            "{} '{:.64}' is described at {} already (give one of them another "
                            "name)",
                            what,
                            entry.key,
                            reading.diagnostics().place(other->where)
                        )
                    );
                    continue;
                }
                const Reading::Step step(reading, fmt::format("[{}]", out.size()), entry.at);
                T read;
                good = key_type.read(reading, key, read.name) && good;
                good = body(reading, entry.value, read) && good;
                read.name = entry.key;
                read.where = entry.at;
                out.push_back(std::move(read));
            }
            return good;
        },
        std::move(schema)};
}

// A key of the file's top level, read into a part of the draft's fleet.
template <typename M>
Key<Draft> fleet_key(
    std::string_view name, M Fleet::*member, Type<M> type, std::string_view about
) {
    type.schema["description"] = about;
    return {
        name,
        false,
        [member, read = std::move(type.read)](Reading& reading, const Value& value, Draft& out) {
            return read(reading, value, out.fleet.*member);
        },
        std::move(type.schema)};
}

Key<Draft> version_key() {
    return {
        "version",
        false,
        [](Reading& reading, const Value& value, Draft& out) {
            if (!expect_scalar(reading, value, "the number 1")) return false;
            out.fleet.version = 1;
            if (value.text == "1") return true;
            return reading.error(
                value,
                fmt::format(
                    "'{:.64}' is not a version of this file that this program reads (write "
                    "version: "
                    "1)",
                    value.text
                )
            );
        },
        {{"const", 1}, {"description", "Version of this file's form."}}};
}

Key<Draft> appliance_key() {
    Type<Appliance> type = appliance_type();
    type.schema["description"] = "The machine that Bramble runs on.";
    return {
        "appliance",
        false,
        [read = std::move(type.read)](Reading& reading, const Value& value, Draft& out) {
            if (out.has_appliance) {
                return reading.error(
                    value,
                    fmt::format(
                        "`appliance` is described at {} already (keep one of the two)",
                        reading.diagnostics().place(out.fleet.appliance.where)
                    )
                );
            }
            out.has_appliance = true;
            out.fleet.appliance.where = value.at;
            return read(reading, value, out.fleet.appliance);
        },
        std::move(type.schema)};
}

Key<Draft> include_key() {
    auto entry = converted<Include>(
        line(),
        [](Reading& /*reading*/, const Value& value, std::string& read, Include& out) {
            out = {value.at, std::move(read)};
            return true;
        }
    );
    entry.schema = {{"type", "string"}, {"minLength", 1}};
    return key(
        "include",
        &Draft::includes,
        list(std::move(entry), 1000),
        "More files of this form; * and ? stand for any characters in the last part of a path."
    );
}

}  // namespace

Type<Board> board_type() {
    using S = Board;
    auto keys = object<S>(
        "a board",
        {required(
             key("name",
                 &S::name,
                 line_like(
                     "a host name (letters, digits and '-', up to 63, like pi-01)",
                     "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
                     is_host_label
                 ),
                 "Its host name.")
         ),
         key("serial",
             &S::serial,
             parsed<Serial>(
                 Serial::parse,
                 // Eight digits without quotes are a number to other readers of YAML.
                 {{"type", {"string", "number"}}, {"pattern", "^([0-9A-Fa-f]{8}|[0-9A-Fa-f]{16})$"}}
             ),
             "Its serial number: the last eight hex digits of /proc/cpuinfo's."),
         key("mac",
             &S::mac,
             parsed<MacAddress>(
                 MacAddress::parse,
                 {{"type", "string"}, {"pattern", "^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$"}}
             ),
             "Its Ethernet address."),
         key("address",
             &S::address,
             parsed<Ipv4Address>(
                 Ipv4Address::parse, {{"type", "string"}, {"pattern", "^[0-9]+(\\.[0-9]+){3}$"}}
             ),
             "Its own IP address; left out: one of the pool."),
         required(key("profile", &S::profile, name("a profile's name"), "One of `profiles`.")),
         key("model", &S::model, model_type(), "Kind of board; the profile's unless said."),
         key("cmdline", &S::cmdline, cmdline_type(), "Kernel parameters after the profile's."),
         key("config_txt",
             &S::config_txt,
             config_txt_type(),
             "Lines of config.txt after the profile's."),
         key("tftp_prefix",
             &S::tftp_prefix,
             parsed<TftpPrefix>(parse_prefix, {{"type", "string"}}),
             "How its EEPROM asks for files: serial (unless said), mac, or its TFTP_PREFIX_STR."),
         key("group", &S::group, group_type(), "PoE group or switch, for admission.")}
    );
    return {
        [read = std::move(keys.read)](Reading& reading, const Value& value, S& out) {
            out.where = value.at;
            return read(reading, value, out);
        },
        std::move(keys.schema)};
}

const Type<Draft>& fleet_file() {
    static const Type<Draft> type = object<Draft>(
        "a fleet file",
        {version_key(),
         appliance_key(),
         include_key(),
         fleet_key(
             "images", &Fleet::images, named("image", image_type()), "What boards boot, by name."
         ),
         fleet_key(
             "kernels",
             &Fleet::kernels,
             named("kernel", kernel_type()),
             "Kernels to build or fetch, by name."
         ),
         fleet_key(
             "profiles",
             &Fleet::profiles,
             named("profile", profile_type()),
             "What boards have in common, by name."
         ),
         fleet_key("boards", &Fleet::boards, list(board_type(), 20'000), "The boards.")}
    );
    return type;
}

}  // namespace bramble::yaml
