#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>
#include <initializer_list>
#include <set>

#include "config/layout/manifest.hpp"

namespace bramble::layout {
namespace {

namespace json = boost::json;

constexpr std::size_t text_max = 256ULL << 20U;
constexpr std::size_t depth_max = 16;
constexpr std::string_view remedy = "run `bramble apply` to write a new generation";

// The first thing found wrong; later ones would only be its consequences.
struct Complaint {
    std::string message;

    void at(const std::string& place, std::string_view what) {
        if (!message.empty()) return;
        const std::string_view where = place.empty() ? "whole file" : std::string_view(place);
        message = fmt::format("manifest: {}: {} ({})", where, what, remedy);
    }
};

// A JSON value and the place where it stands, "boards[3].files". Readings of a value that has
// another type, or is not there, complain and give an empty result.
class Node {
public:
    Node(Complaint& complaint, const json::value* value, std::string place)
        : complaint_(complaint), value_(value), place_(std::move(place)) {}

    bool present() const { return value_ != nullptr; }

    void complain(std::string_view what) const { complaint_.at(place_, what); }

    Node field(std::string_view key) const {
        const json::object* object = as_object();
        const auto* found = object == nullptr ? nullptr : object->if_contains(key);
        return {
            complaint_,
            found,
            place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key)};
    }

    // The type check of an object, and the check that it holds nothing unheard of.
    void allow_only(std::initializer_list<std::string_view> keys) const {
        const json::object* object = as_object();
        if (object == nullptr) return;
        for (const auto& entry : *object) {
            if (std::ranges::find(keys, std::string_view(entry.key())) == keys.end())
                field(entry.key()).complain("is not a field of this format");
        }
    }

    std::string text() const {
        const json::string* string = value_ == nullptr ? nullptr : value_->if_string();
        if (string != nullptr) return std::string(*string);
        mistyped("a string");
        return {};
    }

    std::uint64_t number() const {
        if (value_ != nullptr && value_->is_uint64()) return value_->get_uint64();
        if (value_ != nullptr && value_->is_int64() && value_->get_int64() >= 0)
            return static_cast<std::uint64_t>(value_->get_int64());
        mistyped("a whole number");
        return 0;
    }

    bool boolean() const {
        if (value_ != nullptr && value_->is_bool()) return value_->get_bool();
        mistyped("true or false");
        return false;
    }

    // The text as a value type with a `parse`; a default value after a complaint.
    template <typename T>
    T value() const {
        const std::string written = text();
        if (value_ == nullptr || !value_->is_string()) return T{};
        auto parsed = T::parse(written);
        if (parsed) return *parsed;
        complain(parsed.error().message);
        return T{};
    }

    template <typename F>
    void each_member(F&& visit) const {
        const json::object* object = as_object();
        if (object == nullptr) return;
        for (const auto& entry : *object) {
            const std::string_view key = entry.key();
            visit(
                key, Node(complaint_, &entry.value(), fmt::format("{}[{}]", place_, quoted(key)))
            );
        }
    }

    template <typename F>
    void each_element(F&& visit) const {
        const json::array* array = value_ == nullptr ? nullptr : value_->if_array();
        if (array == nullptr) return mistyped("an array");
        for (std::size_t i = 0; i < array->size(); ++i)
            visit(Node(complaint_, &(*array)[i], fmt::format("{}[{}]", place_, i)));
    }

private:
    // Keys come from the file: what is odd in them is escaped, what is long is cut.
    static std::string quoted(std::string_view key) {
        constexpr std::size_t shown_max = 80;
        return json::serialize(json::string(key.substr(0, shown_max)));
    }

    const json::object* as_object() const {
        const json::object* object = value_ == nullptr ? nullptr : value_->if_object();
        if (object == nullptr) mistyped("an object");
        return object;
    }

    void mistyped(std::string_view wanted) const {
        complain(value_ == nullptr ? "is missing" : fmt::format("is not {}", wanted));
    }

