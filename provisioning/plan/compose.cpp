#include "provisioning/plan/compose.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/layout/up_report.hpp"
#include "provisioning/boot/cmdline.hpp"
#include "provisioning/boot/config_txt.hpp"
#include "provisioning/boot/lint.hpp"
#include "provisioning/boot/pxelinux.hpp"
#include "provisioning/boot/shared_root.hpp"
#include "provisioning/plan/held.hpp"
#include "provisioning/plan/plan.hpp"
#include "provisioning/plan/scope.hpp"

namespace bramble::plan {
namespace {

const ImageRecord no_image;

class Composer {
public:
    Composer(const fleet::Fleet& fleet, const Observed& observed, const layout::StorePaths& store)
        : fleet_(fleet), observed_(observed), store_(store) {}

    Composition run() {
        result_.manifest.fleet = fleet::fleet_digest(fleet_);
        for (const fleet::Profile* profile : profiles_in_use(fleet_)) add_profile(*profile);
        for (const fleet::Board& board : fleet_.boards) {
            if (observed_.held.contains(board.name)) continue;
            if (const auto* profile = fleet_.find_profile(board.profile))
                add_board(board, *profile);
        }
        std::sort(
            result_.manifest.boards.begin(),
            result_.manifest.boards.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; }
        );
        if (!observed_.held.empty()) hold();
        return std::move(result_);
    }

private:
    void hold() {
        const auto clashes =
            hold_boards(result_.manifest, observed_.current, observed_.held, incomplete_);
        for (const std::string& clash : clashes) result_.problems.push_back({{}, clash, true});
    }

    // What the profile's image became; nullptr: not in the store yet.
    const ImageRecord* record_of(const fleet::Profile& profile) const {
        if (profile.image.empty() && !profile.kernel) return &no_image;
        const auto base = base_of(fleet_, observed_, profile);
        if (!base) return nullptr;
        const auto record = observed_.images.find(base->key);
        return record == observed_.images.end() ? nullptr : &record->second;
    }

    // What has to be made before the profile's boards have all that they need.
    void note_missing(const fleet::Profile& profile) {
        const auto source = observed_.sources.find(profile.image);
        const bool has_image =
            source != observed_.sources.end() && observed_.images.contains(source->second);
        if (!profile.image.empty() && !has_image) result_.missing.insert(profile.image);
        if (!profile.kernel) return;
        const auto key = observed_.kernels.find(*profile.kernel);
        if (key == observed_.kernels.end()) return;  // observe has said why
        if (!observed_.built_kernels.contains(key->second)) {
            result_.missing_kernels.insert(*profile.kernel);
        }
        if (const auto base = base_of(fleet_, observed_, profile)) {
            result_.missing_bases.emplace(base->key, *base);
        }
    }

    void add_profile(const fleet::Profile& profile) {
        const ImageRecord* record = record_of(profile);
        if (!profile.image.empty()) result_.images.insert(profile.image);
        if (record == nullptr) {
            note_missing(profile);
            incomplete_.insert(profile.name);
        }
        layout::BootTree& tree = result_.manifest.trees[profile.name];
        if (record != nullptr) tree = record->files;
        // They come again as texts of each board.
        tree.erase("config.txt");
        tree.erase("cmdline.txt");
        for (const auto& [path, source] : profile.boot_files) {
            const auto file = observed_.boot_files.find(source);
            if (file == observed_.boot_files.end()) continue;
            tree[path] = file->second;
            if (!observed_.objects.contains(file->second.digest)) incomplete_.insert(profile.name);
        }
        if (is_shared(profile, record)) add_initramfs(profile, tree);
    }

    bool is_shared(const fleet::Profile& profile, const ImageRecord* record) const {
        return profile.root.mode == fleet::RootMode::shared && has_root(profile, record);
    }

    // Until it is made, and what it is can be told, its place is held by a file that nothing
    // equals.
    void add_initramfs(const fleet::Profile& profile, layout::BootTree& tree) {
        const auto from = base_of(fleet_, observed_, profile);
        if (!from) return;
        const std::string base = root_name(from->key);
        result_.shared[base] = profile.image;
        const auto made = observed_.initramfs.find(base);
        if (made == observed_.initramfs.end()) incomplete_.insert(profile.name);
        tree[std::string(boot::shared_initramfs)] =
            made == observed_.initramfs.end() ? layout::ObjectFile{} : made->second;
    }

    // Whether boards of the profile mount a root; an image not yet seen is taken to have one.
    bool has_root(const fleet::Profile& profile, const ImageRecord* record) const {
        if (profile.root.mode == fleet::RootMode::none || profile.image.empty()) return false;
        if (record != nullptr) return record->has_root;
        const fleet::Image* image = fleet_.find_image(profile.image);
        if (image == nullptr) return false;
        const auto* directory = std::get_if<fleet::DirectorySource>(&image->source);
        return directory == nullptr || directory->root.has_value();
    }

