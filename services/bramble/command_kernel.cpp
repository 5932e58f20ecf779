#include "services/bramble/command_kernel.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>

#include "provisioning/apply/kernels.hpp"
#include "provisioning/host/real_host.hpp"
#include "provisioning/store/store.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

namespace json = boost::json;

constexpr std::size_t key_digits_shown = 12;  // as in `uname -r`

std::string shown(const Digest& key) {
    return key.to_string().substr(0, key_digits_shown);
}

// A kernel as one line of the list: of the fleet file, of the store, or of both.
struct KernelLine {
    std::string name;
    std::string state;  // "built", "not built", "no board runs it"; "earlier": asked for no longer
    Digest key;
    const plan::KernelRecord* record = nullptr;
    std::vector<std::string> profiles;
};

std::vector<std::string> profiles_with(const fleet::Fleet& fleet, const std::string& kernel) {
    std::vector<std::string> names;
    for (const fleet::Profile& profile : fleet.profiles) {
        if (profile.kernel == kernel) names.push_back(profile.name);
    }
    return names;
}

std::vector<KernelLine> lines_of(
    const fleet::Fleet& fleet,
    const apply::KernelLook& look,
    const std::vector<plan::KernelRecord>& built
) {
    std::vector<KernelLine> lines;
    const auto record_of = [&](const Digest& key) -> const plan::KernelRecord* {
        const auto found = std::find_if(built.begin(), built.end(), [&](const auto& record) {
            return record.key == key;
        });
        return found == built.end() ? nullptr : &*found;
    };
    for (const fleet::Kernel& kernel : fleet.kernels) {
        KernelLine line{kernel.name, "no board runs it", {}, nullptr, {}};
        line.profiles = profiles_with(fleet, kernel.name);
        const auto key = look.keys.find(kernel.name);
        if (key != look.keys.end()) {
            line.key = key->second;
            line.record = record_of(key->second);
            line.state = line.record == nullptr ? "not built" : "built";
        }
        lines.push_back(std::move(line));
    }
    for (const plan::KernelRecord& record : built) {
        const bool told = std::any_of(lines.begin(), lines.end(), [&](const KernelLine& line) {
            return line.record == &record;
        });
        if (!told) lines.push_back({record.name, "earlier", record.key, &record, {}});
    }
    return lines;
}

std::string render(const std::vector<KernelLine>& lines) {
    if (lines.empty()) return "the fleet file names no kernels, and none was built\n";
    std::string text;
    for (const KernelLine& line : lines) {
        text += fmt::format(
            "{}  {}{}\n",
            line.name,
            line.state,
            line.state == "no board runs it" ? "" : "  " + shown(line.key)
        );
        if (line.record != nullptr) {
            text += fmt::format(
                "    {} for {}, from {}\n",
                line.record->release,
                line.record->arch,
                line.record->source
            );
        }
        if (!line.profiles.empty()) {
            text += fmt::format("    profiles: {}\n", fmt::join(line.profiles, ", "));
        }
    }
    return text;
}

std::string render_json(const std::vector<KernelLine>& lines) {
    json::array kernels;
    for (const KernelLine& line : lines) {
        json::object one = {
            {"name", line.name},
            {"state", line.state},
            {"profiles", json::array(line.profiles.begin(), line.profiles.end())}};
        if (line.key != Digest{}) one["key"] = line.key.to_string();
        if (line.record != nullptr) {
            one["release"] = line.record->release;
            one["arch"] = line.record->arch;
            one["source"] = line.record->source;
            one["built_in_s"] = line.record->took_s;
            one["needs_initramfs"] = !line.record->mounts_root;
        }
        kernels.push_back(std::move(one));
    }
    return json::serialize(json::object{{"kernels", std::move(kernels)}}) + "\n";
}

// The fleet and what the store has of kernels.
struct Seen {
    fleet::Fleet fleet;
    std::vector<plan::KernelRecord> built;
    layout::StorePaths paths;
};

Result<Seen> look(const Invocation& invocation, host::Host& host, Exit& exit) {
    exit = Exit::no;
    auto loaded = load_fleet_with_enrolled(invocation.fleet_file);
    if (!loaded) return fail(loaded.error().message);
    exit = Exit::machine;
    const layout::StorePaths paths(loaded->fleet.appliance.store);
    auto built = store::Store(host, paths).kernels();
    if (!built) return tl::unexpected(built.error());
    return Seen{std::move(loaded->fleet), std::move(*built), paths};
}

// Of several builds that answer to one word the one that was made last; none: null.
template <typename Matches>
const plan::KernelRecord* latest(const std::vector<plan::KernelRecord>& built, Matches matches) {
    const plan::KernelRecord* found = nullptr;
    for (const plan::KernelRecord& record : built) {
        if (!matches(record)) continue;
        if (found == nullptr || record.built_at_s >= found->built_at_s) found = &record;
    }
    return found;
}

