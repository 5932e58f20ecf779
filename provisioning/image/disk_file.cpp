#include "provisioning/image/disk_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "config/types/text.hpp"
#include "provisioning/host/posix.hpp"
#include "provisioning/image/packed_disk.hpp"

namespace bramble::image {
namespace {

using host::posix::failure;
using host::posix::Fd;
using Steady = std::chrono::steady_clock;

constexpr auto progress_every = std::chrono::seconds(2);
constexpr std::size_t hole_bytes = 1U << 12U;
constexpr std::uint64_t space_asked_every = 64ULL << 20U;

bool is_hole(std::string_view block) {
    return block.find_first_not_of('\0') == std::string_view::npos;
}

tl::unexpected<Error> refusal(const Expansion& expansion, std::string_view what) {
    return fail(fmt::format("'{}' {}", expansion.from.string(), what));
}

class Expander {
public:
    Expander(const Expansion& expansion, Fd to, PackedDisk& from)
        : expansion_(expansion), to_(std::move(to)), from_(from) {}

    Result<void> run() {
        for (;;) {
            const auto piece = from_.next();
            if (!piece) return no(piece.error().message);
            if (!*piece) break;
            if (auto done = put((*piece)->bytes, (*piece)->offset); !done) return done;
        }
        if (end_ == 0) return no("is empty");
        if (::ftruncate(to_.get(), static_cast<off_t>(end_)) != 0) {
            return failure("write", expansion_.to);
        }
        return {};
    }

private:
    tl::unexpected<Error> no(std::string_view what) const { return refusal(expansion_, what); }

    Result<void> put(std::string_view bytes, std::uint64_t offset) {
        if (offset > disk_bytes_max || bytes.size() > disk_bytes_max - offset) {
            return no(fmt::format("is refused: it unpacks to over {} GiB", disk_bytes_max >> 30U));
        }
        end_ = std::max(end_, offset + bytes.size());
        // Zeros are left out in whole blocks, and what lies between them is written at once.
        for (std::size_t at = 0; at < bytes.size();) {
            std::size_t end = at;
            while (end < bytes.size() && !is_hole(bytes.substr(end, hole_bytes)))
                end = std::min(end + hole_bytes, bytes.size());
            if (auto done = write(bytes.substr(at, end - at), offset + at); !done) return done;
            at = end + hole_bytes;
        }
        report();
        return {};
    }

    Result<void> write(std::string_view bytes, std::uint64_t offset) {
        if (bytes.empty()) return {};
        if (auto fits = count(bytes.size()); !fits) return fits;
        const ssize_t put =
            ::pwrite(to_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (put != static_cast<ssize_t>(bytes.size())) return failure("write", expansion_.to);
        return {};
    }

    Result<void> count(std::size_t size) {
        written_ += size;
        if (written_ > ratio_counts_from && written_ / written_per_read_max > from_.bytes_read()) {
            return no(fmt::format(
                "is refused: it unpacks to over {} times its size", written_per_read_max
            ));
        }
        if (written_ < space_asked_at_) return {};
        space_asked_at_ = written_ + space_asked_every;
        std::error_code error;
        const auto space = std::filesystem::space(expansion_.to.parent_path(), error);
        if (!error && space.available < free_bytes_min + space_asked_every) {
            return no(fmt::format(
                "does not fit: '{}' has only {} left; make room, or move the store",
                expansion_.to.parent_path().string(),
                describe_bytes(space.available)
            ));
        }
        return {};
    }

    void report() {
        if (!expansion_.progress || Steady::now() - reported_ < progress_every) return;
        reported_ = Steady::now();
        expansion_.progress(fmt::format("unpacked {} of the disk image", describe_bytes(end_)));
    }

    const Expansion& expansion_;
    Fd to_;
    PackedDisk& from_;
    std::uint64_t end_ = 0;
    std::uint64_t written_ = 0;
    std::uint64_t space_asked_at_ = 0;
    Steady::time_point reported_ = Steady::now();
};

}  // namespace

Result<void> expand_disk(const Expansion& expansion) {
    Fd to(::open(expansion.to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!to) return failure("make", expansion.to);
    const auto from = open_packed_disk(expansion.from, expansion.stop);
    if (!from) return refusal(expansion, from.error().message);
    return Expander(expansion, std::move(to), **from).run();
}

}  // namespace bramble::image
