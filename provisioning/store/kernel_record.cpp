#include "provisioning/store/kernel_record.hpp"

#include <boost/json.hpp>
#include <stdexcept>

namespace bramble::store {
namespace {

namespace json = boost::json;

constexpr std::int64_t format = 1;

layout::BootTree parse_files(const json::object& files) {
    layout::BootTree tree;
    for (const auto& entry : files) {
        const std::string_view path = entry.key();
        const json::object& file = entry.value().as_object();
        if (!layout::is_boot_path(path)) throw std::invalid_argument("path");
        tree[std::string(path)] = layout::ObjectFile{
            Digest::parse(std::string_view(file.at("object").as_string())).value(),
            file.at("size").to_number<std::uint64_t>()};
    }
    return tree;
}

std::string text_of(const json::object& record, std::string_view key) {
    return std::string(std::string_view(record.at(key).as_string()));
}

}  // namespace

std::string write_kernel_record(const plan::KernelRecord& record) {
    json::object files;
    for (const auto& [path, file] : record.files) {
        const auto& object = std::get<layout::ObjectFile>(file);
        files[path] = {{"object", object.digest.to_string()}, {"size", object.size}};
    }
    json::array versions;
    for (const std::string& version : record.nfs_versions) versions.emplace_back(version);
    const json::object written = {
        {"format", format},
        {"key", record.key.to_string()},
        {"name", record.name},
        {"source", record.source},
        {"arch", record.arch},
        {"compiler", record.compiler},
        {"release", record.release},
        {"has_modules", record.has_modules},
        {"mounts_root", record.mounts_root},
        {"nfs_versions", std::move(versions)},
        {"steps", record.steps},
        {"took_s", record.took_s},
        {"built_at_s", record.built_at_s},
        {"inputs", json::value_from(record.inputs)},
        {"files", std::move(files)}};
    return json::serialize(written) + "\n";
}

std::optional<plan::KernelRecord> parse_kernel_record(std::string_view text) {
    try {
        const json::value parsed = json::parse(text);
        const json::object& written = parsed.as_object();
        if (written.at("format").to_number<std::int64_t>() != format) return std::nullopt;
        plan::KernelRecord record;
        record.key = Digest::parse(text_of(written, "key")).value();
        record.name = text_of(written, "name");
        record.source = text_of(written, "source");
        record.arch = text_of(written, "arch");
        // What an older version wrote has neither.
        if (written.contains("compiler")) record.compiler = text_of(written, "compiler");
        if (const auto* built_at = written.if_contains("built_at_s")) {
            record.built_at_s = built_at->to_number<std::uint64_t>();
        }
        record.release = text_of(written, "release");
        record.has_modules = written.at("has_modules").as_bool();
        record.mounts_root = written.at("mounts_root").as_bool();
        for (const json::value& version : written.at("nfs_versions").as_array()) {
            record.nfs_versions.emplace(std::string_view(version.as_string()));
        }
        record.steps = written.at("steps").to_number<std::uint64_t>();
        record.took_s = written.at("took_s").to_number<std::uint64_t>();
        if (const auto* inputs = written.if_contains("inputs")) {  // less is told of older ones
            record.inputs = json::value_to<Inputs>(*inputs);
        }
        record.files = parse_files(written.at("files").as_object());
        return record;
    } catch (const std::exception&) {  // Boost.JSON and value() throw: one answer for all of it
        return std::nullopt;
    }
}

}  // namespace bramble::store
