#include "provisioning/host/memory_host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bramble::host {
namespace {

constexpr int links_followed_max = 40;

tl::unexpected<Error> no_such(std::string_view doing, const Path& path) {
    return fail(fmt::format("cannot {} '{}': No such file or directory", doing, path.string()));
}

class MemoryLock final : public Lock {
public:
    explicit MemoryLock(int& held) : held_(held) { held_ = 1; }

    MemoryLock(const MemoryLock&) = delete;
    MemoryLock& operator=(const MemoryLock&) = delete;

    ~MemoryLock() override { held_ = 0; }

private:
    int& held_;
};

}  // namespace

MemoryHost::MemoryHost() : now_(std::chrono::sys_days(std::chrono::year(2024) / 5 / 4)) {
    nodes_["/"] = Node{};
}

void MemoryHost::put_file(const Path& path, std::string_view bytes, std::uint32_t mode) {
    const std::string at = path.lexically_normal().string();
    make_parents(at);
    [[maybe_unused]] const auto done = put(at, bytes, mode, true);
}

void MemoryHost::put_symlink(const Path& path, const Path& target) {
    const std::string at = path.lexically_normal().string();
    make_parents(at);
    nodes_[at] = Node{FileKind::symlink, nullptr, target, {FileKind::symlink, 0, 0, 0777, 0, 0}};
}

void MemoryHost::put_directory(const Path& path) {
    const std::string at = path.lexically_normal().string();
    make_parents(at);
    make_directory_node(at);
}

std::string MemoryHost::text_at(const Path& path) {
    const Node* node = find_file(resolve("", path, true));
    return node == nullptr ? "<missing>" : node->content->bytes;
}

bool MemoryHost::exists(const Path& path) const {
    return nodes_.contains(resolve("", path, false));
}

void MemoryHost::script(const std::string& program, Script script) {
    scripts_[program] = std::move(script);
}

void MemoryHost::fail_call(std::size_t number, Fault fault) {
    calls_ = 0;
    fail_at_ = number;
    fault_ = fault;
}

void MemoryHost::restart() {
    if (std::exchange(dark_, false)) {
        while (!mounts_.empty()) take_off(mounts_.back());
    }
    fail_at_.reset();
    calls_ = 0;
    for (auto& [path, node] : nodes_) {
        if (node.content && !node.content->synced) node.content->bytes.clear();
    }
}

std::vector<std::string> MemoryHost::tree(const Path& path) const {
    return below(resolve("", path, true));
}

Result<void> MemoryHost::enter(std::string_view call, const Path& path) {
    const std::size_t number = calls_++;
    const bool turn = fail_at_ && number == *fail_at_;
    if (turn && fault_ == Fault::power_cut) dark_ = true;
    if (!turn && !dark_) return {};
    return fail(fmt::format("cannot {} '{}': made to fail", call, path.string()));
}

std::string MemoryHost::resolve(const std::string& root, const Path& relative, bool follow_last)
    const {
    const std::string top = root == "/" ? "" : root;
    std::string at = top;                  // without a slash at its end; "/" is ""
    std::string rest = relative.native();  // still to walk
    for (int links = 0;;) {
        rest.erase(0, rest.find_first_not_of('/'));
        if (rest.empty()) return at.empty() ? "/" : at;
        const std::string part = rest.substr(0, rest.find('/'));
        rest.erase(0, part.size());
        if (part == ".") continue;
        if (part == "..") {
            if (at != top) at.erase(at.rfind('/'));
            continue;
        }
        const bool last = rest.find_first_not_of('/') == std::string::npos;
        const auto found = nodes_.find(at + '/' + part);
        if (found == nodes_.end()) return last ? at + '/' + part : "";
        if (found->second.kind == FileKind::symlink && (!last || follow_last)) {
            if (++links > links_followed_max) return "";
            const Path& target = found->second.target;
            if (target.is_absolute()) at = top;
            rest = target.native() + '/' + rest;
            continue;
        }
        at = found->first;
    }
}

