#include "services/tftp/resolve.hpp"

#include <algorithm>

#include "config/types/text.hpp"

namespace bramble::tftp {
namespace {

bool is_percent_escape(std::string_view text) {
    return text.size() >= 3 && text[0] == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0;
}

std::size_t count_slashes(std::string_view text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '/'));
}

// What a hostile path is shown as in an event: printable, and not longer than a good one.
std::string printable(std::string_view path) {
    std::string shown(path.substr(0, requested_path_max));
    for (char& c : shown) {
        if (c < 0x20 || c == 0x7f) c = '?';
    }
    return shown;
}

}  // namespace

Result<std::string> normalize_path(std::string_view requested) {
    if (requested.size() > requested_path_max) return fail("the path is longer than 255 octets");
    std::string path;
    path.reserve(requested.size());
    for (std::size_t i = 0; i < requested.size(); ++i) {
        const char c = requested[i];
        if (c == '\\') return fail("the path has a backslash");
        if ((c >= 0 && c < 0x20) || c == 0x7f) return fail("the path has a control character");
        if (is_percent_escape(requested.substr(i))) return fail("the path has a percent-escape");
        if (c == '/' && (path.empty() || path.back() == '/')) continue;
        path.push_back(c);
    }
    if (path.empty()) return fail("the path is empty");
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string_view part = std::string_view(path).substr(at, end - at);
        if (part == "." || part == "..") return fail("the path has a dot part");
        at = end + 1;
    }
    return path;
}

PathIndex::PathIndex(const layout::Manifest& manifest) : manifest_(manifest) {
    for (const layout::BoardEntry& board : manifest.boards) {
        // A board may have been set to another form than the fleet file says: every form that is
        // its own and nobody else's is as good.
        std::vector<std::string> prefixes = board.tftp_prefixes;
        if (board.serial) prefixes.push_back(board.serial->to_string() + "/");
        if (board.mac) prefixes.push_back(board.mac->with_dashes() + "/");
        for (const std::string& prefix : prefixes) {
            auto normal = normalize_path(prefix);
            if (!normal) continue;
            if (normal->back() != '/') normal->push_back('/');
            prefix_parts_max_ = std::max(prefix_parts_max_, count_slashes(*normal));
            auto& owners = by_prefix_[*normal];
            if (std::find(owners.begin(), owners.end(), &board) == owners.end()) {
                owners.push_back(&board);
            }
        }
    }
}

// The longest prefix of any board at the beginning of `path`.
PathIndex::Split PathIndex::split(std::string_view path) const {
    Split longest{path, nullptr};
    std::size_t at = 0;
    for (std::size_t part = 0; part < prefix_parts_max_; ++part) {
        at = path.find('/', at);
        if (at == std::string_view::npos) break;
        ++at;
        const auto known = by_prefix_.find(std::string(path.substr(0, at)));
        if (known != by_prefix_.end()) longest = {path.substr(at), &known->second};
    }
    return longest;
}

Lookup PathIndex::resolve(
    const layout::BoardEntry* asking, std::string_view requested, TrustPrefix trust
) const {
    const auto path = normalize_path(requested);
    if (!path) return Denied{asking, printable(requested), path.error().message};
    const Split split = this->split(*path);
    const layout::BoardEntry* board = asking;
    if (board == nullptr) {
        if (trust == TrustPrefix::no) {
            return Denied{nullptr, *path, "no board of this fleet has the source address"};
        }
        if (split.owners == nullptr) {
            return Denied{nullptr, *path, "neither source address nor prefix names a board"};
        }
        if (split.owners->size() > 1) {
            return Denied{nullptr, *path, "several boards share this prefix"};
        }
        board = split.owners->front();
    }
    std::string_view rest = *path;
    if (split.owners != nullptr) {
        const auto& owners = *split.owners;
        if (std::find(owners.begin(), owners.end(), board) == owners.end()) {
            return Denied{board, *path, "the prefix of another board, " + owners.front()->name};
        }
        rest = split.rest;
    }
    const layout::BootFile* file = manifest_.find_file(*board, rest);
    if (file == nullptr) return Absent{board, std::string(rest)};
    return Found{board, file, std::string(rest)};
}

}  // namespace bramble::tftp