    layout::Export export_of(
        const fleet::Board& board, const fleet::Profile& profile, const std::string& base
    ) const {
        layout::Export root;
        root.server = fleet_.appliance.address.address().to_string();
        root.read_only = profile.root.mode == fleet::RootMode::shared;
        root.path = root.read_only ? store_.root(base) : store_.board_root(board.name, base);
        root.nfs_version = profile.root.nfs_version;
        if (const auto* nas = std::get_if<fleet::NfsExternal>(&fleet_.appliance.nfs)) {
            root.server = nas->server;
            root.path = nas->path / root.path.lexically_relative(store_.store());
        }
        return root;
    }

    void add_root(
        const fleet::Board& board, const fleet::Profile& profile, layout::BoardEntry& entry
    ) {
        const auto from = base_of(fleet_, observed_, profile);
        if (!from) return;
        const std::string base = root_name(from->key);
        entry.root = export_of(board, profile, base);
        root::Identity identity;
        identity.hostname = board.name;
        identity.address = board.address;
        identity.server = fleet_.appliance.address.address();
        identity.root = *entry.root;
        identity.up_url = layout::up_report_url(identity.server, board.name);
        identity.users = profile.users;
        identity.mac = board.mac;
        identity.dns = fleet_.appliance.dhcp.dns;
        identity.domain = fleet_.appliance.dhcp.domain;
        std::string made_of = "image " + profile.image;
        if (profile.kernel) made_of += ", kernel " + *profile.kernel;
        WantedRoot wanted{base, profile.image, std::move(made_of), std::move(identity)};
        if (entry.root->read_only) {
            add_layer(std::move(wanted), entry);
        } else {
            result_.roots[board.name] = std::move(wanted);
        }
    }

    // As with the initramfs: what is not made yet stands there as what nothing equals.
    void add_layer(WantedRoot wanted, layout::BoardEntry& entry) {
        const auto packed = observed_.packed_identities.find(entry.name);
        const bool made = packed != observed_.packed_identities.end() &&
                          packed->second.base == wanted.base &&
                          packed->second.identity == root::identity_key(wanted.identity);
        entry.files[std::string(boot::shared_identity)] =
            made ? packed->second.archive : layout::ObjectFile{};
        result_.layers[entry.name] = std::move(wanted);
    }

    // Where the initramfs fetches it: from the appliance, whoever serves the root.
    std::string identity_url(const layout::BoardEntry& entry) const {
        return fmt::format(
            "tftp://{}/{}{}",
            fleet_.appliance.address.address().to_string(),
            entry.tftp_prefixes.empty() ? "" : entry.tftp_prefixes.front(),
            boot::shared_identity
        );
    }

    void add_texts(
        const fleet::Board& board,
        const fleet::Profile& profile,
        const ImageRecord& record,
        layout::BoardEntry& entry
    ) {
        const layout::BootTree& tree = result_.manifest.trees[profile.name];
        boot::CmdlineInputs line;
        if (entry.root) {
            line.root = boot::NfsRoot{
                entry.root->server,
                entry.root->path,
                entry.root->nfs_version,
                entry.root->read_only,
                entry.root->read_only ? identity_url(entry) : ""};
        }
        if (entry.root && profile.root.ip == fleet::KernelAddress::fixed && board.address) {
            const Ipv4Network& network = fleet_.appliance.address;
            line.static_address = boot::StaticAddress{
                *board.address,
                network.address(),
                fleet_.appliance.dhcp.router,
                network.mask(),
                board.name};
        }
        line.profile = profile.cmdline;
        line.board = board.cmdline;
        line.image = record.cmdline_txt;
        const boot::Text cmdline = boot::make_cmdline(line);
        note(profile, &board, cmdline.findings);
        // A file that the profile names itself wins over what is written here.
        const auto given = [&](std::string_view path) { return tree.find(path) != tree.end(); };
        if (!given("cmdline.txt")) entry.files["cmdline.txt"] = layout::TextFile{cmdline.text};
        if (entry.model == BoardModel::generic) {
            auto kernel = boot::find_kernel(tree);
            if (kernel && entry.root && entry.root->read_only) {
                kernel->initrd = boot::shared_initramfs;
            }
            if (kernel && !given(boot::pxelinux_path)) {
                entry.files[std::string(boot::pxelinux_path)] =
                    layout::TextFile{boot::make_pxelinux(board.name, *kernel, cmdline.text)};
            }
            return;
        }
        if (given("config.txt")) return;
        const boot::Text config = boot::make_config_txt(
            {board.name,
             record.config_txt.empty() ? boot::default_config_txt(tree) : record.config_txt,
             profile.config_txt,
             board.config_txt,
             std::string(entry.root && entry.root->read_only ? boot::shared_initramfs : "")}
        );
        note(profile, &board, config.findings);
        entry.files["config.txt"] = layout::TextFile{config.text};
    }

