// The initramfs's init, checked as text: every bound is named, and the shell accepts it.
#include <gmock/gmock.h>

#include <cstdio>

#include "provisioning/root/scripts.hpp"

namespace bramble::root {
namespace {

using testing::HasSubstr;

bool shell_accepts(std::string_view script) {
    FILE* shell = popen("sh -n", "w");
    if (shell == nullptr) return false;
    std::fwrite(script.data(), 1, script.size(), shell);
    return pclose(shell) == 0;
}

TEST(Scripts, AreShell) {
    EXPECT_TRUE(shell_accepts(init_script));
    EXPECT_TRUE(shell_accepts(udhcpc_script));
    EXPECT_TRUE(shell_accepts(report_up_script));
    EXPECT_FALSE(shell_accepts("if then"));  // the check can fail
}

TEST(Scripts, WaitsHaveBounds) {
    for (const char* bound :
         {"link_wait_s=60\n", "dhcp_rounds=8\n", "mount_rounds=8\n", "reboot_after_s=30\n"})
        EXPECT_THAT(std::string(init_script), HasSubstr(bound));
    EXPECT_THAT(std::string(report_up_script), HasSubstr("attempts_max=40\n"));
}

// What split_ip_setting makes of ip= (kernel documentation, nfsroot.rst), run by the shell itself.
std::string split(const std::string& setting) {
    const std::string script(init_script);
    const std::size_t begin = script.find("split_ip_setting() {");
    const std::size_t end = script.find("\n}\n", begin) + 3;
    const std::string command = "ip_setting='" + setting + "'\n" +
                                script.substr(begin, end - begin) +
                                "split_ip_setting\n"
                                "echo \"$address|$server|$gateway|$mask|$host|$device|$method\"\n";
    FILE* shell = popen(("sh <<'END'\n" + command + "END\n").c_str(), "r");
    std::array<char, 256> line{};
    if (std::fgets(line.data(), line.size(), shell) == nullptr) line[0] = '\0';
    pclose(shell);
    return line.data();
}

TEST(Scripts, TheStaticFormIsUnderstood) {
    EXPECT_EQ(
        split("172.16.1.3:172.16.1.1:172.16.1.254:255.255.255.0:pi-01:eth0:off"),
        "172.16.1.3|172.16.1.1|172.16.1.254|255.255.255.0|pi-01|eth0|static\n"
    );
    EXPECT_EQ(split("172.16.1.3:::255.255.255.0"), "172.16.1.3|||255.255.255.0|||static\n");
    EXPECT_EQ(split("::::pi-01:eth0:dhcp"), "||||pi-01|eth0|dhcp\n");
    EXPECT_EQ(split("172.16.1.3::::h:eth0:dhcp:1.1.1.1"), "||||h|eth0|dhcp\n");  // dhcp decides
}

}  // namespace
}  // namespace bramble::root
