#include "provisioning/boot/pxelinux.hpp"

#include <gtest/gtest.h>

namespace bramble::boot {
namespace {

layout::BootTree tree_of(std::initializer_list<const char*> names) {
    layout::BootTree tree;
    for (const char* name : names) tree[name] = layout::ObjectFile{};
    return tree;
}

TEST(Pxelinux, NamesKernelInitramfsAndCommandLine) {
    EXPECT_EQ(
        make_pxelinux("guest", {"vmlinuz", "initrd.img"}, "console=ttyAMA0 root=/dev/nfs\n"),
        "# Written by Bramble for guest: change the fleet file, not this.\n"
        "DEFAULT bramble\n"
        "PROMPT 0\n"
        "LABEL bramble\n"
        "    KERNEL vmlinuz\n"
        "    INITRD initrd.img\n"
        "    APPEND console=ttyAMA0 root=/dev/nfs\n"
    );
}

TEST(Pxelinux, LeavesOutAnInitramfsThatIsNotThere) {
    EXPECT_EQ(make_pxelinux("guest", {"Image", ""}, "quiet").find("INITRD"), std::string::npos);
}

TEST(FindKernel, PrefersThePlainName) {
    EXPECT_EQ(
        find_kernel(tree_of({"vmlinuz", "vmlinuz-6.1.0-9-arm64", "initrd.img", "kernel8.img"})),
        (KernelFiles{"vmlinuz", "initrd.img"})
    );
}

TEST(FindKernel, PairsAVersionedKernelWithItsInitramfs) {
    EXPECT_EQ(
        find_kernel(
            tree_of({"vmlinuz-6.1.0-8-arm64", "vmlinuz-6.1.0-9-arm64", "initrd.img-6.1.0-9-arm64"})
        ),
        (KernelFiles{"vmlinuz-6.1.0-9-arm64", "initrd.img-6.1.0-9-arm64"})
    );
}

TEST(FindKernel, KnowsTheRaspberryPiNames) {
    EXPECT_EQ(
        find_kernel(tree_of({"kernel8.img", "initramfs8"})),
        (KernelFiles{"kernel8.img", "initramfs8"})
    );
    EXPECT_EQ(find_kernel(tree_of({"start4.elf"})), std::nullopt);
}

}  // namespace
}  // namespace bramble::boot
