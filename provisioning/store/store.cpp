#include "provisioning/store/store.hpp"

#include <fmt/format.h>

#include "provisioning/store/image_record.hpp"
#include "provisioning/store/listing.hpp"

namespace bramble::store {
namespace {

constexpr std::uint64_t stamp_bytes_max = 1U << 20U;

}  // namespace

Result<bool> Store::has_object(const layout::ObjectFile& object) const {
    return host_.status(paths_.object(object.digest)).map([&](const auto& found) {
        return found && found->size == object.size;
    });
}

Result<bool> Store::has_objects(const layout::BootTree& files) const {
    for (const auto& [path, file] : files) {
        const auto* object = std::get_if<layout::ObjectFile>(&file);
        if (object == nullptr) continue;
        if (const auto there = has_object(*object); !there || !*there) return there;
    }
    return true;
}

Result<std::vector<plan::ImageRecord>> Store::images() const {
    const auto entries = list_if_there(host_, paths_.images());
    if (!entries) return tl::unexpected(entries.error());
    std::vector<plan::ImageRecord> records;
    for (const host::DirectoryEntry& entry : *entries) {
        if (entry.kind != host::FileKind::regular || entry.name.front() == '.') continue;
        const auto status = host_.status(paths_.images() / entry.name);
        if (!status) return tl::unexpected(status.error());
        if (!*status || (*status)->size > image_record_bytes_max) continue;
        const auto text = host_.read_file(paths_.images() / entry.name, image_record_bytes_max);
        if (!text) return tl::unexpected(text.error());
        auto record = parse_image_record(*text);
        if (!record) continue;
        if (record->has_root) {
            const auto root = host_.status(paths_.root(plan::root_name(record->key)));
            if (!root) return tl::unexpected(root.error());
            if (!*root) continue;
        }
        const auto whole = has_objects(record->files);
        if (!whole) return tl::unexpected(whole.error());
        if (!*whole) continue;
        records.push_back(std::move(*record));
    }
    return records;
}

Result<std::vector<plan::BoardRoot>> Store::board_roots(std::string_view board) const {
    const Path directory = paths_.board(board);
    const auto entries = list_if_there(host_, directory);
    if (!entries) return tl::unexpected(entries.error());
    std::vector<plan::BoardRoot> roots;
    for (const host::DirectoryEntry& entry : *entries) {
        const std::string_view name = entry.name;
        if (entry.kind != host::FileKind::directory) continue;
        if (name.substr(0, root_prefix.size()) != root_prefix) continue;
        plan::BoardRoot root{std::string(name.substr(root_prefix.size())), std::nullopt};
        const Path stamp = directory / (entry.name + std::string(stamp_suffix));
        const auto stamped = host_.status(stamp);
        if (!stamped) return tl::unexpected(stamped.error());
        if (*stamped) {
            const auto text = host_.read_file(stamp, stamp_bytes_max);
            if (!text) return tl::unexpected(text.error());
            if (const auto key = Digest::parse(text->substr(0, text->find('\n')))) {
                root.identity = *key;
            }
        }
        roots.push_back(std::move(root));
    }
    return roots;
}

}  // namespace bramble::store
