// A lab whose generation lies in memory, so that a test can spoil one thing of it. It refuses to
// judge what the rehearsal makes of that.
#pragma once

#include <map>
#include <stdexcept>

#include "services/rehearsal/rehearsal.hpp"

namespace bramble::rehearsal {

// Files and links of a root by their absolute path; directories are what stands before a name.
class MemoryRoot {
public:
    void file(const std::string& path, std::string text = "", std::uint32_t mode = 0644) {
        entries[path] = {{EntryKind::file, mode}, std::move(text)};
        parents(path);
    }

    void link(const std::string& path, std::string target) {
        entries[path] = {{EntryKind::symlink, 0777}, std::move(target)};
        parents(path);
    }

    void directory(const std::string& path) {
        entries[path] = {{EntryKind::directory, 0755}, ""};
        parents(path);
    }

    std::map<std::string, std::pair<RootEntry, std::string>> entries;

private:
    void parents(const std::string& path) {
        for (auto at = path.rfind('/'); at != 0; at = path.rfind('/', at - 1)) {
            entries.try_emplace(path.substr(0, at), RootEntry{EntryKind::directory, 0755}, "");
        }
    }
};

class MemoryTree final : public RootTree {
public:
    explicit MemoryTree(const MemoryRoot& root) : root_(root) {}

    std::string how() const override { return "looked at in memory"; }

    Result<std::optional<RootEntry>> status(const std::string& path) override {
        const auto found = root_.entries.find(path);
        if (found == root_.entries.end()) return std::optional<RootEntry>();
        return std::optional(found->second.first);
    }

    Result<std::string> read_link(const std::string& path) override {
        return root_.entries.at(path).second;
    }

    Result<std::string> read_file(const std::string& path) override {
        return root_.entries.at(path).second;
    }

    Result<std::vector<std::string>> list(const std::string& path) override {
        std::vector<std::string> names;
        for (const auto& [name, entry] : root_.entries) {
            if (!name.starts_with(path + "/")) continue;
            const std::string rest = name.substr(path.size() + 1);
            if (rest.find('/') == std::string::npos) names.push_back(rest);
        }
        return names;
    }

private:
    const MemoryRoot& root_;
};

class Lab final : public Evidence {
public:
    static constexpr const char* release = "6.1.0-56-arm64";

    Lab() {
        fleet_.appliance.interface = "eth1";
        fleet_.appliance.address = Ipv4Network::parse("172.16.1.1/24").value();
        fleet::Profile profile;
        profile.name = "lab";
        fleet_.profiles.push_back(profile);
        object("start4.elf", std::string(5000, 's'));
        object("fixup4.dat", "fixup");
        object("bcm2711-rpi-4-b.dtb", "device tree");
        object("kernel8.img", arm64_kernel());
        object("initramfs8", "initramfs");
        add_board("pi-01", 1);
        root.file("/usr/lib/systemd/systemd", "elf", 0755);
        root.link("/sbin", "usr/sbin");
        root.link("/lib", "usr/lib");
        root.link("/usr/sbin/init", "/lib/systemd/systemd");
        root.directory(std::string("/usr/lib/modules/") + release);
        root.file("/etc/fstab", "proc /proc proc defaults 0 0\n");
    }

    void add_board(const std::string& name, unsigned number) {
        fleet::Board board;
        board.name = name;
        board.serial = Serial(0x5b154500 + number);
        board.mac = MacAddress::parse("dc:a6:32:00:00:01").value();
        auto octets = board.mac->octets();
        octets[4] = static_cast<std::uint8_t>(number >> 8U);
        octets[5] = static_cast<std::uint8_t>(number);
        board.mac = MacAddress(octets);
        board.address = Ipv4Address(0xac100100U + 2 + number);
        board.profile = "lab";
        fleet_.boards.push_back(board);
        layout::BoardEntry entry;
        entry.name = name;
        entry.serial = board.serial;
        entry.mac = board.mac;
        entry.address = board.address;
        entry.profile = "lab";
        entry.tree = "lab";
        entry.tftp_prefixes = {board.serial->to_string() + "/"};
        entry.root = layout::Export{"/srv/" + name, "172.16.1.1", "3", false};
        entry.kernel_release = release;
        entry.files["config.txt"] = layout::TextFile{"arm_64bit=1\nauto_initramfs=1\n"};
        entry.files["cmdline.txt"] = layout::TextFile{
            "console=tty1 root=/dev/nfs nfsroot=172.16.1.1:/srv/" + name +
            ",vers=3,tcp rw ip=dhcp rootwait\n"};
        manifest_.boards.push_back(std::move(entry));
    }

