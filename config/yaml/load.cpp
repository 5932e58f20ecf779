#include "config/yaml/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/yaml/checks.hpp"
#include "config/yaml/description.hpp"
#include "config/yaml/document.hpp"
#include "config/yaml/reading.hpp"

namespace bramble::yaml {
namespace {

using fleet::SourceLocation;

class Loader {
public:
    explicit Loader(FileReader& files) : files_(files), reading_(diagnostics_, places_) {}

    LoadResult load(const std::filesystem::path& file) {
        read_main(file);
        // Half a fleet would be accused of lacking what stands in the other half.
        if (whole_) check();
        LoadResult result;
        if (diagnostics_.errors() == 0) result.fleet = std::move(draft_.fleet);
        result.diagnostics = diagnostics_.take();
        return result;
    }

private:
    void read_main(const std::filesystem::path& file) {
        const auto absolute = (files_.current_directory() / file).lexically_normal();
        auto text = files_.read(absolute, Budget::text_max);
        if (text) return read_text(absolute, file.string(), std::move(*text), 0);
        whole_ = false;
        const auto index = diagnostics_.add_file(file.string(), absolute.parent_path(), {});
        diagnostics_.error(
            {index, 0, 0},
            fmt::format(
                "cannot be read: {} (say which file with --fleet FILE)", text.error().message
            )
        );
    }

    void read_text(
        const std::filesystem::path& absolute,
        const std::string& shown,
        std::string text,
        std::size_t depth
    ) {
        if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);  // a byte order mark says nothing
        budget_.text += text.size();
        const auto file = diagnostics_.add_file(shown, absolute.parent_path(), text);
        seen_.emplace(absolute.string(), SourceLocation{file, 1, 1});
        const auto document = parse_document(file, text, budget_, diagnostics_);
        draft_.fleet.sources.push_back({absolute, std::move(text)});
        if (!document) {
            whole_ = false;
            return;
        }
        fleet_file().read(reading_, *document, draft_);
        if (depth == 0 && document->find("version") == nullptr) {
            diagnostics_.error(
                {file, 1, 1}, "the key 'version' is missing (begin the file with `version: 1`)"
            );
        }
        const std::vector<Include> includes = std::exchange(draft_.includes, {});
        for (const Include& include : includes) read_include(include, shown, depth + 1);
    }

    // `shown` is the name of the file that includes.
    void read_include(const Include& include, const std::string& shown, std::size_t depth) {
        const std::filesystem::path pattern(include.pattern);
        const std::string last = pattern.filename().string();
        const auto directory =
            (diagnostics_.directory(include.at.file) / pattern).lexically_normal().parent_path();
        const auto shown_directory =
            std::filesystem::path(shown).parent_path() / pattern.parent_path();
        constexpr std::string_view wild = "*?";
        if (include.pattern.size() - last.size() > include.pattern.find_first_of(wild))
            return complain(include, "* and ? may stand in the last part of a path only");
        if (last.find_first_of(wild) == std::string::npos)
            return include_file(include, directory / last, shown_directory / last, depth);
        auto names = files_.list(directory);
        if (!names) {
            return complain(
                include,
                fmt::format(
                    "the directory {} cannot be read: {} (make it, or take this out)",
                    directory.string(),
                    names.error().message
                )
            );
        }
        std::erase_if(*names, [&last](const std::string& name) { return !matches(last, name); });
        if (names->empty())
            diagnostics_.warning(
                include.at, "no file matches this (its directory holds none so far)"
            );
        std::ranges::sort(*names);
        for (const std::string& name : *names)
            include_file(include, directory / name, shown_directory / name, depth);
    }

    void include_file(
        const Include& include,
        const std::filesystem::path& absolute,
        const std::filesystem::path& shown,
        std::size_t depth
    ) {
        if (depth > include_depth_max) {
            return complain(
                include,
                fmt::format("files include each other deeper than {} levels", include_depth_max)
            );
        }
        if (seen_.size() >= files_max)
            return complain(include, fmt::format("there are more than {} files", files_max));
        const auto before = seen_.find(absolute.lexically_normal().string());
        if (before != seen_.end()) {
            const std::string name = diagnostics_.place(before->second);
            return complain(
                include,
                fmt::format(
                    "{} is included a second time (each file once, and none by itself)",
                    name.substr(0, name.size() - 4)
                )
            );
        }
        auto text = files_.read(
            absolute.lexically_normal(), Budget::text_max - std::min(budget_.text, Budget::text_max)
        );
        if (!text) {
            return complain(
                include,
                fmt::format("{} cannot be read: {}", absolute.string(), text.error().message)
            );
        }
        read_text(
            absolute.lexically_normal(), shown.lexically_normal().string(), std::move(*text), depth
        );
    }

    void complain(const Include& include, std::string message) {
        whole_ = false;
        diagnostics_.error(include.at, std::move(message));
    }

    void check() {
        if (!draft_.has_appliance) {
            diagnostics_.error(
                {0, 1, 1},
                "the key 'appliance' is missing (say on which interface and address Bramble serves)"
            );
        }
        Checking checking{draft_.fleet, places_, diagnostics_};
        check_network(checking);
        check_references(checking);
        check_boards(checking);
    }

    FileReader& files_;
    Diagnostics diagnostics_;
    Places places_;
    Reading reading_;
    Budget budget_;
    Draft draft_;
    std::map<std::string, SourceLocation> seen_;  // absolute path -> its first place
    bool whole_ = true;                           // every file could be read
};

}  // namespace

LoadResult load(const std::filesystem::path& file, FileReader& files) {
    return Loader(files).load(file);
}

}  // namespace bramble::yaml
