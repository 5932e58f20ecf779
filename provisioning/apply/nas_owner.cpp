#include "provisioning/apply/nas_owner.hpp"

#include <fmt/format.h>

#include <mutex>

namespace bramble::apply {
namespace {

using host::Path;

constexpr const char* owner_name = ".bramble-owner";
constexpr std::size_t id_bytes = 16;
constexpr std::size_t id_text_max = 64;

// Random the first time, then what stands in the store.
Result<std::string> store_id(host::Host& host, const layout::StorePaths& paths) {
    const Path file = paths.store() / "nas-id";
    const auto there = host.status(file);
    if (!there) return tl::unexpected(there.error());
    if (*there) {
        return host.read_file(file, id_text_max).map([](std::string text) {
            return text.substr(0, text.find('\n'));
        });
    }
    const auto random = host.random_bytes(id_bytes);
    if (!random) return tl::unexpected(random.error());
    std::string id;
    for (const char byte : *random) id += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return host.write_file(file, id + "\n").map([&] { return id; });
}

}  // namespace

Result<void> claim_nas(
    host::Host& host, const layout::StorePaths& paths, nfs::Nas& nas, const std::string& place
) {
    // Steps of one apply come here side by side.
    static std::mutex claiming;
    const std::lock_guard alone(claiming);
    const auto id = store_id(host, paths);
    if (!id) return tl::unexpected(id.error());
    const std::string mine = fmt::format("{} {}\n", *id, paths.store().string());
    nfs::NasStatus like;
    like.mode = 0644;
    const auto there = nas.status("", owner_name);
    if (!there) return tl::unexpected(there.error());
    if (!*there) {
        // False: another one was faster, and stands there now.
        if (auto made = nas.create_file(owner_name, mine, like); !made)
            return tl::unexpected(made.error());
    }
    auto owner = nas.read_file("", owner_name);
    if (owner && owner->empty()) {  // whoever made it was killed before it wrote
        if (auto done = nas.write_file("", owner_name, mine, like); !done) return done;
        owner = nas.read_file("", owner_name);
    }
    if (!owner) return tl::unexpected(owner.error());
    if (owner->substr(0, owner->find_first_of(" \n")) == *id) return {};
    return fail(fmt::format(
        "{} is used by another Bramble: its file {} says '{}', and this one is {} {}; give each a "
        "directory of its own (appliance.nfs.path), or remove that file if the other one is gone",
        place,
        owner_name,
        owner->substr(0, owner->find('\n')),
        *id,
        paths.store().string()
    ));
}

}  // namespace bramble::apply
