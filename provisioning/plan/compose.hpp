// A fleet and what its images became, put together to the manifest that boards should be served.
// It refuses to know what is published now.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "config/layout/store_paths.hpp"
#include "provisioning/plan/bases.hpp"
#include "provisioning/plan/observed.hpp"
#include "provisioning/root/identity.hpp"

namespace bramble::plan {

// A root that a board should have.
struct WantedRoot {
    std::string base;  // root_name of its base's key
    std::string image;
    std::string made_of;  // "image lite", "image lite, kernel verity"
    root::Identity identity;
};

struct Composition {
    layout::Manifest manifest;                  // generation and time are not set
    std::map<std::string, WantedRoot> roots;    // board -> its root
    std::map<std::string, WantedRoot> layers;   // board -> what it puts over a shared one
    std::map<std::string, std::string> shared;  // base root that boards share -> its image
    std::set<std::string> images;               // that boards or enrolled ones need
    std::set<std::string> missing;              // of these, what the store does not have
    std::set<std::string> missing_kernels;      // that boards need, likewise
    std::map<Digest, Base> missing_bases;       // of image and kernel, likewise
    std::vector<Problem> problems;              // each once per profile
};

// Boards whose image is missing get what can be told without it: their root's name, their texts.
Composition compose(
    const fleet::Fleet& fleet, const Observed& observed, const layout::StorePaths& store
);

}  // namespace bramble::plan