Exit list(const Invocation& invocation) {
    host::RealHost host;
    Exit exit = Exit::done;
    const auto seen = look(invocation, host, exit);
    if (!seen) return print_error(seen.error().message, exit);
    const apply::KernelLook kernels =
        apply::look_at_kernels(seen->fleet, store::Store(host, seen->paths));
    for (const plan::Problem& problem : kernels.problems) {
        print_error(seen->fleet.place(problem.where) + problem.message, Exit::done);
    }
    const auto lines = lines_of(seen->fleet, kernels, seen->built);
    print_result(invocation.json ? render_json(lines) : render(lines));
    return Exit::done;
}

// By name the latest attempt's log, which may have failed; by key that build's own.
Exit log(const Invocation& invocation, const std::string& kernel) {
    host::RealHost host;
    Exit exit = Exit::done;
    const auto seen = look(invocation, host, exit);
    if (!seen) return print_error(seen.error().message, exit);
    const auto* found = latest(seen->built, [&](const plan::KernelRecord& record) {
        return record.name == kernel || record.release == kernel ||
               (kernel.size() >= 6 && record.key.to_string().starts_with(kernel));
    });
    host::Path path;
    if (found != nullptr) path = store::kernel_path(seen->paths, found->key) / "log";
    if (kernel.find('/') == std::string::npos) {
        const host::Path latest =
            seen->paths.store() / "logs" / fmt::format("kernel-{}.log", kernel);
        const auto there = host.status(latest);
        if (there && *there) path = latest;
    }
    if (path.empty()) {
        return print_error(
            fmt::format("no kernel '{}' was built here: see `bramble kernel list`", kernel),
            Exit::no
        );
    }
    const auto text = host.read_file(path, host::Host::read_bytes_max);
    if (!text) return print_error(text.error().message, Exit::machine);
    print_result(*text);
    return Exit::done;
}

Exit which(const Invocation& invocation, const std::string& board) {
    host::RealHost host;
    Exit exit = Exit::done;
    const auto seen = look(invocation, host, exit);
    if (!seen) return print_error(seen.error().message, exit);
    const auto current = store::Store(host, seen->paths).current();
    if (!current) return print_error(current.error().message, Exit::machine);
    if (!*current) return print_error("nothing is published yet: run `bramble apply`", Exit::no);
    const layout::BoardEntry* entry = (*current)->find_board(board);
    if (entry == nullptr) {
        return print_error(
            fmt::format("the published generation has no board '{}'", board), Exit::no
        );
    }
    const auto* found = latest(seen->built, [&](const plan::KernelRecord& record) {
        return record.release == entry->kernel_release;
    });
    if (invocation.json) {
        json::object one = {{"board", board}, {"release", entry->kernel_release}};
        if (found != nullptr) {
            const host::Path place = store::kernel_path(seen->paths, found->key);
            one["kernel"] = found->name;
            one["key"] = found->key.to_string();
            one["source"] = found->source;
            if (!found->compiler.empty()) one["compiler"] = found->compiler;
            one["config"] = (place / "config").string();
            one["log"] = (place / "log").string();
        }
        print_result(json::serialize(one) + "\n");
        return Exit::done;
    }
    const std::string release =
        entry->kernel_release.empty() ? "a kernel of unknown release" : entry->kernel_release;
    if (found == nullptr) {
        print_result(fmt::format("{}: {}, its image's own\n", board, release));
        return Exit::done;
    }
    const std::string place = store::kernel_path(seen->paths, found->key).string();
    const std::string compiler =
        found->compiler.empty() ? "" : fmt::format("  built by {}\n", found->compiler);
    print_result(fmt::format(
        "{}: {}\n  kernel {} from {}\n{}  options: {}/config\n  log: {}/log\n",
        board,
        release,
        found->name,
        found->source,
        compiler,
        place,
        place
    ));
    return Exit::done;
}

}  // namespace

void add_kernel(CLI::App& app, Invocation& invocation) {
    CLI::App* command =
        app.add_subcommand("kernel", "The kernels that were built: which there are, who runs them");
    command->require_subcommand(1);
    command->footer(
        "Examples:\n"
        "  bramble kernel list\n"
        "  bramble kernel log verity          what its latest build printed\n"
        "  bramble kernel which pi-03         what that board boots, and what it was built from\n"
        "\n"
        "`uname -r` on a board ends with the first digits of its kernel's key: `bramble kernel "
        "log`\n"
        "takes them, too."
    );
    CLI::App* listing = command->add_subcommand("list", "Each kernel with its state and release");
    add_fleet_option(*listing, invocation);
    add_json_option(*listing, invocation, "One JSON object: kernels");
    listing->callback([&invocation] { invocation.exit = list(invocation); });

    auto name = std::make_shared<std::string>();
    CLI::App* logging = command->add_subcommand("log", "What a build printed");
    logging->add_option("KERNEL", *name, "A name, a key's first digits, or a release")->required();
    add_fleet_option(*logging, invocation);
    logging->callback([&invocation, name] { invocation.exit = log(invocation, *name); });

    auto board = std::make_shared<std::string>();
    CLI::App* asking = command->add_subcommand("which", "The kernel that a board boots");
    asking->add_option("BOARD", *board, "The board's name")->required();
    add_fleet_option(*asking, invocation);
    add_json_option(*asking, invocation, "One JSON object");
    asking->callback([&invocation, board] { invocation.exit = which(invocation, *board); });
}

}  // namespace bramble::program
