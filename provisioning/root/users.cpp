#include "provisioning/root/users.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <sstream>

#include "provisioning/root/accounts.hpp"

namespace bramble::root {
namespace {

// userconf-pi's units: until somebody at the console has named a first user they keep the console,
// and put a banner before SSH.
constexpr auto wizard_units =
    std::to_array<const char*>({"userconfig.service", "userconf.service"});
constexpr const char* wizard_banner = "etc/ssh/sshd_config.d/rename_user.conf";

Result<std::string> read_or_empty(Tree& tree, const host::Path& relative) {
    const auto status = tree.status(relative);
    if (!status) return tl::unexpected(status.error());
    if (!*status) return std::string();
    auto text = tree.read_file(relative);
    // A link that leads nowhere counts as nothing there.
    if (!text && (*status)->kind == host::FileKind::symlink) return std::string();
    return text;
}

class UserWriter {
public:
    UserWriter(Tree& tree, const std::vector<fleet::User>& users) : tree_(tree), users_(users) {}

    Result<void> run();

private:
    bool exists(const host::Path& relative) const {
        const auto status = tree_.status(relative);
        return status && status->has_value();
    }

    Result<std::string> read_or_empty(const host::Path& relative) const {
        return root::read_or_empty(tree_, relative);
    }

    Result<void> write_user(UserDatabase& database, const fleet::User& user);
    Result<void> write_home(const fleet::User& user, const Account& account);
    Result<void> close_wizards();

    Tree& tree_;
    const std::vector<fleet::User>& users_;
};

Result<void> UserWriter::run() {
    if (users_.empty()) return {};
    UserDatabase database;
    const std::array<std::pair<const char*, std::string*>, 4> files = {
        {{"etc/passwd", &database.passwd},
         {"etc/shadow", &database.shadow},
         {"etc/group", &database.group},
         {"etc/gshadow", &database.gshadow}}};
    for (const auto& [file, text] : files) {
        auto read = read_or_empty(file);
        if (!read) return tl::unexpected(read.error());
        *text = std::move(*read);
    }
    const UserDatabase before = database;
    for (const fleet::User& user : users_)
        if (auto done = write_user(database, user); !done) return done;
    if (database == before) return close_wizards();
    for (const auto& [file, text] : files) {
        // shadow(5) is for root and its group (42 in Debian) alone.
        const bool secret = std::string_view(file).ends_with("shadow");
        if (text->empty()) continue;
        if (auto done = tree_.write_file(
                file, *text, secret ? 0640 : 0644, {0, secret ? gid_t{42} : gid_t{0}}
            );
            !done)
            return done;
    }
    return close_wizards();
}

Result<void> UserWriter::write_user(UserDatabase& database, const fleet::User& user) {
    const auto account = put_account(database, user, exists("bin/bash") ? "/bin/bash" : "/bin/sh");
    if (!account) return tl::unexpected(account.error());
    if (auto done = write_home(user, *account); !done) return done;
    // Who has no password cannot be asked for one.
    if (!user.sudo || user.password_hash || user.name == "root") return {};
    return tree_.write_file(
        "etc/sudoers.d/bramble-" + user.name,
        fmt::format("{} ALL=(ALL:ALL) NOPASSWD: ALL\n", user.name),
        0440
    );
}

Result<void> UserWriter::write_home(const fleet::User& user, const Account& account) {
    const host::Path home = host::Path(account.home).relative_path();
    if (home.empty()) return {};
    const host::Owner owner{account.uid, account.gid};
    if (!exists(home)) {
        if (auto done = tree_.make_directories(home, 0700, owner); !done) return done;
        const auto skeleton = tree_.list("etc/skel");
        for (const host::DirectoryEntry& entry :
             skeleton ? *skeleton : std::vector<host::DirectoryEntry>{}) {
            if (entry.kind != host::FileKind::regular) continue;
            const auto text = tree_.read_file(host::Path("etc/skel") / entry.name);
            if (!text) return tl::unexpected(text.error());
            if (auto done = tree_.write_file(home / entry.name, *text, 0644, owner); !done)
                return done;
        }
    }
    if (user.authorized_keys.empty()) return {};
    if (auto done = tree_.make_directories(home / ".ssh", 0700, owner); !done) return done;
    std::string keys;
    for (const std::string& key : user.authorized_keys) keys += key + '\n';
    return tree_.write_file(home / ".ssh/authorized_keys", keys, 0600, owner);
}

Result<void> UserWriter::close_wizards() {
    for (const char* unit : wizard_units) {
        if (!exists(host::Path("lib/systemd/system") / unit)) continue;
        const host::Path mask = host::Path("etc/systemd/system") / unit;
        if (auto done = tree_.symlink(mask, "/dev/null"); !done) return done;
    }
    return exists(wizard_banner) ? tree_.remove(wizard_banner) : Result<void>();
}

std::optional<std::uint32_t> number_of(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// The fields of the line that begins with `name` or has this number in its third field.
std::vector<std::string> find_line(const std::string& text, std::string_view name) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::vector<std::string> fields;
        std::istringstream rest(line);
        for (std::string field; std::getline(rest, field, ':');) fields.push_back(field);
        if (fields.size() >= 3 && (fields[0] == name || fields[2] == name)) return fields;
    }
    return {};
}

}  // namespace

Result<void> write_users(Tree& tree, const std::vector<fleet::User>& users) {
    if (users.empty()) return {};
    return UserWriter(tree, users).run();
}

Result<host::Owner> find_owner(Tree& tree, std::string_view owner) {
    const std::string_view user = owner.substr(0, owner.find(':'));
    const auto passwd = read_or_empty(tree, "etc/passwd");
    if (!passwd) return tl::unexpected(passwd.error());
    const auto line = find_line(*passwd, user);
    const auto uid = line.empty() ? number_of(user) : number_of(line[2]);
    if (!uid && user != "root") return fail(fmt::format("the root has no user '{}'", user));
    host::Owner found{uid.value_or(0), 0};
    if (line.size() > 3) found.gid = number_of(line[3]).value_or(0);
    if (user.size() == owner.size()) return found;
    const std::string_view group = owner.substr(user.size() + 1);
    const auto groups = read_or_empty(tree, "etc/group");
    if (!groups) return tl::unexpected(groups.error());
    const auto group_line = find_line(*groups, group);
    const auto gid = group_line.empty() ? number_of(group) : number_of(group_line[2]);
    if (!gid && group != "root") return fail(fmt::format("the root has no group '{}'", group));
    found.gid = gid.value_or(0);
    return found;
}

}  // namespace bramble::root
