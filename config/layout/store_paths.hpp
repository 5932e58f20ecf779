// Where things lie in the store (and what may be lying there half-made). It refuses to touch the
// disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "config/types/digest.hpp"

namespace bramble::layout {

class StorePaths {
public:
    explicit StorePaths(std::filesystem::path store) : store_(std::move(store)) {}

    const std::filesystem::path& store() const { return store_; }

    std::filesystem::path object(const Digest& digest) const {
        const std::string hex = digest.to_string();
        return store_ / "objects" / hex.substr(0, 2) / hex;
    }

    std::filesystem::path roots() const { return store_ / "roots"; }

    std::filesystem::path root(std::string_view key) const { return roots() / key; }

    std::filesystem::path boards() const { return store_ / "boards"; }

    std::filesystem::path board(std::string_view name) const { return boards() / name; }

    // A symbolic link to the tree of the current generation, for people.
    std::filesystem::path board_root(std::string_view name) const { return board(name) / "root"; }

    // A board's writable copy of one base. Each base has its own path, so that a board that still
    // runs from the last generation keeps the tree under its feet.
    std::filesystem::path board_root(std::string_view name, std::string_view base) const {
        return board(name) / ("root." + std::string(base));
    }

    // What outlives a board's roots: machine-id, SSH host keys.
    std::filesystem::path board_identity(std::string_view name) const {
        return board(name) / "identity";
    }

    // What an image became: its boot files by digest, the name of its root.
    std::filesystem::path images() const { return store_ / "images"; }

    std::filesystem::path image(const Digest& key) const {
        return images() / (key.to_string() + ".json");
    }

    std::filesystem::path generations() const { return store_ / "generations"; }

    std::filesystem::path generation(std::uint64_t number) const {
        return generations() / std::to_string(number);
    }

    std::filesystem::path manifest(std::uint64_t number) const {
        return generation(number) / "manifest.json";
    }

    // A symbolic link to generations/<n>, relative, replaced by rename.
    std::filesystem::path current() const { return store_ / "current"; }

    std::filesystem::path current_manifest() const { return current() / "manifest.json"; }

    // Held by whoever changes the store.
    std::filesystem::path lock() const { return store_ / "lock"; }

    std::filesystem::path state_db() const { return store_ / "state.db"; }

    std::filesystem::path nfs() const {
        return store_ / "nfs";
    }  // export configuration that apply writes

    std::filesystem::path staging() const {
        return store_ / "tmp";
    }  // half-made things; anything here may be removed

private:
    std::filesystem::path store_;
};

}  // namespace bramble::layout
