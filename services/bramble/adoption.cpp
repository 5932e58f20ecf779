#include "services/bramble/adoption.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "config/yaml/load.hpp"

namespace bramble::program {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view first_line = "# Adopted: `bramble forget` removes this file.\n";

fs::path absolute(const fs::path& file, yaml::FileReader& files) {
    return (files.current_directory() / file).lexically_normal();
}

// The machine's files and one more.
class WithOneMore : public yaml::FileReader {
public:
    WithOneMore(yaml::FileReader& files, fs::path file, std::string text)
        : files_(files), file_(std::move(file)), text_(std::move(text)) {}

    Result<std::string> read(const fs::path& file, std::size_t bytes_max) override {
        if (file == file_) return text_;
        return files_.read(file, bytes_max);
    }

    Result<std::vector<std::string>> list(const fs::path& directory) override {
        auto names = files_.list(directory);
        if (directory.lexically_normal() != file_.parent_path()) return names;
        if (!names) names.emplace();  // it will be made
        names->push_back(file_.filename().string());
        return names;
    }

    fs::path current_directory() override { return files_.current_directory(); }

private:
    yaml::FileReader& files_;
    fs::path file_;
    std::string text_;
};

}  // namespace

fs::path adopted_directory(const fs::path& fleet_file) {
    return fleet_file.parent_path() / "boards.d";
}

fs::path adopted_file(const fs::path& fleet_file, std::string_view name) {
    return adopted_directory(fleet_file) / fmt::format("{}.yaml", name);
}

std::string adopted_text(const NewBoard& board) {
    std::string out(first_line);
    out += fmt::format(
        "boards:\n  - name: \"{}\"\n    serial: \"{}\"\n", board.name, board.serial.to_string()
    );
    if (board.mac) out += fmt::format("    mac: \"{}\"\n", board.mac->to_string());
    if (board.address) out += fmt::format("    address: {}\n", board.address->to_string());
    return out + fmt::format("    profile: \"{}\"\n", board.profile);
}

Result<fleet::Fleet> fleet_with(
    const fs::path& fleet_file, const NewBoard& board, yaml::FileReader& files
) {
    const fs::path file = adopted_file(absolute(fleet_file, files), board.name);
    WithOneMore more(files, file, adopted_text(board));
    yaml::LoadResult loaded = yaml::load(fleet_file, more);
    if (!loaded.fleet) {
        std::erase_if(loaded.diagnostics, [](const yaml::Diagnostic& diagnostic) {
            return diagnostic.severity != yaml::Severity::error;
        });
        return fail(fmt::format(
            "the fleet would not be sound with it, so nothing was written:\n{}",
            yaml::render(loaded.diagnostics)
        ));
    }
    const auto is_read = [&file](const fleet::SourceFile& source) { return source.path == file; };
    if (std::ranges::none_of(loaded.fleet->sources, is_read)) {
        return fail(fmt::format(
            "{} does not include the files in boards.d: add the line `include: [boards.d/*.yaml]` "
            "to it",
            fleet_file.string()
        ));
    }
    return std::move(*loaded.fleet);
}

Result<fs::path> removable_file(
    const fleet::Fleet& fleet, const fleet::Board& board, const fs::path& fleet_file
) {
    const fleet::SourceFile& source = fleet.sources.at(board.where.file);
    const bool is_its_own =
        source.path.filename() == board.name + ".yaml" &&
        source.path.parent_path().filename() == "boards.d" &&
        source.path.parent_path().parent_path() == fleet.sources.front().path.parent_path();
    if (!is_its_own || !source.text.starts_with(first_line)) {
        return fail(fmt::format(
            "{} was not adopted: it stands in {}:{}, take it out there and run `bramble check "
            "--fleet {}`",
            board.name,
            source.path.string(),
            board.where.line,
            fleet_file.string()
        ));
    }
    for (const fleet::Board& other : fleet.boards) {
        if (other.where.file != board.where.file || other.name == board.name) continue;
        return fail(fmt::format(
            "{} holds {} as well, at line {}: take {} out of it by hand, at line {}",
            source.path.string(),
            other.name,
            other.where.line,
            board.name,
            board.where.line
        ));
    }
    return source.path;
}

}  // namespace bramble::program
