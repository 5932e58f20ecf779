#include "provisioning/kernel/build.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "provisioning/kernel/debian_package.hpp"
#include "provisioning/kernel/gathering.hpp"
#include "provisioning/kernel/kconfig.hpp"
#include "provisioning/kernel/recipe.hpp"
#include "provisioning/kernel/source.hpp"

namespace bramble::kernel {
namespace {

constexpr std::uint64_t kconfig_bytes_max = 4U << 20U;
constexpr std::size_t release_bytes_max = 64;  // of utsname

struct Tool {
    std::string_view program;
    std::string_view package;
};

// One build from sources, from the tools to the gathered files.
class Build {
public:
    Build(const Order& order, const Workshop& workshop)
        : order_(order),
          kernel_(order.kernel),
          architecture_(architecture_of(order.kernel.arch)),
          workshop_(workshop),
          host_(workshop.host),
          objects_(workshop.staging / "build"),
          progress_(order.past) {}

    Result<Built> run() {
        return find_tools()
            .and_then([&] { return open_source(order_, workshop_); })
            .and_then([&](const Path& sources) {
                sources_ = sources;
                return check_clean();
            })
            .and_then([&] { return configure(); })
            .and_then([&] { return compile(); })
            .and_then([&] { return gather(); });
    }

private:
    void say(std::string_view line) const {
        if (workshop_.progress) workshop_.progress(line);
    }

    bool is_on(std::string_view option) const { return value_of(options_, option) == "y"; }

    Result<void> find_tools() const {
        const std::string compiler = fmt::format("{}gcc", architecture_.prefix);
        for (const auto& [program, package] : std::array<Tool, 6>{
                 {{"make", "make"},
                  {"gcc", "gcc"},  // for the programs that the build itself runs
                  {"flex", "flex"},
                  {"bison", "bison"},
                  {"bc", "bc"},
                  {compiler, architecture_.package}}}) {
            if (host_.has_program(program)) continue;
            return fail(fmt::format(
                "{} is missing: install the package {} (deploy/setup --for kernels installs all "
                "that kernels are built with)",
                program,
                package
            ));
        }
        return {};
    }

    // make refuses to build elsewhere what somebody configured in place.
    Result<void> check_clean() const {
        for (const char* trace : {".config", "include/config"}) {
            const auto found = host_.status(sources_ / trace);
            if (!found) return tl::unexpected(found.error());
            if (!*found) continue;
            return fail(fmt::format(
                "a kernel was configured in '{}' itself, so that it cannot be built elsewhere: run "
                "`make mrproper` there (and keep a copy of its .config)",
                sources_.string()
            ));
        }
        return {};
    }

    host::Command make(std::vector<std::string> targets) const {
        std::string compiler = fmt::format("{}gcc", architecture_.prefix);
        if (host_.has_program("ccache")) compiler = "ccache " + compiler;
        host::Command command;
        command.argv = {
            "make",
            "-C",
            sources_.string(),
            fmt::format("O={}", objects_.string()),
            fmt::format("ARCH={}", architecture_.make),
            fmt::format("CROSS_COMPILE={}", architecture_.prefix),
            fmt::format("CC={}", compiler),
            fmt::format("LOCALVERSION={}", release_suffix(order_.key)),
            // The same inputs give the same bytes.
            "KBUILD_BUILD_TIMESTAMP=Thu Jan 1 00:00:00 UTC 1970",
            "KBUILD_BUILD_USER=bramble",
            "KBUILD_BUILD_HOST=bramble",
            fmt::format("-j{}", workshop_.jobs)};
        command.argv.insert(command.argv.end(), targets.begin(), targets.end());
        command.own_processes = true;  // compilers never outlive us
        command.log = workshop_.log;
        command.stop = workshop_.stop;
        return command;
    }

    Result<void> run_logged(const host::Command& command, std::string_view what) const {
        const auto outcome = host_.run(command);
        if (!outcome) return tl::unexpected(outcome.error());
        if (outcome->exit_code == 0) return {};
        const auto log = host_.read_file(workshop_.log);
        return fail(fmt::format(
            "{} ended with exit code {} (the whole log: {}); from the failing line:\n{}",
            what,
            outcome->exit_code,
            workshop_.log.string(),
            failing_lines(log ? *log : outcome->errors)
        ));
    }

