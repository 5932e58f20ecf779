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

json::array texts_of(const std::set<std::string>& texts) {
    return json::array(texts.begin(), texts.end());
}

std::set<std::string> parse_texts(const json::value& texts) {
    std::set<std::string> read;
    for (const json::value& text : texts.as_array()) {
        read.emplace(std::string_view(text.as_string()));
    }
    return read;
}

json::object write_facts(const boot::BootFacts& facts) {
    json::object written;
    for (const auto& [path, file] : facts) {
        json::object one;
        if (file.kernel) {
            one["kernel"] = json::object{
                {"width", static_cast<int>(file.kernel->width)},
                {"release", file.kernel->release},
                {"configured", file.kernel->configured},
                {"mounts_root", file.kernel->mounts_root},
                {"nfs_versions", texts_of(file.kernel->nfs_versions)},
                {"nfs_modules", texts_of(file.kernel->nfs_modules)}};
        }
        if (file.initramfs) {
            one["initramfs"] = json::object{
                {"problem", file.initramfs->problem},
                {"programs", texts_of(file.initramfs->programs)},
                {"links", json::value_from(file.initramfs->links)}};
        }
        if (file.text) one["text"] = *file.text;
        written[path] = std::move(one);
    }
    return written;
}

boot::KernelFacts parse_kernel_facts(const json::object& written) {
    boot::KernelFacts facts;
    const auto width = written.at("width").to_number<int>();
    if (width < 0 || width > static_cast<int>(boot::KernelWidth::arm64)) {
        throw std::invalid_argument("width");
    }
    facts.width = static_cast<boot::KernelWidth>(width);
    facts.release = text_of(written, "release");
    facts.configured = written.at("configured").as_bool();
    facts.mounts_root = written.at("mounts_root").as_bool();
    facts.nfs_versions = parse_texts(written.at("nfs_versions"));
    facts.nfs_modules = parse_texts(written.at("nfs_modules"));
    return facts;
}

boot::BootFacts parse_facts(const json::object& written) {
    boot::BootFacts facts;
    for (const auto& entry : written) {
        const json::object& one = entry.value().as_object();
        boot::FileFacts file;
        if (const auto* kernel = one.if_contains("kernel")) {
            file.kernel = parse_kernel_facts(kernel->as_object());
        }
        if (const auto* initramfs = one.if_contains("initramfs")) {
            const json::object& read = initramfs->as_object();
            file.initramfs = boot::InitramfsFacts{
                text_of(read, "problem"),
                parse_texts(read.at("programs")),
                json::value_to<std::map<std::string, std::string>>(read.at("links"))};
        }
        if (one.contains("text")) file.text = text_of(one, "text");
        facts[std::string(std::string_view(entry.key()))] = std::move(file);
    }
    return facts;
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
        {"facts", write_facts(record.facts)},
        {"made_by", record.made_by},
        {"took_ms", record.took_ms},
        {"root_bytes", record.root_bytes},
        {"inputs", json::value_from(record.inputs)},
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
        if (const auto* facts = written.if_contains("facts")) {  // likewise: less is said then
            record.facts = parse_facts(facts->as_object());
        }
        if (written.contains("made_by")) {  // likewise
            record.made_by = text_of(written, "made_by");
            record.took_ms = written.at("took_ms").to_number<std::uint64_t>();
            record.root_bytes = written.at("root_bytes").to_number<std::uint64_t>();
        }
        if (const auto* inputs = written.if_contains("inputs")) {  // likewise
            record.inputs = json::value_to<Inputs>(*inputs);
        }
        record.files = parse_files(written.at("files").as_object());
        return record;
    } catch (const std::exception&) {  // Boost.JSON and value() throw: one answer for all of it
        return std::nullopt;
    }
}

}  // namespace bramble::store
