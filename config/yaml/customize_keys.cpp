#include <fmt/format.h>

#include <charconv>

#include "config/yaml/description.hpp"

namespace bramble::yaml {

using namespace fleet;

// Debian policy §5.6.7: at least two of [a-z0-9.+-]; apt also takes NAME:ARCH, NAME=VERSION,
// NAME/SUITE.
Type<std::string> package_type() {
    return line_like(
        "a Debian package's name (like fio)",
        "^[a-z0-9][a-z0-9.+-]+([:=/].+)?$",
        [](std::string_view text) {
            const std::string_view base = text.substr(0, text.find_first_of(":=/"));
            return base.size() >= 2 && text.size() <= 200 &&
                   text.find_first_of(" \t;&|$`'\"\\") == std::string_view::npos &&
                   ((base[0] >= 'a' && base[0] <= 'z') || (base[0] >= '0' && base[0] <= '9')) &&
                   base.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.+-") ==
                       std::string_view::npos;
        }
    );
}

namespace {

Type<std::string> unit_type() {
    return line_like(
        "a systemd unit's name (like ssh or fstrim.timer)",
        "^[A-Za-z0-9:_.@-]+$",
        [](std::string_view text) {
            return text.size() <= 255 &&
                   text.find_first_not_of(
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.\\@-"
                   ) == std::string_view::npos &&
                   !text.starts_with('-');
        }
    );
}

Type<std::string> root_path_key() {
    return converted<std::string>(
        absolute_path(),
        [](Reading& reading, const Value& value, const std::filesystem::path& read, auto& out) {
            if (!read.has_filename())
                return reading.error(value, "this names a directory, a file belongs here");
            out = read.string();
            return true;
        }
    );
}

// A text that remembers where it stood.
Type<Placed> placed(Type<std::string> type) {
    return converted<Placed>(
        std::move(type),
        [](Reading&, const Value& value, const std::string& read, Placed& out) {
            out = {read, value.at};
            return true;
        }
    );
}

// chmod(1)'s octal form; YAML's own numbers play no part, for 0644 means another one there.
Type<std::uint32_t> mode_type() {
    constexpr std::string_view wanted = "an octal mode (like 0644 or 4755)";
    return {
        [wanted](Reading& reading, const Value& value, std::uint32_t& out) {
            if (!expect_scalar(reading, value, wanted)) return false;
            const char* const end = value.text.data() + value.text.size();
            std::uint32_t mode = 0;
            const auto [last, error] = std::from_chars(value.text.data(), end, mode, 8);
            constexpr std::uint32_t mode_max = 07777;
            if (error != std::errc() || last != end || value.text.size() < 3 || mode > mode_max) {
                return reading.error(value, fmt::format("'{:.64}' is not {}", value.text, wanted));
            }
            out = mode;
            return true;
        },
        {{"type", {"string", "integer"}}, {"pattern", "^0?[0-7]{3,4}$"}}};
}

Type<std::string> owner_type() {
    const auto is_name = [](std::string_view text) {
        return !text.empty() && text.size() <= 32 && text.front() != '-' &&
               text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") ==
                   std::string_view::npos;
    };
    return line_like(
        "an owner (like root, pi:pi or 1000:1000)",
        "^[a-z0-9_][a-z0-9_-]*(:[a-z0-9_][a-z0-9_-]*)?$",
        [is_name](std::string_view text) {
            const std::size_t colon = text.find(':');
            return is_name(text.substr(0, colon)) &&
                   (colon == std::string_view::npos || is_name(text.substr(colon + 1)));
        }
    );
}

Type<RootFile> root_file_type() {
    using S = RootFile;
    auto by_path = converted<S>(
        path(),
        [](Reading&, const Value& value, const std::filesystem::path& read, S& out) {
            out.source = read;
            out.where = value.at;
            return true;
        }
    );
    auto by_keys = checked(
        object<S>(
            "a file",
            {key("source", &S::source, path(), "The file to put there."),
             key("content", &S::content, text_block(), "What it holds, in place of `source`."),
             key("mode", &S::mode, mode_type(), "0644 unless said, 0755 for an executable source."),
             key("owner", &S::owner, owner_type(), "User, or user:group; root unless said.")}
        ),
        [](Reading& reading, const Value& value, S& read) {
            read.where = value.at;
            return expect_one_of(reading, value, "a file", {"source", "content"});
        }
    );
    return scalar_or_map<S>(std::move(by_path), std::move(by_keys));
}

}  // namespace

Type<Customization> customize_type() {
    using S = Customization;
    return checked(
        object<S>(
            "customize",
            {key("packages",
                 &S::packages,
                 list(placed(package_type())),
                 "Packages to install, with all that they depend on."),
             key("remove",
                 &S::remove,
                 list(placed(package_type())),
                 "Packages to remove, with their configuration."),
             key("files",
                 &S::files,
                 map_of(root_path_key(), root_file_type()),
                 "Path in the root: file to put there."),
             key("users", &S::users, list(user_type(), 1000), "Users of all its roots."),
             key("enable", &S::enable, list(placed(unit_type())), "systemd units to enable."),
             key("disable", &S::disable, list(placed(unit_type())), "systemd units to disable."),
             key("run",
                 &S::run,
                 list(placed(text_block()), 1000),
                 "Commands to run inside the root, by sh -e, after all of the above.")}
        ),
        [](Reading&, const Value& value, S& read) {
            read.where = value.at;
            return true;
        }
    );
}

}  // namespace bramble::yaml
