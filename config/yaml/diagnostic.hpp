// What is wrong with a fleet file, where, and what to do about it: collected as values, printed in
// one form. It refuses to know what any key means.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"

namespace bramble::yaml {

// An error keeps the fleet from being used; a warning does not.
enum class Severity { error, warning };

struct Diagnostic {
    Severity severity = Severity::error;
    std::string file;          // as the fleet file was named, or as its include found it
    std::uint32_t line = 0;    // from 1; 0: the file as a whole
    std::uint32_t column = 0;  // bytes, from 1
    std::string message;       // what is wrong, and the remedy in parentheses
    std::string source_line;   // the text of that line, without its end

    friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

// The diagnostic as a person reads it, each line with its end:
//
//     fleet.yaml:12:12: unknown board model 'pi6' (known: pi3, pi4, pi5)
//         model: pi6
//                ^ near here
//
// A warning says so before its message. A long line is cut around the place.
std::string render(const Diagnostic& diagnostic);

// All of them, one after the other.
std::string render(std::span<const Diagnostic> diagnostics);

// Gathers diagnostics over the files of one fleet.
class Diagnostics {
public:
    // Beyond this many, one more says that there are more: a broken generator does not fill a disk.
    static constexpr std::size_t diagnostics_max = 500;

    // Adds a file; its index goes into SourceLocation::file. `directory` is absolute: relative
    // paths in the file begin there.
    std::uint32_t add_file(std::string shown, std::filesystem::path directory, std::string text);

    void error(fleet::SourceLocation where, std::string message);
    void warning(fleet::SourceLocation where, std::string message);

    // "boards.d/a.yaml:3:5", for messages that point to a second place.
    std::string place(fleet::SourceLocation where) const;

    const std::filesystem::path& directory(std::uint32_t file) const {
        return files_[file].directory;
    }

    std::size_t errors() const { return errors_; }

    // In the order of files, lines and columns.
    std::vector<Diagnostic> take();

private:
    struct File {
        std::string shown;
        std::filesystem::path directory;
        std::string text;
        std::vector<std::size_t> line_starts;
    };

    struct Entry {
        fleet::SourceLocation where;
        Diagnostic diagnostic;
    };

    void add(Severity severity, fleet::SourceLocation where, std::string message);
    std::string line_of(fleet::SourceLocation where) const;

    std::vector<File> files_;
    std::vector<Entry> entries_;
    std::size_t errors_ = 0;
    bool overflowed_ = false;
};

}  // namespace bramble::yaml