    Result<void> base_configuration() const {
        const std::string& base = kernel_.defconfig;
        if (base.find('/') == std::string::npos) {
            return run_logged(make({base}), fmt::format("make {}", base)).map_error([&](Error e) {
                if (base == "tinyconfig") return e;
                const Path place = sources_ / "arch" / architecture_.make / "configs" / base;
                const auto there = host_.status(place);
                if (!there || *there) return e;
                return Error{fmt::format(
                    "these sources have no defconfig '{}' for {} (look into '{}')",
                    base,
                    architecture_.make,
                    place.parent_path().string()
                )};
            });
        }
        const auto text = host_.read_file(base);
        if (!text) return tl::unexpected(text.error());
        return host_.write_file(objects_ / ".config", *text).and_then([&] {
            return run_logged(make({"olddefconfig"}), "make olddefconfig");
        });
    }

    Result<void> configure() {
        say(fmt::format("configuring: {} and {}", kernel_.defconfig, describe_asking()));
        if (auto made = host_.make_directories(objects_); !made) return made;
        if (auto based = base_configuration(); !based) return based;
        const Asking asking = asking_of(kernel_);
        Options fragment;
        for (const auto& [name, asked] : asking) fragment[name] = asked.value;
        fragment["LOCALVERSION_AUTO"] = "n";  // the release says the key, not git's state
        const Path path = workshop_.staging / "fragment.config";
        host::Command merge;
        merge.argv = {
            "sh",
            (sources_ / "scripts/kconfig/merge_config.sh").string(),
            "-m",
            "-O",
            objects_.string(),
            (objects_ / ".config").string(),
            path.string()};
        merge.log = workshop_.log;
        merge.stop = workshop_.stop;
        return host_.write_file(path, write_configuration(fragment))
            .and_then([&] { return run_logged(merge, "merge_config.sh"); })
            .and_then([&] { return run_logged(make({"olddefconfig"}), "make olddefconfig"); })
            .and_then([&] { return read_final(); })
            .and_then([&] { return compare(asking); });
    }

    std::string describe_asking() const {
        return fmt::format(
            "presets {}, {} option{}",
            kernel_.presets.empty() ? "none" : fmt::format("{}", fmt::join(kernel_.presets, " ")),
            kernel_.options.size(),
            kernel_.options.size() == 1 ? "" : "s"
        );
    }

    Result<void> read_final() {
        const auto text = host_.read_file(objects_ / ".config");
        if (!text) return tl::unexpected(text.error());
        auto options = parse_configuration(*text);
        if (!options) return fail(".config: " + options.error().message);
        options_ = std::move(*options);
        return {};
    }

    // Every option that was asked for is in the final configuration, or the build does not begin.
    Result<void> compare(const Asking& asking) {
        const std::vector<Lost> all = lost(asking, options_);
        if (all.empty()) return check_tools_of_options();
        std::set<std::string, std::less<>> names;
        for (const Lost& one : all) names.insert(one.name);
        const auto read = [&](const std::string& path) -> std::optional<std::string> {
            auto text = host_.read_file(sources_ / path, kconfig_bytes_max);
            return text ? std::optional(std::move(*text)) : std::nullopt;
        };
        const Kconfig kconfig =
            Kconfig::read(read, names, {{"SRCARCH", std::string(architecture_.make)}});
        std::string text = "options that were asked for did not survive:";
        for (const Lost& one : all) {
            const std::string_view word =
                one.asked.by == "options"
                    ? std::string_view(one.name)
                    : std::string_view(one.asked.by).substr(one.asked.by.rfind(' ') + 1);
            text += fmt::format(
                "\n{}{}={} ({}) came out as {}: {}",
                order_.fleet.place(place_of(order_.fleet, kernel_, word)),
                one.name,
                one.asked.value,
                one.asked.by,
                one.is,
                explain(one, kconfig, options_)
            );
        }
        return fail(text + "\nask for what they depend on under options:, or take them out");
    }

    Result<void> check_tools_of_options() const {
        if (is_on("DEBUG_INFO_BTF") && !host_.has_program("pahole")) {
            return fail("DEBUG_INFO_BTF needs pahole: install the package dwarves");
        }
        return {};
    }

