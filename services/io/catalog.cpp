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
    : manifest_(std::move(manifest)), paths_(manifest_) {}

struct Catalog::Snapshot {
    struct Asker {
        GenerationPtr generation;  // nullptr: a stranger's address
        const layout::BoardEntry* board = nullptr;
    };

    GenerationPtr current;
    std::map<std::string, GenerationPtr, std::less<>> bound;
    std::unordered_map<Ipv4Address, Asker> askers;
    tftp::TrustPrefix trust = tftp::TrustPrefix::no;

    GenerationPtr generation_of(std::string_view board) const {
        const auto found = bound.find(board);
        return found == bound.end() ? current : found->second;
    }

    void add(Ipv4Address address, std::string_view board) {
        Asker asker;
        if (const GenerationPtr generation = generation_of(board)) {
            asker.board = generation->manifest().find_board(board);
            if (asker.board != nullptr) asker.generation = generation;
        }
        askers.insert_or_assign(address, std::move(asker));
    }
};

Catalog::Catalog() : snapshot_(std::make_shared<const Snapshot>()) {}

Catalog::~Catalog() = default;

void Catalog::publish(const CatalogView& view) {
    auto next = std::make_shared<Snapshot>();
    next->current = view.current;
    next->bound = view.bound;
    next->trust = view.trust;
    if (view.current) {
        for (const layout::BoardEntry& board : view.current->manifest().boards) {
            if (board.address) next->add(*board.address, board.name);
        }
    }
    // What DHCP saw last wins over what the fleet reserves: the address may be another's at the
    // moment.
    for (const auto& [address, board] : view.addresses) next->add(address, board);
    // What was there before ends outside the lock.
    std::shared_ptr<const Snapshot> published = std::move(next);
    const std::lock_guard lock(mutex_);
    snapshot_.swap(published);
}

namespace {

struct Answer {
    GenerationPtr generation;
    tftp::Lookup lookup;
};

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
    const auto snapshot = catalog_.snapshot();
    const auto known = snapshot->askers.find(peer.address);
    const bool has_address = known != snapshot->askers.end() && known->second.board != nullptr;
    GenerationPtr generation = has_address ? known->second.generation : snapshot->current;
    if (!generation) return tftp::Refused{"", std::string(path), "nothing is published yet"};

    const layout::BoardEntry* asking = has_address ? known->second.board : nullptr;
    tftp::Lookup lookup = generation->paths().resolve(asking, path, snapshot->trust);
    // A board that named itself by its prefix may be in the middle of an older generation's boot.
    if (const layout::BoardEntry* board = board_of(lookup); asking == nullptr && board != nullptr) {
        const GenerationPtr bound = snapshot->generation_of(board->name);
        if (bound != generation) {
            generation = bound;
            lookup = generation->paths().resolve(nullptr, path, snapshot->trust);
        }
    }

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
