// A root's user database as text (passwd(5), shadow(5), group(5), gshadow(5)) and how an account
// gets into it without running anything of that root. It refuses to know files and home
// directories.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/fleet/fleet.hpp"
#include "config/types/result.hpp"

namespace bramble::root {

struct UserDatabase {
    std::string passwd;
    std::string shadow;
    std::string group;
    std::string gshadow;  // empty: the root has none

    friend bool operator==(const UserDatabase&, const UserDatabase&) = default;
};

struct Account {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::string home;

    friend bool operator==(const Account&, const Account&) = default;
};

// Adds `user` (login.defs' first free uid from 1000 to 59999 with a group of its own, home
// /home/NAME) or finds it; then sets its password hash where the fleet gives one, and its
// membership of its groups and of "sudo". A new account without a hash is locked for passwords
// ("!"), not for keys. May be repeated. Errors: a name that useradd(8) would not take, a hash that
// is no crypt(3) text, a group that is not there, a passwd line that cannot be read, no uid left.
[[nodiscard]] Result<Account> put_account(
    UserDatabase& database, const fleet::User& user, std::string_view shell
);

}  // namespace bramble::root