    Complaint& complaint_;
    const json::value* value_;
    std::string place_;
};

BootFile read_file(const Node& node) {
    if (node.field("text").present()) {
        node.allow_only({"text"});
        return TextFile{node.field("text").text()};
    }
    node.allow_only({"object", "size"});
    return ObjectFile{node.field("object").value<Digest>(), node.field("size").number()};
}

BootTree read_tree(const Node& node) {
    BootTree tree;
    node.each_member([&tree](std::string_view path, const Node& file) {
        if (!is_boot_path(path)) return file.complain("is not a path that a board may ask for");
        tree.emplace(path, read_file(file));
    });
    return tree;
}

Export read_root(const Node& node) {
    node.allow_only({"server", "path", "nfs_version", "read_only"});
    Export root;
    root.server = node.field("server").text();
    if (root.server.empty()) node.field("server").complain("is empty");
    root.path = node.field("path").text();
    if (!root.path.is_absolute() || root.path.native().find('\0') != std::string::npos)
        node.field("path").complain("is not an absolute path");
    root.nfs_version = node.field("nfs_version").text();
    constexpr std::array<std::string_view, 4> versions = {"3", "4", "4.1", "4.2"};
    if (std::ranges::find(versions, root.nfs_version) == versions.end())
        node.field("nfs_version").complain("is not an NFS version (known: 3, 4, 4.1, 4.2)");
    root.read_only = node.field("read_only").boolean();
    return root;
}

BoardModel read_model(const Node& node) {
    const auto model = parse_board_model(node.text());
    if (!model) {
        node.complain(
            fmt::format("is not a board model (known: {})", fmt::join(board_model_names, ", "))
        );
    }
    return model.value_or(BoardModel::pi4);
}

// A prefix is the beginning of a board's paths: a path that ends with a slash.
std::string read_prefix(const Node& node) {
    std::string prefix = node.text();
    const std::string_view path = prefix;
    if (!path.ends_with('/') || !is_boot_path(path.substr(0, path.size() - 1)))
        node.complain("is not a path that ends with a slash");
    return prefix;
}

// A board's name is a part of paths in the store: one part, and a harmless one.
std::string read_name(const Node& node) {
    std::string name = node.text();
    if (!is_boot_path(name) || name.find('/') != std::string::npos)
        node.complain("is not a name that a directory may have");
    return name;
}

BoardEntry read_board(const Node& node) {
    node.allow_only(
        {"name",
         "serial",
         "mac",
         "address",
         "model",
         "profile",
         "tree",
         "files",
         "tftp_prefixes",
         "bootfile",
         "root",
         "kernel_release"}
    );
    BoardEntry board;
    board.name = read_name(node.field("name"));
    if (const Node at = node.field("serial"); at.present()) board.serial = at.value<Serial>();
    if (const Node at = node.field("mac"); at.present()) board.mac = at.value<MacAddress>();
    if (const Node at = node.field("address"); at.present())
        board.address = at.value<Ipv4Address>();
    board.model = read_model(node.field("model"));
    board.profile = node.field("profile").text();
    board.tree = node.field("tree").text();
    board.files = read_tree(node.field("files"));
    node.field("tftp_prefixes").each_element([&board](const Node& prefix) {
        board.tftp_prefixes.push_back(read_prefix(prefix));
    });
    if (const Node at = node.field("bootfile"); at.present()) board.bootfile = at.text();
    if (const Node at = node.field("root"); at.present()) board.root = read_root(at);
    if (const Node at = node.field("kernel_release"); at.present())
        board.kernel_release = at.text();
    return board;
}

Manifest read_manifest(const Node& node) {
    Manifest manifest;
    if (node.field("format").number() != Manifest::format) {
        node.field("format").complain(
            fmt::format("is not a format that this program reads (it reads {})", Manifest::format)
        );
        return manifest;
    }
    node.allow_only({"format", "generation", "created", "fleet", "trees", "boards"});
    manifest.generation = node.field("generation").number();
    manifest.created = node.field("created").text();
    manifest.fleet = node.field("fleet").value<Digest>();
    node.field("trees").each_member([&manifest](std::string_view name, const Node& tree) {
        manifest.trees.emplace(name, read_tree(tree));
    });
    std::set<std::string> names;
    node.field("boards").each_element([&](const Node& at) {
        BoardEntry board = read_board(at);
        if (!names.insert(board.name).second)
            at.field("name").complain("is the name of an earlier board too");
        // An empty key is a board with files of its own only.
        if (!board.tree.empty() && !manifest.trees.contains(board.tree))
            at.field("tree").complain("is not one of `trees`");
        manifest.boards.push_back(std::move(board));
    });
    return manifest;
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view json_text) {
    Complaint complaint;
    if (json_text.size() > text_max) {
        complaint.at("", fmt::format("is longer than {} MiB", text_max >> 20U));
        return fail(complaint.message);
    }
    json::parse_options options;
    options.max_depth = depth_max;
    options.allow_invalid_utf8 = true;  // file names are bytes, as on the wire
    boost::system::error_code error;
    json::stream_parser parser({}, options);
    const std::size_t used = parser.write_some(json_text.data(), json_text.size(), error);
    if (!error && used < json_text.size()) error = json::error::extra_data;
    if (!error) parser.finish(error);
    if (error) {
        complaint.at(fmt::format("byte {}", used), "not JSON: " + error.message());
        return fail(complaint.message);
    }
    const json::value document = parser.release();
    Manifest manifest = read_manifest(Node(complaint, &document, ""));
    if (!complaint.message.empty()) return fail(complaint.message);
    return manifest;
}

}  // namespace bramble::layout
