#include "provisioning/apply/programs.hpp"

#include <deque>
#include <optional>
#include <set>

#include "provisioning/boot/file_facts.hpp"
#include "provisioning/boot/started.hpp"
#include "provisioning/plan/bases.hpp"

namespace bramble::apply {
namespace {

using host::Path;

std::deque<Path> parts_of(const Path& path) {
    std::deque<Path> parts;
    for (const Path& part : path.relative_path()) {
        if (!part.empty() && part != ".") parts.push_back(part);
    }
    return parts;
}

// As the board would walk it: links lead within the root. None: it cannot be told.
std::optional<bool> is_program(host::Host& host, const Path& root, const Path& program) {
    std::deque<Path> ahead = parts_of(program);
    Path at;
    host::FileStatus last;
    last.kind = host::FileKind::directory;
    for (int links = 0; !ahead.empty();) {
        const Path part = ahead.front();
        ahead.pop_front();
        if (part == "..") {
            at = at.parent_path();
            continue;
        }
        const auto status = host.status_in(root, at / part);
        if (!status) return std::nullopt;
        if (!*status) return false;
        last = **status;
        if (last.kind != host::FileKind::symlink) {
            at /= part;
            continue;
        }
        const auto target = host.read_link(root / at / part);
        if (!target || ++links > boot::links_max) return std::nullopt;
        if (target->is_absolute()) at.clear();
        const std::deque<Path> more = parts_of(*target);
        ahead.insert(ahead.begin(), more.begin(), more.end());
    }
    constexpr std::uint32_t executable = 0111;
    return last.kind == host::FileKind::regular && (last.mode & executable) != 0;
}

void add_init(const std::vector<std::string>& cmdline, std::set<std::string>& asked) {
    for (const std::string& parameter : cmdline) {
        std::string init = boot::cmdline_word(parameter, "init");
        if (!init.empty()) asked.insert(std::move(init));
    }
}

}  // namespace

void look_at_programs(
    const fleet::Fleet& fleet,
    const layout::StorePaths& paths,
    host::Host& host,
    plan::Observed& observed
) {
    for (const fleet::Board& board : fleet.boards) {
        const fleet::Profile* profile = fleet.find_profile(board.profile);
        if (profile == nullptr) continue;
        std::set<std::string> asked;
        add_init(profile->cmdline, asked);
        add_init(board.cmdline, asked);
        if (asked.empty()) continue;
        const auto base = plan::base_of(fleet, observed, *profile);
        if (!base) continue;
        const auto record = observed.images.find(base->key);
        if (record == observed.images.end() || !record->second.has_root) continue;
        const std::string name = plan::root_name(base->key);
        for (const std::string& init : asked) {
            auto& of_base = observed.base_programs[name];
            if (!of_base.contains(init)) {
                const auto there = is_program(host, paths.root(name), init);
                if (!there) continue;
                of_base[init] = *there;
            }
            if (of_base[init]) continue;
            const auto own = is_program(host, paths.board_root(board.name, name), init);
            if (own) observed.board_programs[board.name][init] = *own;
        }
    }
}

}  // namespace bramble::apply
