#include "config/layout/manifest.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace bramble::layout {
namespace {

namespace json = boost::json;

json::object to_json(const BootFile& file) {
    if (const auto* object = std::get_if<ObjectFile>(&file))
        return {{"object", object->digest.to_string()}, {"size", object->size}};
    return {{"text", std::get<TextFile>(file).text}};
}

json::object to_json(const BootTree& tree) {
    json::object out;
    out.reserve(tree.size());
    for (const auto& [path, file] : tree) out.emplace(path, to_json(file));
    return out;
}

json::object to_json(const Export& root) {
    return {
        {"server", root.server},
        {"path", root.path.string()},
        {"nfs_version", root.nfs_version},
        {"read_only", root.read_only}};
}

// What a board does not have is left out, so that an empty field never means something.
json::object to_json(const BoardEntry& board) {
    json::object out = {{"name", board.name}, {"model", to_string(board.model)}};
    if (board.serial) out["serial"] = board.serial->to_string();
    if (board.mac) out["mac"] = board.mac->to_string();
    if (board.address) out["address"] = board.address->to_string();
    out["profile"] = board.profile;
    out["tree"] = board.tree;
    out["files"] = to_json(board.files);
    json::array prefixes;
    for (const std::string& prefix : board.tftp_prefixes) prefixes.emplace_back(prefix);
    out["tftp_prefixes"] = std::move(prefixes);
    if (board.bootfile) out["bootfile"] = *board.bootfile;
    if (board.root) out["root"] = to_json(*board.root);
    if (!board.kernel_release.empty()) out["kernel_release"] = board.kernel_release;
    return out;
}

}  // namespace

const BoardEntry* Manifest::find_board(std::string_view name) const {
    for (const BoardEntry& board : boards) {
        if (board.name == name) return &board;
    }
    return nullptr;
}

const BootFile* Manifest::find_file(const BoardEntry& board, std::string_view path) const {
    if (const auto own = board.files.find(path); own != board.files.end()) return &own->second;
    const auto tree = trees.find(board.tree);
    if (tree == trees.end()) return nullptr;
    const auto shared = tree->second.find(path);
    return shared == tree->second.end() ? nullptr : &shared->second;
}

// One tree and one board per line: a person can read it, and `diff` of two generations says which
// boards changed.
std::string write_manifest(const Manifest& manifest) {
    std::string out = "{\"format\": " + std::to_string(Manifest::format);
    out += ",\n\"generation\": " + std::to_string(manifest.generation);
    out += ",\n\"created\": " + json::serialize(json::string(manifest.created));
    out += ",\n\"fleet\": \"" + manifest.fleet.to_string() + "\"";
    out += ",\n\"trees\": {";
    const char* separator = "\n";
    for (const auto& [name, tree] : manifest.trees) {
        out += separator + json::serialize(json::string(name)) + ": ";
        out += json::serialize(to_json(tree));
        separator = ",\n";
    }
    out += "},\n\"boards\": [";
    separator = "\n";
    for (const BoardEntry& board : manifest.boards) {
        out += separator + json::serialize(to_json(board));
        separator = ",\n";
    }
    return out + "]}\n";
}

}  // namespace bramble::layout
