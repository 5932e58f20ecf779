#include "services/bramble/explanation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <vector>

#include "config/types/text.hpp"
#include "services/bramble/json_reading.hpp"
#include "services/bramble/line_origins.hpp"
#include "services/dhcp/message_text.hpp"

namespace bramble::program {
namespace {

namespace json = boost::json;
constexpr std::size_t digest_shown = 12;  // characters: enough to tell files apart

struct File {
    std::string path;
    std::uint64_t bytes = 0;
    std::string digest;  // empty: a text that the manifest carries
    std::string from;
};

std::string profile_words(const Explained& explained) {
    const fleet::Profile* profile = explained.fleet.find_profile(explained.board.profile);
    if (profile == nullptr) return fmt::format("profile '{}'", explained.board.profile);
    return fmt::format(
        "profile '{}' ({})", profile->name, file_and_line(explained.fleet, profile->where)
    );
}

std::string image_words(const Explained& explained) {
    const fleet::Profile* profile = explained.fleet.find_profile(explained.board.profile);
    const fleet::Image* image =
        profile == nullptr ? nullptr : explained.fleet.find_image(profile->image);
    if (image == nullptr) return "image";
    const std::string place = file_and_line(explained.fleet, image->where);
    if (image->customize.empty()) return fmt::format("image '{}' ({})", image->name, place);
    return fmt::format(
        "image '{}' ({}), customised ({})",
        image->name,
        place,
        file_and_line(explained.fleet, image->customize.where)
    );
}

std::string origin_of(const Explained& explained, const std::string& path, bool is_text) {
    const fleet::Profile* profile = explained.fleet.find_profile(explained.board.profile);
    if (profile != nullptr && profile->boot_files.contains(path)) {
        return fmt::format("boot_files of profile '{}'", profile->name);
    }
    if (is_text) return "written for this board";
    return profile == nullptr ? "image" : fmt::format("image '{}'", profile->image);
}

std::vector<File> files_of(const Explained& explained) {
    layout::BootTree all = explained.entry.files;
    const auto shared = explained.manifest.trees.find(explained.entry.tree);
    if (shared != explained.manifest.trees.end()) {
        all.insert(shared->second.begin(), shared->second.end());  // the board's own win
    }
    std::vector<File> out;
    for (const auto& [path, file] : all) {
        const auto* text = std::get_if<layout::TextFile>(&file);
        const std::string from = origin_of(explained, path, text != nullptr);
        if (text != nullptr) {
            out.push_back({path, text->text.size(), "", from});
        } else {
            const auto& object = std::get<layout::ObjectFile>(file);
            out.push_back({path, object.size, object.digest.to_string(), from});
        }
    }
    return out;
}

std::string render_message(const dhcp::Message& message) {
    std::vector<std::vector<std::string>> rows;
    for (const dhcp::NamedValue& line : dhcp::describe(message)) {
        rows.push_back({"  " + line.name, line.value});
    }
    return render_table(rows);
}

// The ACK says what the OFFER said; what it says otherwise is shown alone.
std::string render_ack(const dhcp::Message& offer, const dhcp::Message& ack) {
    std::vector<std::vector<std::string>> rows;
    const std::vector<dhcp::NamedValue> before = dhcp::describe(offer);
    for (const dhcp::NamedValue& line : dhcp::describe(ack)) {
        const bool same = std::any_of(before.begin(), before.end(), [&](const auto& other) {
            return other.name == line.name && other.value == line.value;
        });
        if (!same) rows.push_back({"  " + line.name, line.value});
    }
    return "and its ACK the same, but\n" + render_table(rows);
}

std::string render_dhcp(const Explained& explained) {
    const rehearsal::DhcpAnswers& dhcp = explained.dhcp;
    if (!dhcp.offer) {
        const bool off = explained.fleet.appliance.dhcp.mode == fleet::DhcpMode::off;
        return fmt::format(
            "DHCP offers it nothing: {}\n",
            off                 ? "dhcp: {mode: off}"
            : dhcp.held.empty() ? "it is not answered"
                                : dhcp.held
        );
    }
    std::string out = fmt::format("DHCP offers, asked as {} asks\n", dhcp.client);
    out += render_message(*dhcp.offer);
    if (dhcp.ack) out += render_ack(*dhcp.offer, *dhcp.ack);
    return out;
}

std::string render_root(const Explained& explained) {
    const auto& root = explained.entry.root;
    if (!root) return "no root: its profile says root: {mode: none}\n";
    std::string out = fmt::format(
        "root  {}:{} over NFS {}, {}\n",
        root->server,
        root->path.string(),
        root->nfs_version,
        root->read_only ? "read only" : "read and write"
    );
    if (!explained.entry.kernel_release.empty()) {
        out += fmt::format("kernel release  {}\n", explained.entry.kernel_release);
    }
    return out;
}

std::string render_files(const Explained& explained) {
    std::uint64_t bytes = 0;
    std::vector<std::vector<std::string>> rows;
    for (const File& file : files_of(explained)) {
        bytes += file.bytes;
        rows.push_back(
            {"  " + file.path,
             describe_bytes(file.bytes),
             file.digest.empty() ? "text" : file.digest.substr(0, digest_shown),
             file.from}
        );
    }
    return fmt::format(
        "{} files, {}, at {}\n{}",
        rows.size(),
        describe_bytes(bytes),
        explained.entry.tftp_prefixes.empty() ? "the root" : explained.entry.tftp_prefixes.front(),
        render_table(rows)
    );
}

std::string render_text(const Explained& explained, std::string_view path) {
    const layout::BootFile* file = explained.manifest.find_file(explained.entry, path);
    const auto* text = file == nullptr ? nullptr : std::get_if<layout::TextFile>(file);
    if (text == nullptr) return "";
    std::string out = fmt::format("\n{}\n", path);
    std::string_view left = text->text;
    while (!left.empty()) {
        const auto end = std::min(left.find('\n'), left.size());
        out += fmt::format("  {}\n", left.substr(0, end));
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    return out;
}

// Of the two texts that are put together from several sources.
json::array lines_of(const Explained& explained, const std::string& path, std::string_view text) {
    std::vector<OriginLine> lines;
    if (path == "config.txt") {
        lines = origins_of_config_txt(explained.fleet, explained.board, text);
    } else if (path == "cmdline.txt") {
        lines = origins_of_cmdline_txt(explained.fleet, explained.board, text);
    }
    json::array out;
    for (const OriginLine& line : lines) {
        out.push_back(json::object{{"text", line.text}, {"from", line.from}, {"where", line.where}}
        );
    }
    return out;
}

json::value json_of(const std::optional<dhcp::Message>& message) {
    if (!message) return nullptr;
    json::array out;
    for (const dhcp::NamedValue& line : dhcp::describe(*message)) {
        out.push_back(json::object{{"name", line.name}, {"value", line.value}});
    }
    return out;
}

}  // namespace

std::string render_explanation(const Explained& explained) {
    const fleet::Board& board = explained.board;
    std::string out = fmt::format(
        "{} ({})\n{}, {}\ngeneration {} of {}, model {}\n\n",
        board.name,
        board.where.line == 0 ? "enrolled, in no file"
                              : file_and_line(explained.fleet, board.where),
        profile_words(explained),
        image_words(explained),
        explained.manifest.generation,
        explained.manifest.created,
        to_string(explained.entry.model)
    );
    out += render_dhcp(explained) + "\n" + render_root(explained) + "\n" + render_files(explained);
    for (const std::string_view path : {"config.txt", "cmdline.txt"}) {
        out += render_text(explained, path);
    }
    return out;
}

std::string render_explanation_json(const Explained& explained) {
    json::object out;
    out["name"] = explained.board.name;
    out["where"] = file_and_line(explained.fleet, explained.board.where);
    out["profile"] = explained.board.profile;
    out["generation"] = explained.manifest.generation;
    out["model"] = to_string(explained.entry.model);
    out["dhcp"] = json::object{
        {"asked_as", explained.dhcp.client},
        {"offer", json_of(explained.dhcp.offer)},
        {"ack", json_of(explained.dhcp.ack)},
        {"held", explained.dhcp.held}};
    out["root"] = nullptr;
    if (const auto& root = explained.entry.root) {
        out["root"] = json::object{
            {"server", root->server},
            {"path", root->path.string()},
            {"nfs_version", root->nfs_version},
            {"read_only", root->read_only}};
    }
    out["kernel_release"] = explained.entry.kernel_release;
    json::array files;
    for (const File& file : files_of(explained)) {
        json::object row{{"path", file.path}, {"bytes", file.bytes}, {"from", file.from}};
        if (!file.digest.empty()) row["sha256"] = file.digest;
        const layout::BootFile* found = explained.manifest.find_file(explained.entry, file.path);
        if (const auto* text = found ? std::get_if<layout::TextFile>(found) : nullptr) {
            row["text"] = text->text;
            json::array lines = lines_of(explained, file.path, text->text);
            if (!lines.empty()) row["lines"] = std::move(lines);
        }
        files.push_back(std::move(row));
    }
    out["files"] = std::move(files);
    return json::serialize(out);
}

const fleet::Board* find_by_any_name(const fleet::Fleet& fleet, std::string_view word) {
    if (const fleet::Board* board = fleet.find_board(word)) return board;
    const auto serial = Serial::parse(word);
    const auto mac = MacAddress::parse(word);
    const auto found = std::find_if(fleet.boards.begin(), fleet.boards.end(), [&](const auto& b) {
        return (serial && b.serial == *serial) || (mac && b.mac == *mac);
    });
    return found == fleet.boards.end() ? nullptr : &*found;
}

std::string explain_stranger(const fleet::Fleet& fleet) {
    const fleet::UnknownBoards& unknown = fleet.appliance.unknown_boards;
    if (const auto* enroll = std::get_if<fleet::EnrollUnknown>(&unknown)) {
        return fmt::format(
            "it is not in the fleet; when it asks it is enrolled with profile '{}' "
            "(unknown_boards), and the next apply makes its tree",
            enroll->profile
        );
    }
    if (std::holds_alternative<fleet::HoldUnknown>(unknown)) {
        return "it is not in the fleet: its firmware gets no offer, and `bramble boards` lists it "
               "once it has asked (unknown_boards: hold)";
    }
    return "it is not in the fleet: it is not answered at all (unknown_boards: ignore)";
}

}  // namespace bramble::program
