// Any octets as the texts that a board's boot tree is made of: what profile, board and image say of
// the command line, the image's config.txt, the fleet file's entries, a file that is included.
// Whatever they are, the linter ends, says the same again, and what it lets pass is within the
// kernel's and the firmware's bounds. The first octet chooses the board, NULs part the texts.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "provisioning/boot/cmdline.hpp"
#include "provisioning/boot/config_txt.hpp"
#include "provisioning/boot/lint.hpp"
#include "services/bytes/byte_reader.hpp"

namespace bramble::boot {
namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

struct Texts {
    std::string profile_cmdline, board_cmdline, image_cmdline, image_config, entries, included;
};

Texts texts_in(std::string_view data) {
    Texts texts;
    for (std::string* text :
         {&texts.profile_cmdline,
          &texts.board_cmdline,
          &texts.image_cmdline,
          &texts.image_config,
          &texts.entries,
          &texts.included}) {
        const std::size_t end = std::min(data.find('\0'), data.size());
        *text = data.substr(0, end);
        data.remove_prefix(std::min(end + 1, data.size()));
    }
    return texts;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

bool is_fatal(const std::vector<Finding>& findings) {
    return std::any_of(findings.begin(), findings.end(), [](const Finding& one) {
        return one.fatal;
    });
}

bool names(const std::vector<Finding>& findings, std::string_view rule) {
    return std::any_of(findings.begin(), findings.end(), [&](const Finding& one) {
        return one.rule == rule;
    });
}

Text check_cmdline(const Texts& texts, bool with_root, bool read_only) {
    CmdlineInputs inputs;
    if (with_root) inputs.root = NfsRoot{"172.16.1.1", "/var/lib/bramble/r", "3", read_only};
    inputs.profile = lines_of(texts.profile_cmdline);
    inputs.board = lines_of(texts.board_cmdline);
    inputs.image = texts.image_cmdline;
    const Text made = make_cmdline(inputs);
    require(made == make_cmdline(inputs));
    for (const std::string& word : stock_parameters(texts.image_cmdline)) {
        require(!word.empty() && word.find('\n') == word.npos);
    }
    if (is_fatal(made.findings)) return made;
    require(made.text.ends_with('\n'));
    const std::string_view line = std::string_view(made.text).substr(0, made.text.size() - 1);
    require(is_printable_ascii(line) && line.size() <= cmdline_bytes_max);
    if (!with_root) return made;
    require(cmdline_word(made.text, "root") == "/dev/nfs");
    require(cmdline_word(made.text, "ip") == "dhcp");
    require(cmdline_word(made.text, "nfsroot").starts_with("172.16.1.1:/var/lib/bramble/r,"));
    return made;
}

Text check_config(const Texts& texts) {
    ConfigTxtInputs inputs;
    inputs.owner = "pi-01";
    inputs.image = texts.image_config;
    for (const std::string& line : lines_of(texts.entries)) {
        const std::size_t equals = std::min(line.find('='), line.size());
        const bool is_filter = line.starts_with('[');
        inputs.profile.push_back(
            {is_filter ? line : line.substr(0, equals),
             is_filter ? "" : line.substr(std::min(equals + 1, line.size()))}
        );
    }
    const Text made = make_config_txt(inputs);
    require(made == make_config_txt(inputs));
    require((made.text.size() > config_txt_bytes_max) == names(made.findings, "config-size"));
    return made;
}

void check_tree(const layout::BootTree& tree, const TreeFacts& facts) {
    const ConfigReading config = read_config(tree, facts.files, {facts.model, facts.serial});
    const Started started = started_of(tree, facts.model, config);
    require(started.kernel.empty() || tree.contains(started.kernel));
    require(started.missing_kernel.empty() || !tree.contains(started.missing_kernel));
    for (const std::string& name : started.initramfs) require(tree.contains(name));
    for (const std::string& name : started.missing_initramfs) require(!tree.contains(name));
    const std::vector<Finding> findings = lint_tree(tree, facts);
    require(findings == lint_tree(tree, facts));
    for (const Finding& one : findings) {
        require(!one.rule.empty() && !one.message.empty() && !one.remedy.empty());
        const bool controls = std::any_of(one.message.begin(), one.message.end(), [](char c) {
            return (c >= 0 && c < ' ') || c == '\x7f';
        });
        require(!controls);
    }
}

}  // namespace

void check(std::uint8_t choice, const Texts& texts) {
    constexpr std::array<BoardModel, 6> models = {
        BoardModel::pi4,
        BoardModel::pi3,
        BoardModel::pi400,
        BoardModel::cm4,
        BoardModel::pi5,
        BoardModel::generic};
    TreeFacts facts;
    facts.model = models[choice % models.size()];
    facts.serial = Serial(0x5b154510);
    facts.nfs_version = (choice & 0x40U) != 0 ? "4.2" : "3";
    facts.files["lab.txt"].text = texts.included;
    layout::BootTree tree;
    for (const char* name : {"start4.elf", "fixup4.dat", "kernel8.img", "initramfs8"}) {
        tree[name] = layout::ObjectFile{Digest(), 1000};
    }
    tree["lab.txt"] = layout::ObjectFile{Digest(), texts.included.size()};
    tree["more.txt"] = layout::TextFile{texts.included};
    const Text cmdline = check_cmdline(texts, (choice & 0x10U) != 0, (choice & 0x20U) != 0);
    if (!is_fatal(cmdline.findings)) tree["cmdline.txt"] = layout::TextFile{cmdline.text};
    tree["config.txt"] = layout::TextFile{check_config(texts).text};
    check_tree(tree, facts);
    tree["config.txt"] = layout::TextFile{texts.image_config};  // as nobody made it
    check_tree(tree, facts);
}

}  // namespace bramble::boot

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    bramble::ByteReader reader(std::as_bytes(std::span(data + 1, size - 1)));
    bramble::boot::check(data[0], bramble::boot::texts_in(reader.rest_as_text()));
    return 0;
}
