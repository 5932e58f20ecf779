#include "services/bramble/changes.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "config/layout/store_paths.hpp"
#include "provisioning/host/real_host.hpp"
#include "services/bramble/fleet_loading.hpp"

namespace bramble::program {
namespace {

tl::unexpected<NotChanged> not_changed(std::string message, Exit exit) {
    return tl::unexpected(NotChanged{std::move(message), exit});
}

// It becomes a file's name and stands in quotes; the fleet's own checks say the rest.
bool is_plain(std::string_view word) {
    return !word.empty() && word.front() != '.' && std::ranges::all_of(word, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    });
}

// A board that serve enrolled by itself stands in the state, not in a file. False: there is none.
Result<bool> forget_enrolled(const fleet::Fleet& fleet, const std::string& name) {
    const auto database = layout::StorePaths(fleet.appliance.store).state_db();
    std::error_code ignored;
    if (!std::filesystem::exists(database, ignored)) return false;
    auto state = state::Store::open(database);
    if (!state) return tl::unexpected(state.error());
    const auto enrolled = state->adopted();
    if (!enrolled) return tl::unexpected(enrolled.error());
    if (std::ranges::none_of(enrolled->values, [&](const auto& b) { return b.name == name; })) {
        return false;
    }
    return state->forget(name).map([] { return true; });
}

}  // namespace

Result<NewBoard> board_of(const web::Adopt& typed) {
    const auto serial = Serial::parse(typed.serial);
    if (!serial) {
        return fail(fmt::format(
            "'{}' is not a serial number (eight hex digits, like 5b154510; `bramble boards` shows "
            "those that asked)",
            typed.serial
        ));
    }
    if (!is_plain(typed.name) || !is_plain(typed.profile)) {
        return fail("names are letters, digits, '-', '_' and '.'");
    }
    NewBoard board{typed.name, *serial, typed.profile, {}, {}};
    if (!typed.mac.empty()) {
        const auto mac = MacAddress::parse(typed.mac);
        if (!mac) return fail(fmt::format("'{}' is not a MAC (dc:a6:32:2e:f8:ed)", typed.mac));
        board.mac = *mac;
    }
    if (!typed.address.empty()) {
        const auto address = Ipv4Address::parse(typed.address);
        if (!address) {
            return fail(fmt::format("'{}' is not an address (172.16.1.3)", typed.address));
        }
        board.address = *address;
    }
    return board;
}

Result<Adopted, NotChanged> adopt(
    const std::filesystem::path& fleet_file, const web::Adopt& typed
) {
    const auto board = board_of(typed);
    if (!board) return not_changed(board.error().message, Exit::usage);
    host::RealHost host;
    yaml::DiskFiles files;
    Adopted out;
    out.file =
        adopted_file((files.current_directory() / fleet_file).lexically_normal(), board->name);
    const auto there = host.status(out.file);
    if (there && *there) {
        return not_changed(fmt::format("{} is there already", out.file.string()), Exit::no);
    }
    const auto fleet = fleet_with(fleet_file, *board, files);
    if (!fleet) return not_changed(fleet.error().message, Exit::no);
    out.boards = fleet->boards.size();
    std::error_code ignored;
    out.is_watched = std::filesystem::is_directory(out.file.parent_path(), ignored);
    const auto written = host.make_directories(out.file.parent_path()).and_then([&] {
        return host.write_file(out.file, adopted_text(*board), 0644);
    });
    if (!written) return not_changed(written.error().message, Exit::machine);
    return out;
}

Result<std::string, NotChanged> forget(
    const std::filesystem::path& fleet_file, const std::string& name
) {
    const auto loaded = load_fleet(fleet_file);
    if (!loaded) return not_changed(loaded.error().message, Exit::no);
    const fleet::Board* board = loaded->fleet.find_board(name);
    if (board == nullptr) {
        const auto was_enrolled = forget_enrolled(loaded->fleet, name);
        if (!was_enrolled) return not_changed(was_enrolled.error().message, Exit::machine);
        if (*was_enrolled) {
            return std::string("enrolled; `systemctl reload bramble` makes it so");
        }
        return not_changed(fmt::format("the fleet has no board '{}'", name), Exit::no);
    }
    const auto file = removable_file(loaded->fleet, *board, fleet_file);
    if (!file) return not_changed(file.error().message, Exit::no);
    host::RealHost host;
    if (const auto removed = host.remove_all(*file); !removed) {
        return not_changed(removed.error().message, Exit::machine);
    }
    return "removed " + file->string();
}

Result<apply::RolledBack, NotChanged> roll_back(
    const std::filesystem::path& fleet_file, std::optional<std::uint64_t> number
) {
    const auto loaded = load_fleet_with_enrolled(fleet_file);
    if (!loaded) return not_changed(loaded.error().message, Exit::no);
    host::RealHost host;
    auto done = apply::roll_back(loaded->fleet, number, host);
    if (!done) {
        return not_changed(done.error().message, done.error().refused ? Exit::no : Exit::machine);
    }
    return std::move(*done);
}

std::string describe(const Adopted& adopted, const std::string& name) {
    return fmt::format(
        "{}: {} is in the fleet, of {} boards now. {};\n"
        "`sudo bramble apply` makes what it boots from.",
        adopted.file.string(),
        name,
        adopted.boards,
        adopted.is_watched ? "A running serve takes it over by itself"
                           : "`systemctl reload bramble` tells a running serve"
    );
}

std::string describe_forgotten(const std::string& name, const std::string& from) {
    return fmt::format(
        "{} is forgotten ({}). Its root and its history stay until they are collected.", name, from
    );
}

std::string describe(const apply::RolledBack& done) {
    std::string text;
    for (const std::string& warning : done.warnings) text += "warning: " + warning + "\n";
    text += done.changed
                ? fmt::format(
                      "generation {} is current again (it was {}); a running serve takes "
                      "it over, boots that are under way end with what they began\n",
                      done.generation,
                      done.from
                  )
                : fmt::format("nothing to do: generation {} is current\n", done.generation);
    if (!done.as_fleet) {
        text +=
            "it was made of another fleet file: the next `bramble apply` publishes what the file "
            "says now, so put the file back as well\n";
    }
    return text;
}

}  // namespace bramble::program
