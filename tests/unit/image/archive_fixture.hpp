// Writes archives entry by entry for tests, hostile ones too; refuses to know what reads them.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace bramble::image {

class ArchiveFixture : public testing::Test {
protected:
    ArchiveFixture() {
        char name[] = "/tmp/bramble-image-XXXXXX";
        top = ::mkdtemp(name);
        std::filesystem::create_directory(top / "out");
        writer = archive_write_new();
        archive_write_set_format_pax_restricted(writer);
    }

    ~ArchiveFixture() override {
        close();
        std::filesystem::remove_all(top);
    }

    // Filters are chosen before the first entry.
    std::filesystem::path open(const std::string& name) {
        archive_path = top / name;
        archive_write_open_filename(writer, archive_path.c_str());
        opened = true;
        return archive_path;
    }

    void entry(
        const std::string& path,
        mode_t type,
        const std::string& content = "",
        const std::string& link = "",
        mode_t mode = 0644
    ) {
        archive_entry* header = archive_entry_new();
        archive_entry_set_pathname(header, path.c_str());
        archive_entry_set_filetype(header, type);
        archive_entry_set_perm(header, mode);
        archive_entry_set_mtime(header, 1'600'000'000, 0);
        if (type == AE_IFLNK) archive_entry_set_symlink(header, link.c_str());
        if (type == AE_IFREG && !link.empty()) archive_entry_set_hardlink(header, link.c_str());
        archive_entry_set_size(header, static_cast<la_int64_t>(content.size()));
        archive_write_header(writer, header);
        archive_write_data(writer, content.data(), content.size());
        archive_entry_free(header);
    }

    void file(const std::string& path, const std::string& content) {
        entry(path, AE_IFREG, content);
    }

    void directory(const std::string& path) { entry(path, AE_IFDIR, "", "", 0755); }

    void close() {
        if (writer != nullptr) archive_write_free(writer);
        writer = nullptr;
    }

    static std::string read(const std::filesystem::path& path) {
        std::ifstream stream(path);
        std::ostringstream text;
        text << stream.rdbuf();
        return text.str();
    }

    std::filesystem::path top;
    std::filesystem::path archive_path;
    archive* writer = nullptr;
    bool opened = false;
};

}  // namespace bramble::image
