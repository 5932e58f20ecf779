#include "provisioning/root/accounts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <set>
#include <vector>

namespace bramble::root {

namespace {

constexpr std::uint32_t first_uid = 1000;
constexpr std::uint32_t last_uid = 59999;
constexpr std::size_t name_bytes_max = 32;

using Fields = std::vector<std::string>;

Fields split(std::string_view text, char separator) {
    Fields fields;
    while (true) {
        const std::size_t end = text.find(separator);
        fields.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return fields;
        text.remove_prefix(end + 1);
    }
}

std::string join(const Fields& fields, char separator) {
    std::string text;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i > 0) text += separator;
        text += fields[i];
    }
    return text;
}

// Lines of colon-separated fields; the first field is a name.
class Table {
public:
    explicit Table(std::string& text) : text_(text) {
        for (std::string& line : split(text, '\n'))
            if (!line.empty()) rows_.push_back(split(line, ':'));
    }

    Fields* find(std::string_view name) {
        const auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Fields& fields) {
            return fields.front() == name;
        });
        return row == rows_.end() ? nullptr : &*row;
    }

    void add(Fields fields) { rows_.push_back(std::move(fields)); }

    const std::vector<Fields>& rows() const { return rows_; }

    void store() {
        text_.clear();
        for (const Fields& fields : rows_) text_ += join(fields, ':') + '\n';
    }

private:
    std::string& text_;
    std::vector<Fields> rows_;
};

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_user_name(std::string_view name) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= name_bytes_max &&
           std::all_of(name.begin(), name.end(), allowed) && name.front() != '-' &&
           !(name.front() >= '0' && name.front() <= '9');
}

bool is_password_hash(std::string_view hash) {
    return std::all_of(hash.begin(), hash.end(), [](char c) {
        return c > ' ' && c < '\x7f' && c != ':';
    });
}

void join_group(Table& table, std::string_view group, const std::string& name) {
    Fields* row = table.find(group);
    if (row == nullptr || row->size() < 4) return;
    Fields members = split(row->at(3), ',');
    if (std::find(members.begin(), members.end(), name) != members.end()) return;
    row->at(3) += row->at(3).empty() ? name : "," + name;
}

Result<Account> account_of(const Fields& row) {
    if (row.size() >= 7)
        if (const auto uid = number(row[2]), gid = number(row[3]); uid && gid)
            return Account{*uid, *gid, row[5]};
    return fail(fmt::format("etc/passwd: cannot read the line of '{}'", row.front()));
}

// The first number that is neither a uid nor a gid, so that the new group can share it.
std::optional<std::uint32_t> free_id(const Table& passwd, const Table& group) {
    std::set<std::uint32_t> taken;
    for (const Table* table : {&passwd, &group})
        for (const Fields& row : table->rows())
            if (row.size() > 2)
                if (const auto id = number(row[2])) taken.insert(*id);
    for (std::uint32_t id = first_uid; id <= last_uid; ++id)
        if (!taken.contains(id)) return id;
    return std::nullopt;
}

}  // namespace

Result<Account> put_account(
    UserDatabase& database, const fleet::User& user, std::string_view shell
) {
    if (!is_user_name(user.name))
        return fail(fmt::format(
            "'{}' is no user name: lower-case letters, digits, '-' and '_', at most {} bytes",
            user.name,
            name_bytes_max
        ));
    if (user.password_hash && !is_password_hash(*user.password_hash))
        return fail(fmt::format(
            "the password hash of '{}' is no crypt(3) text: make one with mkpasswd or openssl "
            "passwd",
            user.name
        ));
    Table passwd(database.passwd);
    Table shadow(database.shadow);
    Table group(database.group);
    Table gshadow(database.gshadow);

    if (passwd.find(user.name) == nullptr) {
        const auto id = free_id(passwd, group);
        if (!id) return fail(fmt::format("no uid is left for user '{}'", user.name));
        const std::string text = std::to_string(*id);
        passwd.add({user.name, "x", text, text, "", "/home/" + user.name, std::string(shell)});
        group.add({user.name, "x", text, ""});
        if (!database.gshadow.empty()) gshadow.add({user.name, "!", "", ""});
    }
    if (shadow.find(user.name) == nullptr)  // never expires; last change unknown
        shadow.add({user.name, "!", "", "0", "99999", "7", "", "", ""});
    if (user.password_hash) shadow.find(user.name)->resize(9);
    if (user.password_hash) shadow.find(user.name)->at(1) = *user.password_hash;
    for (const std::string& name : user.groups) {
        if (group.find(name) == nullptr)
            return fail(fmt::format(
                "user '{}': the root has no group '{}': leave it out, or install the package that "
                "makes it",
                user.name,
                name
            ));
        join_group(group, name, user.name);
        join_group(gshadow, name, user.name);
    }
    if (user.sudo) {
        join_group(group, "sudo", user.name);
        join_group(gshadow, "sudo", user.name);
    }
    auto account = account_of(*passwd.find(user.name));
    if (!account) return account;
    passwd.store();
    shadow.store();
    group.store();
    gshadow.store();
    return account;
}

}  // namespace bramble::root
