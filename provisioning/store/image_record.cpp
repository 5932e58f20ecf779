#include "provisioning/store/image_record.hpp"

#include <boost/json.hpp>

namespace bramble::store {
namespace {

namespace json = boost::json;

constexpr std::int64_t format = 1;

layout::BootTree parse_files(const json::object& files) {
    layout::BootTree tree;
    for (const auto& entry : files) {
        const std::string_view path = entry.key();
        const json::object& file = entry.value().as_object();
        const std::string digest(std::string_view(file.at("object").as_string()));
        if (!layout::is_boot_path(path)) throw std::invalid_argument("path");
        tree[std::string(path)] = layout::ObjectFile{
            Digest::parse(digest).value(), file.at("size").to_number<std::uint64_t>()};
    }
    return tree;
}

std::string text_of(const json::object& record, std::string_view key) {
    return std::string(std::string_view(record.at(key).as_string()));
}

}  // namespace

std::string write_image_record(const plan::ImageRecord& record) {
    json::object files;
    for (const auto& [path, file] : record.files) {
        const auto& object = std::get<layout::ObjectFile>(file);
        files[path] = {{"object", object.digest.to_string()}, {"size", object.size}};
    }
    const json::object written = {
        {"format", format},
        {"key", record.key.to_string()},
        {"has_root", record.has_root},
        {"kernel_release", record.kernel_release},
        {"initramfs_mounts_nfs4", record.initramfs_mounts_nfs4},
        {"config_txt", record.config_txt},
        {"cmdline_txt", record.cmdline_txt},
        {"release", record.release},
        {"taken_out", json::value_from(record.taken_out)},
        {"files", std::move(files)}};
    return json::serialize(written) + "\n";
}

std::optional<plan::ImageRecord> parse_image_record(std::string_view text) {
    try {
        const json::value parsed = json::parse(text);
        const json::object& written = parsed.as_object();
        if (written.at("format").to_number<std::int64_t>() != format) return std::nullopt;
        plan::ImageRecord record;
        record.key = Digest::parse(text_of(written, "key")).value();
        record.has_root = written.at("has_root").as_bool();
        record.kernel_release = text_of(written, "kernel_release");
        record.initramfs_mounts_nfs4 = written.at("initramfs_mounts_nfs4").as_bool();
        record.config_txt = text_of(written, "config_txt");
        record.cmdline_txt = text_of(written, "cmdline_txt");
        if (written.contains("release")) {  // what is older knows no release: nothing is lost
            record.release = text_of(written, "release");
            record.taken_out = json::value_to<std::vector<std::string>>(written.at("taken_out"));
        }
        record.files = parse_files(written.at("files").as_object());
        return record;
    } catch (const std::exception&) {  // Boost.JSON and value() throw: one answer for all of it
        return std::nullopt;
    }
}

}  // namespace bramble::store
