// What of a store may go: everything that lies in it, held against the generations that stay. It
// refuses to know the disk and to remove anything.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/layout/manifest.hpp"
#include "config/types/digest.hpp"
#include "provisioning/plan/observed.hpp"

namespace bramble::store {

// One tree of one board: boards/<board>/root.<base>.
struct BoardTree {
    std::string board;
    std::string base;

    friend auto operator<=>(const BoardTree&, const BoardTree&) = default;
};

// All that lies in a store and that a collection may take.
struct Inventory {
    std::set<std::uint64_t> generations;
    std::map<Digest, std::uint64_t> objects;  // with their bytes
    std::vector<plan::ImageRecord> images;    // that can be read
    std::set<std::string> unreadable_images;  // names of records that cannot
    std::vector<plan::KernelRecord> kernels;  // that can be read
    std::set<std::string> unreadable_kernels;
    std::set<std::string> roots;         // base trees
    std::set<std::string> shared_roots;  // of these, the ones that boards share or did
    std::set<BoardTree> board_trees;
    std::set<BoardTree> stamps;       // identities written down, also of trees that are gone
    std::set<std::string> downloads;  // files that were being fetched
};

// What stays, and with it all that it needs.
struct Kept {
    std::map<std::uint64_t, const layout::Manifest*> generations;
    std::set<BoardTree> board_trees;     // of these generations' boards
    std::set<std::string> roots;         // that they mount directly
    std::set<std::string> whole_boards;  // nobody knows which tree they run from: all stay
    std::set<Digest> images;             // keys that the fleet file asks for
    bool every_image = false;            // a source cannot be seen: its key is not known
    std::set<Digest> kernels;            // likewise
    bool every_kernel = false;
    std::set<std::string> downloads;  // what names of files begin with
};

// In the order in which it has to go: nothing that is left ever names what is gone.
struct Collection {
    std::vector<std::uint64_t> generations;
    std::vector<std::string> images;   // names of records
    std::vector<std::string> kernels;  // their directories
    std::vector<BoardTree> board_trees;
    std::vector<BoardTree> stamps;
    std::vector<std::string> shared_roots;  // that are shared no more; the tree itself may stay
    std::vector<std::string> roots;
    std::vector<Digest> objects;
    std::uint64_t object_bytes = 0;
    std::vector<std::string> downloads;

    bool empty() const {
        return generations.empty() && images.empty() && kernels.empty() && board_trees.empty() &&
               stamps.empty() && shared_roots.empty() && roots.empty() && objects.empty() &&
               downloads.empty();
    }

    friend bool operator==(const Collection&, const Collection&) = default;
};

Collection collect(const Inventory& there, const Kept& kept);

// "3 generations (2 to 4), 12 board roots, 1 base root, 40 objects of 81.2 MB" and the like.
std::string describe(const Collection& collection);

}  // namespace bramble::store
