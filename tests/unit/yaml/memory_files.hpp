// Fleet files in memory, for the tests of config/yaml. It refuses to touch the disk.
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include "config/yaml/files.hpp"
#include "config/yaml/load.hpp"

namespace bramble::yaml {

class MemoryFiles : public FileReader {
public:
    std::map<std::string, std::string> files;  // absolute path -> text

    [[nodiscard]] Result<std::string> read(const std::filesystem::path& file, std::size_t bytes_max)
        override {
        const auto found = files.find(file.string());
        if (found == files.end()) return fail("No such file or directory");
        if (found->second.size() > bytes_max) return fail("it is too long");
        return found->second;
    }

    [[nodiscard]] Result<std::vector<std::string>> list(const std::filesystem::path& directory
    ) override {
        std::vector<std::string> names;
        for (const auto& [path, text] : files) {
            const std::filesystem::path file(path);
            if (file.parent_path() == directory) names.push_back(file.filename());
        }
        std::ranges::reverse(names);  // the loader sorts, not the directory
        if (names.empty()) return fail("No such file or directory");
        return names;
    }

    std::filesystem::path current_directory() override { return "/lab"; }
};

inline LoadResult load_text(std::string text) {
    MemoryFiles files;
    files.files["/lab/fleet.yaml"] = std::move(text);
    return load("fleet.yaml", files);
}

// Everything that is wrong with `text`, as it is printed.
inline std::string problems(std::string text) {
    return render(load_text(std::move(text)).diagnostics);
}

// A fleet without a fault, to which tests add one. Ten lines, so that what is added begins at
// line 11.
inline const std::string good_fleet =
    "version: 1\n"
    "appliance:\n"
    "  interface: eth1\n"
    "  address: 172.16.1.1/24\n"
    "  dhcp: {pool: {from: 172.16.1.100, to: 172.16.1.199}}\n"
    "images:\n"
    "  lite: {source: {file: lite.img}}\n"
    "profiles:\n"
    "  lab: {image: lite}\n"
    "boards:\n";

}  // namespace bramble::yaml