    static std::string arm64_kernel(const std::string& of = release) {
        std::string bytes(4096, '\0');
        bytes.replace(56, 4, "ARM\x64");
        bytes.replace(1000, 200, "Linux version %s (x)");
        return bytes + "Linux version " + of + " (debian) #1 SMP";
    }

    static std::string arm_kernel() {
        std::string bytes(4096, '\0');
        bytes.replace(36, 4, "\x18\x28\x6f\x01");
        return bytes;
    }

    // A file that the boards of the profile share.
    void object(const std::string& path, const std::string& bytes) {
        const Digest digest = Digest::of(bytes);
        objects_[digest] = bytes;
        manifest_.trees["lab"][path] = layout::ObjectFile{digest, bytes.size()};
    }

    void remove(const std::string& path) { manifest_.trees["lab"].erase(path); }

    void text(const std::string& path, std::string text) {
        board().files[path] = layout::TextFile{std::move(text)};
    }

    void damage(const std::string& path) {
        const auto& file = std::get<layout::ObjectFile>(manifest_.trees["lab"].at(path));
        objects_[file.digest].assign(file.size, 'X');
    }

    void lose(const std::string& path) {
        objects_.erase(std::get<layout::ObjectFile>(manifest_.trees["lab"].at(path)).digest);
    }

    layout::BoardEntry& board() { return manifest_.boards.front(); }

    layout::Manifest& manifest() { return manifest_; }

    fleet::Fleet& fleet() { return fleet_; }

    Report rehearse(std::string_view firmware = "pi4-2023") {
        Rehearsal rehearsal(fleet_, manifest_, *this, virtual_board::find_profile(firmware));
        return rehearsal.rehearse(manifest_.boards.front());
    }

    // What `rehearse` says first: "STOPS kernel: …"; empty: nothing.
    std::string first(std::string_view firmware = "pi4-2023") {
        const Report report = rehearse(firmware);
        const Finding* found = report.first();
        if (found == nullptr) return "";
        return std::string(found->stops ? "STOPS " : "doubt ") +
               std::string(to_string(found->phase)) + ": " + found->sentence;
    }

    Result<std::shared_ptr<const tftp::Content>> open(const layout::ObjectFile& object) override {
        const auto found = objects_.find(object.digest);
        if (found == objects_.end()) return fail("no such object");
        ++opened;
        return std::make_shared<const tftp::Content>(tftp::Content{
            std::as_bytes(std::span(found->second))});
    }

    Result<std::string> unpacked(const tftp::Content& kernel) override {
        return std::string(reinterpret_cast<const char*>(kernel.bytes.data()), kernel.bytes.size());
    }

    Result<InitramfsFacts> initramfs(const tftp::Content& /*archive*/) override {
        return initramfs_facts;
    }

    Result<std::unique_ptr<RootTree>> mount(const RootWanted& wanted) override {
        ++mounts;
        if (!refusal.empty()) return fail(wanted.server + ":" + wanted.path + ": " + refusal);
        return std::make_unique<MemoryTree>(root);
    }

    MemoryRoot root;
    std::string refusal;
    Result<InitramfsFacts> initramfs_facts = InitramfsFacts{true, false};
    std::size_t opened = 0;
    std::size_t mounts = 0;

private:
    fleet::Fleet fleet_;
    layout::Manifest manifest_;
    std::map<Digest, std::string> objects_;
};

}  // namespace bramble::rehearsal