    Result<void> compile() {
        std::vector<std::string> targets = {std::string(architecture_.image)};
        if (is_on("MODULES")) targets.emplace_back("modules");
        if (is_on("OF")) targets.emplace_back("dtbs");
        say(fmt::format("building {} with {} jobs", fmt::join(targets, ", "), workshop_.jobs));
        host::Command command = make(targets);
        const auto begun = host_.now();
        command.on_line = [&](std::string_view line) {
            const auto worth =
                progress_.on_line(line, std::chrono::duration_cast<Duration>(host_.now() - begun));
            if (worth) say(*worth);
        };
        return run_logged(command, fmt::format("make {}", fmt::join(targets, " ")));
    }

    Result<std::string> release() const {
        auto text = host_.read_file(objects_ / "include/config/kernel.release", 1U << 10U);
        if (!text) return text;
        text->erase(text->find_last_not_of(" \n") + 1);
        if (text->size() < release_bytes_max && !key_digits(*text).empty()) return text;
        return fail(fmt::format(
            "its release '{}' does not end with the build's key, or is longer than {} characters: "
            "make LOCALVERSION shorter",
            *text,
            release_bytes_max - 1
        ));
    }

    Result<Built> gather() {
        say("gathering kernel, modules and device trees");
        const auto named = release();
        if (!named) return tl::unexpected(named.error());
        Gathering gathering(workshop_);
        Built built;
        built.directory = gathering.directory();
        built.release = *named;
        built.options = options_;
        built.has_modules = is_on("MODULES");
        built.steps = progress_.steps();
        const Path boot = objects_ / "arch" / architecture_.make / "boot";
        return gathering.begin()
            .and_then([&] {
                return host_.copy_file(boot / architecture_.image, gathering.boot() / kernel_file);
            })
            .and_then([&](const auto&) { return gathering.add_device_trees(boot / "dts"); })
            .and_then([&] { return install_modules(gathering, built); })
            .and_then([&] { return gathering.add_configuration(objects_ / ".config"); })
            .map([&](const Options&) { return built; });
    }

    Result<void> install_modules(Gathering& gathering, const Built& built) {
        if (!built.has_modules) return {};
        const std::string place = gathering.modules().string();
        return host_.make_directories(gathering.modules() / "lib/modules" / built.release)
            .and_then([&] {
                return run_logged(
                    make({"INSTALL_MOD_PATH=" + place, "INSTALL_MOD_STRIP=1", "modules_install"}),
                    "make modules_install"
                );
            })
            .and_then([&] { return gathering.finish_modules(built.release); });
    }

    const Order& order_;
    const fleet::Kernel& kernel_;
    const Architecture& architecture_;
    const Workshop& workshop_;
    host::Host& host_;
    const Path objects_;
    Path sources_;
    Options options_;
    BuildProgress progress_;
};

struct LookUp {
    const fleet::Kernel& kernel;
    const Workshop& workshop;

    Result<std::string> operator()(const fleet::GitSource& git) const {
        return look_up_commit(git, workshop);
    }

    Result<std::string> operator()(const fleet::PathSource& /*path*/) const { return ""; }

    Result<std::string> operator()(const fleet::ArchiveSource& archive) const {
        return workshop.craft.fetch(archive.location, std::nullopt)
            .and_then([&](const Path& file) { return workshop.host.hash_file(file); })
            .map([](const host::HashedFile& file) { return file.digest.to_string(); });
    }

    Result<std::string> operator()(const fleet::DebSource& deb) const {
        return look_up_package(kernel, deb.package, workshop);
    }
};

}  // namespace

Result<Built> build(const Order& order, const Workshop& workshop) {
    const bool built = std::holds_alternative<fleet::DebSource>(order.kernel.source);
    return (built ? unpack_package(order, workshop) : Build(order, workshop).run())
        .map_error([&](const Error& error) {
            return Error{fmt::format(
                "{}kernel '{}': {}",
                order.fleet.place(order.kernel.where),
                order.kernel.name,
                error.message
            )};
        });
}

Result<std::string> look_up(const fleet::Kernel& kernel, const Workshop& workshop) {
    return std::visit(LookUp{kernel, workshop}, kernel.source).map_error([&](const Error& error) {
        return Error{fmt::format("kernel '{}': {}", kernel.name, error.message)};
    });
}

}  // namespace bramble::kernel
