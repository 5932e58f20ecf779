// depmod(8): "module.ko: dependency.ko …", all paths below lib/modules/RELEASE.
#include "provisioning/root/kernel_modules.hpp"

#include <gmock/gmock.h>

namespace bramble::root {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view dep =
    "kernel/net/sunrpc/sunrpc.ko:\n"
    "kernel/fs/lockd/lockd.ko: kernel/net/sunrpc/sunrpc.ko\n"
    "kernel/fs/nfs/nfs.ko: kernel/fs/lockd/lockd.ko kernel/net/sunrpc/sunrpc.ko\n"
    "kernel/drivers/net/mdio/mdio-bcm-unimac.ko.xz:\n";

KernelModules::Selection select(
    std::string_view text, std::vector<std::string_view> names, std::string_view builtin = {}
) {
    const auto modules = KernelModules::parse(text, builtin);
    EXPECT_TRUE(modules);
    return modules->select(names).value();
}

std::string refusal(std::string_view text) {
    const auto modules = KernelModules::parse(text, "");
    return modules ? "accepted" : modules.error().message;
}

TEST(KernelModules, EachModuleComesAfterAllThatItNeedsAndOnce) {
    const auto selection = select(dep, {"nfs", "sunrpc", "lockd"});
    EXPECT_THAT(
        selection.load_order,
        ElementsAre(
            "kernel/net/sunrpc/sunrpc.ko", "kernel/fs/lockd/lockd.ko", "kernel/fs/nfs/nfs.ko"
        )
    );
    EXPECT_THAT(selection.absent, IsEmpty());
}

TEST(KernelModules, DashesAndUnderscoresAreTheSame) {
    EXPECT_THAT(
        select(dep, {"mdio_bcm_unimac"}).load_order,
        ElementsAre("kernel/drivers/net/mdio/mdio-bcm-unimac.ko.xz")
    );
    EXPECT_EQ(module_name("a/b/mdio-bcm-unimac.ko.zst"), "mdio_bcm_unimac");
    EXPECT_EQ(module_name("nfs.ko"), "nfs");
}

TEST(KernelModules, WhatIsBuiltInIsNeitherLoadedNorMissed) {
    const auto selection = select(dep, {"af_packet", "genet"}, "kernel/net/packet/af_packet.ko\n");
    EXPECT_THAT(selection.load_order, IsEmpty());
    EXPECT_THAT(selection.absent, ElementsAre("genet"));
}

TEST(KernelModules, ACircleIsAnErrorAndNoEndlessLoop) {
    const auto modules = KernelModules::parse("a.ko: b.ko\nb.ko: a.ko\n", "");
    ASSERT_TRUE(modules);
    const std::array<std::string_view, 1> names = {"a"};
    EXPECT_EQ(modules->select(names).error().message, "modules.dep: a needs itself");
}

TEST(KernelModules, TextThatLeadsOutOfTheDirectoryIsRefused) {
    EXPECT_THAT(refusal("../../etc/shadow.ko:\n"), HasSubstr("bad path"));
    EXPECT_THAT(refusal("/etc/a.ko:\n"), HasSubstr("bad path"));
    EXPECT_THAT(refusal("a.ko: ../b.ko\n"), HasSubstr("bad path"));
    EXPECT_THAT(refusal("a.ko b.ko\n"), HasSubstr("no colon"));
    EXPECT_EQ(refusal("a.ko: b.ko\n"), "modules.dep: a needs b, which has no line");
}

TEST(KernelModules, TheNumberOfModulesIsBounded) {
    std::string text;
    for (std::size_t i = 0; i <= KernelModules::modules_max; ++i)
        text += "m" + std::to_string(i) + ".ko:\n";
    EXPECT_THAT(refusal(text), HasSubstr("more than 20000 modules"));
}

}  // namespace
}  // namespace bramble::root
