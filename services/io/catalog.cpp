#include "services/io/catalog.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "services/io/mapped_file.hpp"

namespace bramble::io {
namespace {

struct MappedContent {
    explicit MappedContent(MappedFile mapped) : file(std::move(mapped)), content{file.bytes()} {}

    MappedFile file;
    tftp::Content content;
};

// A text lies in its manifest, so the transfer that sends it keeps the generation alive.
struct TextContent {
    TextContent(GenerationPtr owner, const layout::TextFile& file)
        : generation(std::move(owner)), content{std::as_bytes(std::span(file.text))} {}

    GenerationPtr generation;
    tftp::Content content;
};

}  // namespace

Result<std::shared_ptr<const tftp::Content>> ContentCache::open(const layout::ObjectFile& object) {
    const std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(object.digest); found != entries_.end()) {
        recent_.splice(recent_.begin(), recent_, found->second.place);
        if (found->second.content->bytes.size() == object.size) return found->second.content;
        return fail("two manifests give one object different sizes: the store is damaged");
    }
    auto file = MappedFile::open(store_.object(object.digest), object.size);
    if (!file) return tl::unexpected(file.error());
    auto mapped = std::make_shared<const MappedContent>(std::move(*file));
    std::shared_ptr<const tftp::Content> content(mapped, &mapped->content);
    recent_.push_front(object.digest);
    entries_.emplace(object.digest, Entry{content, recent_.begin()});
    while (recent_.size() > kept_max_) {
        entries_.erase(recent_.back());
        recent_.pop_back();
    }
    return content;
}

void ContentCache::forget(const tftp::Content& content) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
        return entry.second.content.get() == &content;
    });
    if (found == entries_.end()) return;
    recent_.erase(found->second.place);
    entries_.erase(found);
}

Generation::Generation(layout::Manifest manifest)
    : manifest_(std::move(manifest)), paths_(manifest_) {
    for (const layout::BoardEntry& board : manifest_.boards) {
        if (board.address) reserved_.insert_or_assign(*board.address, &board);
    }
}

const layout::BoardEntry* Generation::board_at(Ipv4Address address) const {
    const auto found = reserved_.find(address);
    return found == reserved_.end() ? nullptr : found->second;
}

void Catalog::publish(CatalogView view) {
    const std::lock_guard lock(mutex_);
    std::swap(view_, view);  // what was there before ends outside the lock
}

void Catalog::bind(const std::string& board, GenerationPtr generation) {
    const std::lock_guard lock(mutex_);
    if (generation == nullptr) {
        view_.bound.erase(board);
    } else {
        view_.bound.insert_or_assign(board, std::move(generation));
    }
}

void Catalog::set_address(Ipv4Address address, const std::string* board) {
    const std::lock_guard lock(mutex_);
    if (board == nullptr) {
        view_.addresses.erase(address);
    } else {
        view_.addresses.insert_or_assign(address, *board);
    }
}

GenerationPtr Catalog::bound_or_current(std::string_view board) const {
    const auto found = view_.bound.find(board);
    return found == view_.bound.end() ? view_.current : found->second;
}

GenerationPtr Catalog::generation_of(std::string_view board) const {
    const std::lock_guard lock(mutex_);
    return bound_or_current(board);
}

Catalog::Asker Catalog::look_up(Ipv4Address address) const {
    const std::lock_guard lock(mutex_);
    Asker asker{view_.current, nullptr, view_.trust};
    std::string_view name;
    if (const auto seen = view_.addresses.find(address); seen != view_.addresses.end()) {
        name = seen->second;
    } else if (view_.current) {
        const layout::BoardEntry* reserved = view_.current->board_at(address);
        if (reserved != nullptr) name = reserved->name;
    }
    if (name.empty()) return asker;
    if (GenerationPtr bound = bound_or_current(name)) {
        asker.board = bound->manifest().find_board(name);
        if (asker.board != nullptr) asker.generation = std::move(bound);
    }
    return asker;
}

namespace {

const layout::BoardEntry* board_of(const tftp::Lookup& lookup) {
    return std::visit([](const auto& found) { return found.board; }, lookup);
}

std::string name_of(const layout::BoardEntry* board) {
    return board == nullptr ? std::string() : board->name;
}

}  // namespace

tftp::Resolution CatalogResolver::resolve(
    const tftp::Peer& peer, std::string_view path, TimePoint /*now*/
) {
    Catalog::Asker asker = catalog_.look_up(peer.address);
    if (!asker.generation) return tftp::Refused{"", std::string(path), "nothing is published yet"};

    tftp::Lookup lookup = asker.generation->paths().resolve(asker.board, path, asker.trust);
    // A board that named itself by its prefix may be in the middle of an older generation's boot.
    if (const auto* board = board_of(lookup); asker.board == nullptr && board != nullptr) {
        GenerationPtr bound = catalog_.generation_of(board->name);
        if (bound && bound != asker.generation) {
            asker.generation = std::move(bound);
            lookup = asker.generation->paths().resolve(nullptr, path, asker.trust);
        }
    }
    const GenerationPtr& generation = asker.generation;

    if (auto* denied = std::get_if<tftp::Denied>(&lookup)) {
        return tftp::Refused{
            name_of(denied->board), std::move(denied->path), std::move(denied->reason)};
    }
    if (auto* absent = std::get_if<tftp::Absent>(&lookup)) {
        return tftp::NotFound{name_of(absent->board), std::move(absent->path)};
    }
    auto& found = std::get<tftp::Found>(lookup);
    tftp::File file;
    file.board = name_of(found.board);
    file.path = std::move(found.path);
    file.generation = generation->manifest().generation;
    if (const auto* text = std::get_if<layout::TextFile>(found.file)) {
        auto content = std::make_shared<const TextContent>(generation, *text);
        file.content = std::shared_ptr<const tftp::Content>(content, &content->content);
        return file;
    }
    auto content = cache_.open(std::get<layout::ObjectFile>(*found.file));
    if (!content) {
        on_damage_(content.error().message);
        return tftp::Refused{file.board, file.path, content.error().message};
    }
    file.content = std::move(*content);
    return file;
}

}  // namespace bramble::io