MemoryHost::Node* MemoryHost::find(const std::string& resolved) {
    const auto found = nodes_.find(resolved);
    return found == nodes_.end() ? nullptr : &found->second;
}

MemoryHost::Node* MemoryHost::find_file(const std::string& resolved) {
    Node* node = find(resolved);
    return node != nullptr && node->kind == FileKind::regular ? node : nullptr;
}

Result<void> MemoryHost::put(
    const std::string& resolved, std::string_view bytes, std::uint32_t mode, bool synced
) {
    const Node* parent = find(Path(resolved).parent_path().string());
    if (resolved.empty() || parent == nullptr || parent->kind != FileKind::directory) {
        return no_such("write", resolved);
    }
    Node node;
    node.kind = FileKind::regular;
    node.content = std::make_shared<Content>(Content{std::string(bytes), synced});
    const auto now = now_.time_since_epoch().count();
    node.status = {FileKind::regular, bytes.size(), now, mode, 0, 0, now};
    nodes_[resolved] = std::move(node);
    return {};
}

MemoryHost::Node* MemoryHost::make_directory_node(const std::string& resolved) {
    Node& node = nodes_[resolved];
    node.kind = FileKind::directory;
    node.status.kind = FileKind::directory;
    node.status.mode = 0755;
    return &node;
}

void MemoryHost::make_parents(const std::string& resolved) {
    const Path parent = Path(resolved).parent_path();
    Path made;
    for (const Path& part : parent) {
        made /= part;
        if (!nodes_.contains(made.string())) make_directory_node(made.string());
    }
}

std::vector<std::string> MemoryHost::below(const std::string& path) const {
    std::vector<std::string> found;
    if (nodes_.contains(path)) found.push_back(path);
    const std::string prefix = path == "/" ? path : path + "/";
    for (auto at = nodes_.lower_bound(prefix); at != nodes_.end(); ++at) {
        if (at->first.compare(0, prefix.size(), prefix) != 0) break;
        if (at->first != path) found.push_back(at->first);
    }
    return found;
}

std::vector<DirectoryEntry> MemoryHost::entries_of(const std::string& directory) const {
    std::vector<DirectoryEntry> entries;
    for (const std::string& path : below(directory)) {
        if (path == directory || Path(path).parent_path() != directory) continue;
        entries.push_back({Path(path).filename().string(), nodes_.at(path).kind});
    }
    return entries;
}

void MemoryHost::remove_node(const std::string& resolved) {
    for (const std::string& path : below(resolved)) nodes_.erase(path);
}

Result<CommandOutcome> MemoryHost::run(const Command& command) {
    const std::string program = command.argv.empty() ? "" : command.argv.front();
    if (auto entered = enter("run", program); !entered) return tl::unexpected(entered.error());
    const auto found = scripts_.find(program);
    if (found == scripts_.end()) return fail(fmt::format("'{}' is not installed", program));
    return found->second(*this, command);
}

bool MemoryHost::has_program(std::string_view program) {
    return scripts_.contains(std::string(program));
}

Result<std::unique_ptr<Lock>> MemoryHost::lock(const Path& path) {
    if (auto entered = enter("lock", path); !entered) return tl::unexpected(entered.error());
    int& held = locks_[path.string()];
    if (held != 0) return fail(fmt::format("'{}' is locked", path.string()));
    if (find_file(path.string()) == nullptr) {
        if (auto made = put(path.string(), "", 0644, true); !made) {
            return tl::unexpected(made.error());
        }
    }
    return std::make_unique<MemoryLock>(held);
}

Result<std::string> MemoryHost::random_bytes(std::size_t count) {
    if (auto entered = enter("read", "/dev/urandom"); !entered) {
        return tl::unexpected(entered.error());
    }
    std::string bytes;
    while (bytes.size() < count) {
        const auto octets = Digest::of(fmt::format("random {}", random_++)).octets();
        bytes.append(octets.begin(), octets.end());
    }
    bytes.resize(count);
    return bytes;
}

}  // namespace bramble::host
