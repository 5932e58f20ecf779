// What each source address is served: the main thread tells of changes, the TFTP workers look. It
// refuses to know sockets and to decide which generation a board's boot is bound to: it is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/layout/manifest.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/digest.hpp"
#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"
#include "services/tftp/engine.hpp"
#include "services/tftp/resolve.hpp"

namespace bramble::io {

// The store's objects as mapped content: opened when first asked for, kept while anyone uses them
// and for the most recent `kept_max` beyond that. For any thread.
class ContentCache {
public:
    explicit ContentCache(layout::StorePaths store, std::size_t kept_max = 512)
        : store_(std::move(store)), kept_max_(kept_max) {}

    [[nodiscard]] Result<std::shared_ptr<const tftp::Content>> open(const layout::ObjectFile& object
    );

    // Opened anew when it is next asked for: what is mapped is no longer what was published.
    void forget(const tftp::Content& content);

private:
    using Recent = std::list<Digest>;

    struct Entry {
        std::shared_ptr<const tftp::Content> content;  // shared with the transfers that send it
        Recent::iterator place;
    };

    layout::StorePaths store_;
    std::size_t kept_max_;
    std::mutex mutex_;
    Recent recent_;  // newest first
    std::unordered_map<Digest, Entry> entries_;
};

// One published generation, ready to be looked into. Never changes.
class Generation {
public:
    explicit Generation(layout::Manifest manifest);
    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;

    const layout::Manifest& manifest() const { return manifest_; }

    const tftp::PathIndex& paths() const { return paths_; }

    // The board that the address is reserved for, or nullptr.
    const layout::BoardEntry* board_at(Ipv4Address address) const;

private:
    layout::Manifest manifest_;
    tftp::PathIndex paths_;  // borrows manifest_
    std::unordered_map<Ipv4Address, const layout::BoardEntry*> reserved_;
};

using GenerationPtr = std::shared_ptr<const Generation>;  // shared by catalog and open transfers

// Who is who.
struct CatalogView {
    GenerationPtr current;                                    // nullptr: nothing published yet
    std::map<std::string, GenerationPtr, std::less<>> bound;  // boards in a boot of another one
    // As DHCP saw them last: "" for a stranger. Wins over what the fleet reserves, since the
    // address may be another's at the moment.
    std::unordered_map<Ipv4Address, std::string> addresses;
    tftp::TrustPrefix trust = tftp::TrustPrefix::no;
};

// Changes hold from the next request on; transfers that run keep what they have. For any thread.
class Catalog {
public:
    void publish(CatalogView view);

    // Of one board alone; nullptr is the current generation.
    void bind(const std::string& board, GenerationPtr generation);

    // Of one address alone; nullptr: nobody was seen with it.
    void set_address(Ipv4Address address, const std::string* board);

    struct Asker {
        GenerationPtr generation;                   // to look in; nullptr: nothing is published
        const layout::BoardEntry* board = nullptr;  // of it; nullptr: a stranger, or not in it
        tftp::TrustPrefix trust = tftp::TrustPrefix::no;
    };

    Asker look_up(Ipv4Address address) const;

    GenerationPtr generation_of(std::string_view board) const;

private:
    GenerationPtr bound_or_current(std::string_view board) const;

    mutable std::mutex mutex_;  // taken for a request, never for a packet
    CatalogView view_;
};

// One per worker: asks the catalog and the cache. `on_damage` is told of an object that is missing
// or not as its manifest says; it is called on the worker's thread.
class CatalogResolver final : public tftp::Resolver {
public:
    using OnDamage = std::function<void(const std::string& message)>;

    CatalogResolver(const Catalog& catalog, ContentCache& cache, OnDamage on_damage)
        : catalog_(catalog), cache_(cache), on_damage_(std::move(on_damage)) {}

    tftp::Resolution resolve(const tftp::Peer& peer, std::string_view path, TimePoint now) override;

private:
    const Catalog& catalog_;
    ContentCache& cache_;
    OnDamage on_damage_;
};

}  // namespace bramble::io