    static std::vector<std::string> prefixes_of(const fleet::Board& board) {
        std::vector<std::string> prefixes;
        if (board.serial) prefixes.push_back(board.serial->to_string() + "/");
        if (board.mac) prefixes.push_back(board.mac->with_dashes() + "/");
        if (const auto* own = std::get_if<fleet::StringPrefix>(&board.tftp_prefix)) {
            prefixes.push_back(own->text);
        }
        return prefixes;
    }

    void add_board(const fleet::Board& board, const fleet::Profile& profile) {
        const ImageRecord* record = record_of(profile);
        layout::BoardEntry entry;
        entry.name = board.name;
        entry.serial = board.serial;
        entry.mac = board.mac;
        entry.address = board.address;
        entry.model = fleet_.model_of(board);
        entry.profile = profile.name;
        entry.tree = profile.name;
        entry.tftp_prefixes = prefixes_of(board);
        entry.bootfile = profile.dhcp_bootfile;
        const layout::BootTree& tree = result_.manifest.trees[profile.name];
        constexpr std::string_view script = "boot.scr.uimg";
        if (!entry.bootfile && entry.model == BoardModel::generic &&
            tree.find(script) != tree.end()) {
            entry.bootfile = script;
        }
        if (has_root(profile, record)) add_root(board, profile, entry);
        if (record != nullptr) entry.kernel_release = record->kernel_release;
        if (profile.kernel) check_kernel(profile, entry);
        add_texts(board, profile, record == nullptr ? no_image : *record, entry);
        if (record != nullptr) {
            layout::BootTree whole = entry.files;
            whole.insert(tree.begin(), tree.end());
            note(profile, nullptr, boot::lint_tree(whole, tree_facts(profile, *record, entry)));
        }
        result_.manifest.boards.push_back(std::move(entry));
    }

    boot::TreeFacts tree_facts(
        const fleet::Profile& profile, const ImageRecord& record, const layout::BoardEntry& entry
    ) const {
        boot::TreeFacts facts;
        facts.model = entry.model;
        facts.serial = entry.serial;
        facts.nfs_version = entry.root ? entry.root->nfs_version : "";
        facts.initramfs_mounts_nfs4 =
            record.initramfs_mounts_nfs4 || (entry.root && entry.root->read_only);
        facts.files = record.facts;
        for (const auto& [path, source] : profile.boot_files) {
            facts.own_files.insert(path);
            facts.files.erase(path);
            const auto known = observed_.boot_file_facts.find(source);
            if (known != observed_.boot_file_facts.end()) facts.files[path] = known->second;
        }
        if (!entry.root) return facts;
        // A board may have put there what its base has not.
        const std::string base = entry.root->read_only
                                     ? entry.root->path.filename().string()
                                     : entry.root->path.extension().string().substr(1);
        const auto of_base = observed_.base_programs.find(base);
        if (of_base != observed_.base_programs.end()) facts.root_programs = of_base->second;
        const auto own = observed_.board_programs.find(entry.name);
        if (own == observed_.board_programs.end() || entry.root->read_only) return facts;
        for (const auto& [program, there] : own->second) facts.root_programs[program] = there;
        return facts;
    }

    void check_kernel(const fleet::Profile& profile, const layout::BoardEntry& entry) {
        const auto key = observed_.kernels.find(*profile.kernel);
        if (key == observed_.kernels.end()) return;
        const auto kernel = observed_.built_kernels.find(key->second);
        if (kernel == observed_.built_kernels.end()) return;
        const std::string version = entry.root ? entry.root->nfs_version : "";
        note(profile, nullptr, lint_kernel(kernel->second, version));
    }

    // A finding is told once for a profile: sixteen boards would say the same.
    void note(
        const fleet::Profile& profile,
        const fleet::Board* board,
        const std::vector<boot::Finding>& findings
    ) {
        for (const boot::Finding& finding : findings) {
            if (!told_.insert(profile.name + "\n" + finding.rule + "\n" + finding.message).second) {
                continue;
            }
            const bool own =
                board != nullptr && !(board->cmdline.empty() && board->config_txt.empty());
            const std::string subject = own ? fmt::format("board '{}'", board->name)
                                            : fmt::format("profile '{}'", profile.name);
            result_.problems.push_back(
                {own ? board->where : profile.where,
                 fmt::format(
                     "{}: {}; {} [{}]", subject, finding.message, finding.remedy, finding.rule
                 ),
                 finding.fatal}
            );
        }
    }

    const fleet::Fleet& fleet_;
    const Observed& observed_;
    const layout::StorePaths& store_;
    Composition result_;
    std::set<std::string> told_;
    std::set<std::string> incomplete_;  // profiles that name what the store has not
};

}  // namespace

Composition compose(
    const fleet::Fleet& fleet, const Observed& observed, const layout::StorePaths& store
) {
    return Composer(fleet, observed, store).run();
}

}  // namespace bramble::plan
