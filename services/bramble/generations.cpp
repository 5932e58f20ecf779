#include "services/bramble/generations.hpp"

#include <fmt/core.h>

#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

#include "config/types/text.hpp"

namespace bramble::program {
namespace {

std::optional<std::uint64_t> generation_number(const std::filesystem::path& link) {
    const std::string name = link.filename().string();
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
    return number;
}

}  // namespace

Result<io::GenerationPtr> load_generation(const layout::StorePaths& store, std::uint64_t number) {
    const auto path = store.manifest(number);
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
        return fail(fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
    }
    auto manifest = layout::parse_manifest(text.view());
    if (!manifest) return fail(fmt::format("{}: {}", path.string(), manifest.error().message));
    if (manifest->generation != number) {
        return fail(fmt::format(
            "{} says that it is generation {}: run `bramble apply`",
            path.string(),
            manifest->generation
        ));
    }
    return std::make_shared<const io::Generation>(std::move(*manifest));
}

Result<std::optional<std::uint64_t>> current_generation_number(const layout::StorePaths& store) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink(store.current(), error);
    if (error == std::errc::no_such_file_or_directory) return std::nullopt;
    if (error) {
        return fail(fmt::format("cannot read {}: {}", store.current().string(), error.message()));
    }
    const auto number = generation_number(target);
    if (!number) {
        return fail(fmt::format(
            "{} points to {}, which is no generation: run `bramble apply`",
            store.current().string(),
            target.string()
        ));
    }
    return number;
}

Result<io::GenerationPtr> load_current_generation(const layout::StorePaths& store) {
    // Read once: the link may be replaced meanwhile, and what is read must be one generation.
    const auto number = current_generation_number(store);
    if (!number) return tl::unexpected(number.error());
    if (!*number) return io::GenerationPtr();
    return load_generation(store, **number);
}

std::string unknown_board(const std::string& name, const layout::Manifest& manifest) {
    std::vector<std::string_view> names;
    for (const layout::BoardEntry& board : manifest.boards) names.push_back(board.name);
    const auto near = nearest(name, names);
    return fmt::format(
        "generation {} has no board '{}'{}",
        manifest.generation,
        name,
        near ? fmt::format(" (did you mean '{}'?)", *near) : ""
    );
}

}  // namespace bramble::program
