#include "provisioning/image/debian.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "provisioning/boot/uboot_script.hpp"
#include "provisioning/image/debian_progress.hpp"
#include "provisioning/image/debian_sources.hpp"
#include "provisioning/image/foreign_script.hpp"
#include "provisioning/root/cpio.hpp"
#include "provisioning/root/initramfs.hpp"
#include "provisioning/root/scripts.hpp"

namespace bramble::image {

namespace {

// Raised when the steps below make another tree of the same settings.
constexpr int recipe = 2;

// In every image: what boots (kernel, init, udev), what the initramfs is packed from
// (busybox-static, kmod's lists), and what an operator reaches a board by (ssh, ip).
constexpr auto always = std::to_array<const char*>({
    "busybox-static",
    "iproute2",
    "kmod",
    "netbase",
    "openssh-server",
    "systemd-sysv",
    "udev",
});

// What depends on the processor. `kernel_file` and `initramfs_file` are the names that Raspberry Pi
// firmware looks for by itself (fact sheet 7.1).
struct Architecture {
    const char* name;
    const char* kernel_package;
    const char* emulator;  // of qemu-user-static and its binfmt.d file
    const char* kernel_file;
    const char* initramfs_file;
    boot::ScriptArch script;
};

constexpr auto architectures = std::to_array<Architecture>({
    {"arm64", "linux-image-arm64", "aarch64", "kernel8.img", "initramfs8", boot::ScriptArch::arm64},
    {"armhf", "linux-image-armmp", "arm", "kernel7l.img", "initramfs7l", boot::ScriptArch::arm},
});

Result<Architecture> find_architecture(const std::string& name) {
    for (const Architecture& known : architectures)
        if (name == known.name) return known;
    return fail(fmt::format("arch: {} is not known here (known: arm64, armhf)", name));
}

bool is_package_name(std::string_view name) {
    return name.size() > 1 && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.:") ==
                                  std::string_view::npos;
}

bool is_suite_name(std::string_view name) {
    return !name.empty() &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
               std::string_view::npos &&
           name.front() != '-';
}

Result<std::vector<std::string>> all_packages(
    const fleet::DebianSource& source, const Architecture& architecture
) {
    std::vector<std::string> packages(always.begin(), always.end());
    bool has_kernel = false;
    for (const std::string& package : source.packages) {
        if (!is_package_name(package)) return fail(fmt::format("'{}' is no package name", package));
        has_kernel = has_kernel || package.starts_with("linux-image-");
        packages.push_back(package);
    }
    if (!has_kernel) packages.emplace_back(architecture.kernel_package);
    std::sort(packages.begin(), packages.end());
    packages.erase(std::unique(packages.begin(), packages.end()), packages.end());
    return packages;
}

// VERSION_CODENAME of os-release(5).
std::string own_suite(host::Host& host) {
    const auto text = host.read_file("/etc/os-release", 1U << 16U);
    if (!text) return {};
    constexpr std::string_view key = "VERSION_CODENAME=";
    const std::size_t at = text->find(key);
    if (at == std::string::npos) return {};
    std::string value = text->substr(at + key.size(), text->find('\n', at) - at - key.size());
    std::erase(value, '"');
    return value;
}

Result<std::vector<std::string>> package_sources(
    const fleet::DebianSource& source, host::Host& host
) {
    if (!source.mirror.empty()) return std::vector<std::string>{source.mirror};
    host::Command ask;
    ask.argv = {
        "apt-get",
        "indextargets",
        "--format",
        std::string(indextargets_format),
        "Created-By: Packages"};
    const auto answer = run_or_fail(host, ask);
    if (!answer) return tl::unexpected(answer.error());
    auto lines = debian_sources(answer->output, own_suite(host), source.suite);
    if (lines.empty())
        return fail(
            "this machine has no Debian package sources to build from: add them to /etc/apt, or "
            "name one in the fleet file (mirror: URL)"
        );
    return lines;
}

// One build, from mmdebstrap to the boot files.
class Build {
public:
    Build(
        const fleet::DebianSource& source,
        const Architecture& architecture,
        const Workshop& workshop
    )
        : source_(source),
          architecture_(architecture),
          workshop_(workshop),
          host_(workshop.host),
          root_(workshop.staging / "root"),
          boot_(workshop.staging / "boot") {}

