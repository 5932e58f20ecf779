// What a reading of values has at hand: where to complain, where each value stood, what directory
// relative paths begin in. It refuses to know any key.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config/yaml/diagnostic.hpp"
#include "config/yaml/document.hpp"

namespace bramble::yaml {

// Where the value at a path such as "boards[3].mac" stands; paths number the entries of images,
// kernels, profiles and boards as Fleet does.
class Places {
public:
    void add(const std::string& path, fleet::SourceLocation where) { places_[path] = where; }

    std::optional<fleet::SourceLocation> find(const std::string& path) const {
        const auto found = places_.find(path);
        if (found == places_.end()) return std::nullopt;
        return found->second;
    }

private:
    std::unordered_map<std::string, fleet::SourceLocation> places_;
};

class Reading {
public:
    Reading(Diagnostics& diagnostics, Places& places)
        : diagnostics_(diagnostics), places_(places) {}

    // Complains about `value`; false, so that a reading can end with it.
    bool error(const Value& value, std::string message) {
        diagnostics_.error(value.at, std::move(message));
        return false;
    }

    Diagnostics& diagnostics() { return diagnostics_; }

    // `text` as an absolute path; relative to the file in which `value` stands.
    std::filesystem::path absolute(const Value& value, const std::string& text) const {
        return (diagnostics_.directory(value.at.file) / text).lexically_normal();
    }

    // While it lives, the path of what is read is one part longer: "boards" + "[3]" + ".mac".
    class Step {
    public:
        Step(Reading& reading, std::string_view part, fleet::SourceLocation where)
            : path_(reading.path_), length_(reading.path_.size()) {
            if (!path_.empty() && !part.starts_with('[')) path_ += '.';
            path_ += part;
            reading.places_.add(path_, where);
        }

        ~Step() { path_.resize(length_); }

        Step(const Step&) = delete;
        Step& operator=(const Step&) = delete;

    private:
        std::string& path_;
        std::size_t length_;
    };

private:
    Diagnostics& diagnostics_;
    Places& places_;
    std::string path_;
};

}  // namespace bramble::yaml
