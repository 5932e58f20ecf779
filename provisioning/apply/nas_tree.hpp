// A root tree on another machine while single files are written into it: root::Tree over nfs::Nas.
// It refuses to know what is written and why.
#pragma once

#include <utility>

#include "provisioning/nfs/nas.hpp"
#include "provisioning/root/tree.hpp"

namespace bramble::apply {

class NasTree final : public root::Tree {
public:
    // `root` is relative to the export.
    NasTree(nfs::Nas& nas, host::Path root) : nas_(nas), root_(std::move(root)) {}

    Result<std::optional<host::FileStatus>> status(const host::Path& relative) override {
        return nas_.status(root_, relative).map([](const std::optional<nfs::NasStatus>& there) {
            if (!there) return std::optional<host::FileStatus>();
            host::FileStatus status;
            status.kind = kind_of(there->kind);
            status.size = there->size;
            status.mode = there->mode;
            status.uid = there->uid;
            status.gid = there->gid;
            return std::optional(status);
        });
    }

    Result<std::string> read_file(const host::Path& relative) override {
        return nas_.read_file(root_, relative);
    }

    Result<std::vector<host::DirectoryEntry>> list(const host::Path& relative) override {
        return nas_.list(root_, relative).map([](const auto& names) {
            std::vector<host::DirectoryEntry> entries;
            for (const auto& [name, kind] : names) entries.push_back({name, kind_of(kind)});
            return entries;
        });
    }

    Result<void> write_file(
        const host::Path& relative, std::string_view bytes, std::uint32_t mode, host::Owner owner
    ) override {
        return nas_.write_file(root_, relative, bytes, like(mode, owner));
    }

    Result<void> make_directories(const host::Path& relative, std::uint32_t mode, host::Owner owner)
        override {
        return nas_.make_directories(root_, relative, like(mode, owner));
    }

    Result<void> symlink(const host::Path& relative, const host::Path& target) override {
        return nas_.symlink(root_, relative, target);
    }

    Result<void> remove(const host::Path& relative) override {
        return nas_.remove(root_, relative);
    }

private:
    static host::FileKind kind_of(nfs::NasKind kind) {
        switch (kind) {
            case nfs::NasKind::file:
                return host::FileKind::regular;
            case nfs::NasKind::directory:
                return host::FileKind::directory;
            case nfs::NasKind::symlink:
                return host::FileKind::symlink;
            case nfs::NasKind::other:
                break;
        }
        return host::FileKind::other;
    }

    static nfs::NasStatus like(std::uint32_t mode, host::Owner owner) {
        nfs::NasStatus like;
        like.mode = mode;
        like.uid = owner.uid;
        like.gid = owner.gid;
        return like;
    }

    nfs::Nas& nas_;
    host::Path root_;
};

}  // namespace bramble::apply
