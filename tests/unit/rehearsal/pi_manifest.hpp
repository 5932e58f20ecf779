// A generation of three boards whose tree is Raspberry Pi OS's, in sizes. It refuses to have bytes.
#pragma once

#include "config/layout/manifest.hpp"

namespace bramble::rehearsal {

inline layout::ObjectFile object(std::uint64_t size) {
    return {Digest::of(std::to_string(size)), size};
}

inline layout::BoardEntry entry(const std::string& name, const std::string& config) {
    layout::BoardEntry board;
    board.name = name;
    board.serial = Serial(0x5b154510);
    board.tree = "lab";
    board.files["config.txt"] = layout::TextFile{config};
    board.files["cmdline.txt"] = layout::TextFile{"root=/dev/nfs nfsroot=172.16.1.1:/r ip=dhcp"};
    return board;
}

// Raspberry Pi OS brings firmware and kernels for all models; one board fetches its own.
inline layout::Manifest pi_manifest() {
    layout::Manifest out;
    out.generation = 3;
    out.trees["lab"] = {
        {"start.elf", object(2'900'000)},
        {"start4.elf", object(2'300'000)},
        {"fixup4.dat", object(5'000)},
        {"kernel.img", object(6'000'000)},
        {"kernel7l.img", object(7'000'000)},
        {"kernel8.img", object(9'000'000)},
        {"initramfs7l", object(11'000'000)},
        {"initramfs8", object(12'000'000)},
        {"bcm2711-rpi-4-b.dtb", object(56'000)}};
    out.boards = {
        entry("pi-01", "arm_64bit=1\nauto_initramfs=1\n"),
        entry("pi-02", "arm_64bit=0\n"),
        entry("vm-01", "")};
    out.boards[2].model = BoardModel::generic;
    return out;
}

}  // namespace bramble::rehearsal
