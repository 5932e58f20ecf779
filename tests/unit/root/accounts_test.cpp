// passwd(5), shadow(5), group(5) as text.
#include "provisioning/root/accounts.hpp"

#include <gmock/gmock.h>

namespace bramble::root {
namespace {

using testing::HasSubstr;

UserDatabase debian() {
    return {
        "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/"
        "nologin\n",
        "root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n",
        "root:x:0:\nsudo:x:27:\nnogroup:x:65534:\n",
        "root:*::\nsudo:*::\nnogroup:*::\n"};
}

fleet::User user(const std::string& name) {
    fleet::User result;
    result.name = name;
    return result;
}

TEST(PutAccount, ANewUserGetsTheFirstFreeNumberAndALockedPassword) {
    UserDatabase database = debian();
    const auto account = put_account(database, user("lab"), "/bin/bash");
    ASSERT_TRUE(account);
    EXPECT_EQ(*account, (Account{1000, 1000, "/home/lab"}));
    EXPECT_EQ(database.passwd, debian().passwd + "lab:x:1000:1000::/home/lab:/bin/bash\n");
    EXPECT_EQ(database.shadow, debian().shadow + "lab:!::0:99999:7:::\n");
    EXPECT_EQ(database.group, debian().group + "lab:x:1000:\n");
    EXPECT_EQ(database.gshadow, debian().gshadow + "lab:!::\n");
}

TEST(PutAccount, TwiceIsOnce) {
    UserDatabase database = debian();
    fleet::User lab = user("lab");
    lab.sudo = true;
    lab.password_hash = "$6$salt$hash";
    ASSERT_TRUE(put_account(database, lab, "/bin/sh"));
    const UserDatabase once = database;
    EXPECT_EQ(put_account(database, lab, "/bin/sh")->uid, 1000U);
    EXPECT_EQ(database, once);
    EXPECT_THAT(database.group, HasSubstr("sudo:x:27:lab\n"));
    EXPECT_THAT(database.gshadow, HasSubstr("sudo:*::lab\n"));
    EXPECT_THAT(database.shadow, HasSubstr("lab:$6$salt$hash::0:99999:7:::\n"));
}

TEST(PutAccount, AKnownUserKeepsItsNumberAndHome) {
    UserDatabase database = debian();
    fleet::User root = user("root");
    root.password_hash = "$y$j9T$x";
    EXPECT_EQ(*put_account(database, root, "/bin/sh"), (Account{0, 0, "/root"}));
    EXPECT_THAT(database.shadow, HasSubstr("root:$y$j9T$x:19000:0:99999:7:::\n"));
    EXPECT_EQ(database.passwd, debian().passwd);
}

TEST(PutAccount, ANumberThatAGroupHasIsTaken) {
    UserDatabase database = debian();
    database.group += "lab-group:x:1000:\n";
    EXPECT_EQ(put_account(database, user("lab"), "/bin/sh")->uid, 1001U);
}

TEST(PutAccount, NamesAndHashesThatWouldBreakTheFileAreRefused) {
    for (const char* name : {"", "a:b", "a\nb", "Root", "-a", "1a", "a b", "../a"}) {
        UserDatabase database = debian();
        EXPECT_THAT(
            put_account(database, user(name), "/bin/sh").error().message, HasSubstr("no user name")
        ) << name;
        EXPECT_EQ(database, debian());
    }
    UserDatabase database = debian();
    fleet::User lab = user("lab");
    lab.password_hash = "x:0:0\nroot";
    EXPECT_THAT(
        put_account(database, lab, "/bin/sh").error().message, HasSubstr("no crypt(3) text")
    );
}

TEST(PutAccount, RunsOutOfNumbers) {
    UserDatabase database = debian();
    for (int id = 1000; id <= 59999; ++id)
        database.passwd += "u" + std::to_string(id) + ":x:" + std::to_string(id) + ":0::/:/\n";
    EXPECT_EQ(
        put_account(database, user("lab"), "/bin/sh").error().message,
        "no uid is left for user 'lab'"
    );
}

TEST(PutAccount, AUserJoinsItsGroupsOnceAndAMissingOneIsNamed) {
    UserDatabase database = debian();
    database.group += "video:x:44:sys\n";
    fleet::User lab = user("lab");
    lab.groups = {"video"};
    ASSERT_TRUE(put_account(database, lab, "/bin/sh"));
    ASSERT_TRUE(put_account(database, lab, "/bin/sh"));
    EXPECT_THAT(database.group, HasSubstr("video:x:44:sys,lab\n"));
    lab.groups = {"gpio"};
    EXPECT_THAT(
        put_account(database, lab, "/bin/sh").error().message,
        HasSubstr("the root has no group 'gpio'")
    );
}

}  // namespace
}  // namespace bramble::root
