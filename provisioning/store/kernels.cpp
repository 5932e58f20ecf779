// Kernels in the store: kernels/<key>/ with record.json, config, log and modules.
#include "provisioning/store/kernel_record.hpp"
#include "provisioning/store/listing.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::store {
namespace {

constexpr std::uint64_t record_bytes_max = 4U << 20U;
constexpr std::string_view record_name = "record.json";

}  // namespace

Result<std::vector<plan::KernelRecord>> Store::kernels() const {
    const auto entries = list_if_there(host_, kernels_path(paths_));
    if (!entries) return tl::unexpected(entries.error());
    std::vector<plan::KernelRecord> records;
    for (const host::DirectoryEntry& entry : *entries) {
        if (entry.kind != host::FileKind::directory) continue;
        const Path file = kernels_path(paths_) / entry.name / record_name;
        const auto there = host_.status(file);
        if (!there) return tl::unexpected(there.error());
        if (!*there) continue;
        const auto text = host_.read_file(file, record_bytes_max);
        if (!text) return tl::unexpected(text.error());
        auto record = parse_kernel_record(*text);
        if (!record || record->key.to_string() != entry.name) continue;
        const auto whole = has_objects(record->files);
        if (!whole) return tl::unexpected(whole.error());
        if (*whole) records.push_back(std::move(*record));
    }
    return records;
}

Result<void> Changes::adopt_kernel(const Path& staged, const plan::KernelRecord& record) {
    const Path target = kernel_path(paths(), record.key);
    // One whose record cannot be read may be in the way.
    return host()
        .write_file(staged / record_name, write_kernel_record(record))
        .and_then([&] { return host().make_directories(kernels_path(paths())); })
        .and_then([&] { return host().sync_tree(staged); })
        .and_then([&] { return host().remove_all(target); })
        .and_then([&] { return host().rename(staged, target); });
}

Result<Path> Changes::stage_base(std::string_view base, const std::stop_token& stop) {
    const Path staged = staged_name("kernel-base");
    return host().copy_tree(paths().root(base), staged, stop).map([&] { return staged; });
}

Result<void> Changes::remove_kernel(std::string_view name) {
    return remove_aside(kernels_path(paths()) / name, staged_name("kernel"));
}

}  // namespace bramble::store
