#include "config/yaml/description.hpp"

namespace bramble::yaml {
namespace {

using namespace fleet;

Type<std::string> user_name(std::string wanted) {
    return line_like(std::move(wanted), "^[a-z_][a-z0-9_-]{0,31}$", [](std::string_view text) {
        return text.size() <= 32 && ((text[0] >= 'a' && text[0] <= 'z') || text[0] == '_') &&
               text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") ==
                   std::string_view::npos;
    });
}

}  // namespace

Type<User> user_type() {
    using S = User;
    return object<S>(
        "a user",
        {required(
             key("name",
                 &S::name,
                 user_name("a user's name (like pi)"),
                 "Log-in name; root may stand here too.")
         ),
         key("password_hash",
             &S::password_hash,
             line_like(
                 "a crypt(3) hash (make one with `openssl passwd -6`)",
                 "^\\$[^: ]+$",
                 [](std::string_view text) {
                     return text.starts_with('$') &&
                            text.find_first_of(": ") == std::string_view::npos;
                 }
             ),
             "crypt(3) form; left out: no log-in by password."),
         key("authorized_keys", &S::authorized_keys, list(line(16384), 1000), "SSH keys."),
         key("sudo", &S::sudo, boolean(), "Whether the user may become root."),
         key("groups",
             &S::groups,
             list(user_name("a group's name (like gpio)"), 100),
             "Groups of the root that the user belongs to, beside its own.")}
    );
}

}  // namespace bramble::yaml
