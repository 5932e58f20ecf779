#include "provisioning/image/inputs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/types/text.hpp"
#include "provisioning/image/sources.hpp"

namespace bramble::image {
namespace {

Inputs inputs_of(const fleet::FileSource& source, host::Host& host) {
    // A URL may hold a password, and records may be read by anyone.
    Inputs inputs{
        {is_url(source) ? "its URL" : "its path", Digest::of(source.location).to_string()}};
    if (source.sha256) inputs["its sha256"] = source.sha256->to_string();
    if (is_url(source)) return inputs;
    const auto found = host.status(source.location);
    if (!found || !*found) return inputs;
    inputs["its file's size"] = describe_bytes((*found)->size);
    inputs["its file's time"] = fmt::format("{} ns after 1970", (*found)->modified_ns);
    return inputs;
}

Inputs inputs_of(const fleet::DirectorySource& source, host::Host& /*host*/) {
    Inputs inputs;
    if (source.boot) inputs["its boot directory's path"] = source.boot->string();
    if (source.root) inputs["its root directory's path"] = source.root->string();
    return inputs;
}

Inputs inputs_of(const fleet::DebianSource& source, host::Host& /*host*/) {
    Inputs inputs{
        {"its suite", source.suite}, {"its arch", source.arch}, {"its mirror", source.mirror}};
    for (const std::string& package : source.packages) inputs["package " + package];
    return inputs;
}

std::string text_of(const fleet::User& user) {
    return fmt::format(
        "{}\n{}\n{}\n{}",
        user.password_hash.value_or(""),
        fmt::join(user.authorized_keys, "\n"),
        user.sudo,
        fmt::join(user.groups, " ")
    );
}

}  // namespace

Inputs source_inputs(const fleet::Image& image, host::Host& host) {
    return in_ascii(
        std::visit([&](const auto& source) { return inputs_of(source, host); }, image.source)
    );
}

Inputs customize_inputs(const fleet::Image& image, const Digest& base, host::Host& host) {
    const fleet::Customization& wanted = image.customize;
    Inputs inputs{{"the image before it", base.to_string()}};
    for (const auto& [name, list] :
         {std::pair("package", &wanted.packages),
          {"removal of", &wanted.remove},
          {"enabling of", &wanted.enable},
          {"disabling of", &wanted.disable}}) {
        for (const fleet::Placed& one : *list) inputs[fmt::format("{} {}", name, one.text)];
    }
    for (std::size_t i = 0; i < wanted.run.size(); ++i) {
        inputs[fmt::format("command {}", i + 1)] = Digest::of(wanted.run[i].text).to_string();
    }
    for (const fleet::User& user : wanted.users) {
        inputs["user " + user.name] = Digest::of(text_of(user)).to_string();
    }
    for (const auto& [path, file] : wanted.files) {
        Digest content = Digest::of(file.content);
        if (file.source) {
            const auto hashed = host.hash_file(*file.source);
            if (hashed) content = hashed->digest;
        }
        inputs["file " + path] =
            fmt::format("{} {:o} {}", content.to_string(), file.mode.value_or(0), file.owner);
    }
    return in_ascii(inputs);
}

}  // namespace bramble::image
