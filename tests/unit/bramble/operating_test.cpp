// The operator's token and what is done for whoever has it.
#include "services/bramble/operating.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "services/bramble/operator_token.hpp"

namespace bramble::program {
namespace {

namespace fs = std::filesystem;

struct OperatingTest : testing::Test {
    OperatingTest() {
        fs::create_directories(folder / "store");
        appliance.store = folder / "store";
    }

    ~OperatingTest() override { fs::remove_all(folder); }

    static void write(const fs::path& file, const std::string& text, mode_t mode) {
        std::ofstream(file) << text;
        ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    }

    fs::path folder =
        fs::temp_directory_path() / ("bramble-operating-" + std::to_string(::getpid()));
    fleet::Appliance appliance;
};

TEST_F(OperatingTest, ATokenIsMadeOnceForItsOwnerAlone) {
    const auto token = read_or_make_operator_token(appliance);
    ASSERT_TRUE(token) << token.error().message;
    EXPECT_EQ(token->size(), 64U);
    const fs::path file = operator_token_file(appliance);
    EXPECT_EQ(file, folder / "store/operator.token");

    struct stat status {};

    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_EQ(*read_or_make_operator_token(appliance), *token);
    EXPECT_EQ(*read_token(file), *token);
    fs::remove(file);
    EXPECT_NE(*read_or_make_operator_token(appliance), *token);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder / "store"), {}), 1)
        << "nothing beside it";
}

TEST_F(OperatingTest, ATokenThatOthersMayReadOrThatIsNoneIsRefused) {
    const fs::path file = folder / "token";
    appliance.admin.token_file = file;
    EXPECT_FALSE(read_or_make_operator_token(appliance)) << "a file that was named is not made";
    write(file, "a token of the operator \r\nmore\n", 0600);
    EXPECT_EQ(*read_or_make_operator_token(appliance), "a token of the operator");
    for (const mode_t mode : {0644U, 0640U, 0606U, 0660U}) {
        write(file, "a token of the operator\n", mode);
        const auto read = read_token(file);
        ASSERT_FALSE(read) << mode;
        EXPECT_NE(read.error().message.find("chmod 600"), std::string::npos);
    }
    ::chmod(file.c_str(), 0600);
    for (const std::string& text : {std::string(), std::string("short\n"), std::string(300, 'a')}) {
        write(file, text, 0600);
        EXPECT_FALSE(read_token(file)) << text;
    }
    fs::create_symlink(file, folder / "link");
    EXPECT_FALSE(read_token(folder / "link"));
    EXPECT_FALSE(read_token(folder));
}

TEST_F(OperatingTest, NothingIsDoneWithoutTheToken) {
    write(folder / "token", "a token of the operator\n", 0600);
    write(folder / "fleet.yaml", "version: 1\n", 0644);
    const Operating operating(folder / "fleet.yaml", folder / "token");
    const web::Adopt adopt{"not hex", "pi-07", "lab", "", ""};
    EXPECT_EQ(operating.carry_out({"", "peer", adopt}).status, 401U);
    EXPECT_EQ(operating.carry_out({"a token of the operatoR", "peer", adopt}).status, 401U);
    EXPECT_EQ(operating.carry_out({"a token of the operator", "peer", adopt}).status, 400U);
    EXPECT_EQ(
        operating.carry_out({"a token of the operator", "peer", web::Forget{"x"}}).status, 409U
    );
    EXPECT_FALSE(fs::exists(folder / "boards.d"));
    fs::remove(folder / "token");
    EXPECT_EQ(operating.carry_out({"a token of the operator", "peer", adopt}).status, 500U);
}

}  // namespace
}  // namespace bramble::program