    Result<Ingested> run();

private:
    Result<void> make_root();
    Result<void> remove_traces();
    Result<std::string> find_release();
    Result<void> write_kernel(const std::string& release);
    Result<void> write_initramfs(const std::string& release);
    Result<void> collect_device_trees(const std::string& release);
    Result<void> collect_firmware();
    Result<void> write_boot_script();
    Result<void> collect(const Path& directory, std::string_view begin, std::string_view end);
    Result<host::Command> mmdebstrap_command(const Path& script);

    void say(std::string_view line) const {
        if (workshop_.progress) workshop_.progress(line);
    }

    const fleet::DebianSource& source_;
    const Architecture& architecture_;
    const Workshop& workshop_;
    host::Host& host_;
    const Path root_;
    const Path boot_;
};

Result<host::Command> Build::mmdebstrap_command(const Path& script) {
    const auto packages = all_packages(source_, architecture_);
    if (!packages) return tl::unexpected(packages.error());
    const auto sources = package_sources(source_, host_);
    if (!sources) return tl::unexpected(sources.error());
    host::Command command;
    command.argv = {
        "sh",
        script,
        architecture_.name,
        fmt::format("/usr/lib/binfmt.d/qemu-{}.conf", architecture_.emulator),
        "mmdebstrap",
        "--verbose",  // else apt and dpkg are silent for minutes
        "--mode=root",
        "--variant=minbase",
        fmt::format("--architectures={}", architecture_.name),
        // Its unprivileged downloader cannot reach a directory that only root may enter.
        "--aptopt=APT::Sandbox::User \"root\"",
        "--aptopt=Acquire::Retries \"3\"",
        // Every file costs a copy for each board; what a headless board never reads stays out.
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-include=/usr/share/locale/locale.alias",
        fmt::format("--include={}", fmt::join(*packages, ",")),
        source_.suite,
        root_};
    command.argv.insert(command.argv.end(), sources->begin(), sources->end());
    // INITRD=No: the suite's own initramfs, which nobody would load, takes minutes under emulation.
    command.environment = {{"INITRD", "No"}, {"DEBIAN_FRONTEND", "noninteractive"}};
    command.log = workshop_.log;
    command.stop = workshop_.stop;
    return command;
}

Result<void> Build::make_root() {
    for (const char* program : {"mmdebstrap", "arch-test"})
        if (!host_.has_program(program))
            return fail(fmt::format("{} is missing: install the package {}", program, program));
    const Path script = workshop_.staging / "run-foreign";
    if (auto done = host_.write_file(script, foreign_script); !done) return done;
    auto command = mmdebstrap_command(script);
    if (!command) return tl::unexpected(command.error());
    DebianProgress progress;
    command->on_line = [&](std::string_view line) {
        if (const auto worth = progress.on_line(line)) say(*worth);
    };
    say(fmt::format("building Debian {} for {} with mmdebstrap", source_.suite, source_.arch));
    if (auto ran = run_or_fail(host_, *command); !ran)
        return fail(
            fmt::format("{}\n(all of its output: {})", ran.error().message, workshop_.log.string())
        );
    return host_.remove_all(script);
}

// What the building machine left, and secrets that all boards would share.
Result<void> Build::remove_traces() {
    for (const char* path : {"etc/hostname", "etc/resolv.conf"})
        if (auto done = host_.remove_in(root_, path); !done) return done;
    const auto there = host_.list_in(root_, "etc/ssh");
    if (!there) return {};
    for (const host::DirectoryEntry& entry : *there)
        if (entry.name.starts_with("ssh_host_"))
            if (auto done = host_.remove_in(root_, Path("etc/ssh") / entry.name); !done)
                return done;
    return {};
}

// The kernel that the suite would boot: the one with a module directory whose name sorts last.
Result<std::string> Build::find_release() {
    const auto there = host_.list_in(root_, "lib/modules");
    if (!there || there->empty())
        return fail("the image has no kernel: name a linux-image package of the suite");
    return there->back().name;
}

Result<void> Build::write_kernel(const std::string& release) {
    const auto packed = host_.read_file_in(root_, Path("boot") / ("vmlinuz-" + release));
    if (!packed) return tl::unexpected(packed.error());
    // U-Boot's booti and the Raspberry Pi's firmware take the plain Image; Debian's is one since
    // 2023, other suites pack it.
    const auto image = root::decompress(*packed);
    if (!image) return fail(fmt::format("kernel {}: {}", release, image.error().message));
    if (auto done = host_.write_file(boot_ / "vmlinuz", *image); !done) return done;
    return host_.hard_link(boot_ / "vmlinuz", boot_ / architecture_.kernel_file);
}

Result<void> Build::write_initramfs(const std::string& release) {
    say("packing the initramfs of kernel " + release);
    const auto initramfs = root::build_initramfs(host_, root_, std::span(&release, 1));
    if (!initramfs) return tl::unexpected(initramfs.error());
    if (auto done = host_.write_file(boot_ / "initrd.img", initramfs->archive); !done) return done;
    return host_.hard_link(boot_ / "initrd.img", boot_ / architecture_.initramfs_file);
}

// Copies the files of a directory in the root whose names begin and end so; none there is fine.
Result<void> Build::collect(const Path& directory, std::string_view begin, std::string_view end) {
    const auto status = host_.status_in(root_, directory);
    if (!status) return tl::unexpected(status.error());
    if (!*status) return {};
    const auto there = host_.list_in(root_, directory);
    if (!there) return tl::unexpected(there.error());
    for (const host::DirectoryEntry& entry : *there) {
        if (entry.kind != host::FileKind::regular || !entry.name.starts_with(begin) ||
            !entry.name.ends_with(end))
            continue;
        const auto bytes = host_.read_file_in(root_, directory / entry.name);
        if (!bytes) return tl::unexpected(bytes.error());
        if (auto done = host_.write_file(boot_ / entry.name, *bytes); !done) return done;
    }
    return {};
}

// Device trees of the Raspberry Pis, by the names that their firmware asks for. The mainline kernel
// knows a CM4 by its carrier board.
Result<void> Build::collect_device_trees(const std::string& release) {
    const Path base = Path("usr/lib") / ("linux-image-" + release);
    for (const Path& directory : {base, base / "broadcom"})
        for (const char* begin : {"bcm27", "bcm283"})
            if (auto done = collect(directory, begin, ".dtb"); !done) return done;
    const Path carrier = boot_ / "bcm2711-rpi-cm4-io.dtb";
    const auto status = host_.status(carrier);
    if (!status) return tl::unexpected(status.error());
    if (!*status) return {};
    return host_.hard_link(carrier, boot_ / "bcm2711-rpi-cm4.dtb");
}

// start4.elf and its kin, where the image lists Debian's raspi-firmware among its packages.
Result<void> Build::collect_firmware() {
    return collect("usr/lib/raspi-firmware", "", "");
}

// U-Boot with no hands asks for this name alone; the script sends it on to pxelinux.cfg, which
// apply writes for each board.
Result<void> Build::write_boot_script() {
    return host_.write_file(
        boot_ / "boot.scr.uimg", boot::uboot_script(boot::pxe_script, architecture_.script)
    );
}

Result<Ingested> Build::run() {
    if (auto done = make_root(); !done) return tl::unexpected(done.error());
    if (auto done = remove_traces(); !done) return tl::unexpected(done.error());
    const auto release = find_release();
    if (!release) return tl::unexpected(release.error());
    if (auto done = host_.make_directories(boot_); !done) return tl::unexpected(done.error());
    for (const auto step :
         {&Build::write_kernel, &Build::write_initramfs, &Build::collect_device_trees})
        if (auto done = (this->*step)(*release); !done) return tl::unexpected(done.error());
    if (auto done = collect_firmware(); !done) return tl::unexpected(done.error());
    if (auto done = write_boot_script(); !done) return tl::unexpected(done.error());
    Ingested ingested;
    ingested.boot = boot_;
    ingested.root = root_;
    ingested.kernel_release = *release;
    ingested.initramfs_mounts_nfs4 = true;
    return ingested;
}

}  // namespace

Digest debian_key(const fleet::DebianSource& source) {
    std::vector<std::string> packages = source.packages;
    std::sort(packages.begin(), packages.end());
    return Digest::of(fmt::format(
        "debian {} {}\n{}{}\n{}\n{}\n{}\n{}",
        recipe,
        fmt::join(always, " "),
        root::init_script,  // the initramfs is made with the image
        root::udhcpc_script,
        source.suite,
        source.arch,
        source.mirror,
        fmt::join(packages, "\n")
    ));
}

Result<Ingested> ingest_debian(const fleet::DebianSource& source, const Workshop& workshop) {
    const auto architecture = find_architecture(source.arch);
    if (!architecture) return tl::unexpected(architecture.error());
    if (!is_suite_name(source.suite))
        return fail(fmt::format("'{}' is no Debian suite, such as bookworm", source.suite));
    return Build(source, *architecture, workshop).run();
}

}  // namespace bramble::image
