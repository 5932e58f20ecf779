#include "provisioning/image/xz_disk.hpp"

#include <fmt/format.h>
#include <lzma.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace bramble::image {
namespace {

constexpr std::string_view xz_magic("\xFD\x37\x7A\x58\x5A\x00", 6);
constexpr std::size_t packed_block_bytes = 1U << 18U;
constexpr std::size_t piece_bytes = 1U << 20U;
constexpr std::uint64_t memory_max = 1ULL << 30U;          // more is refused: `xz -9` needs 65 MiB
constexpr std::uint64_t threads_memory_max = 512U << 20U;  // more makes them fewer
constexpr std::uint32_t stop_heard_ms = 200;

tl::unexpected<Error> refusal(lzma_ret code) {
    switch (code) {
        case LZMA_FORMAT_ERROR:
        case LZMA_DATA_ERROR:
            return fail("is damaged or cut short (some of it is no .xz data): fetch it again");
        case LZMA_BUF_ERROR:
            return fail("is damaged or cut short (it ends in the middle): fetch it again");
        case LZMA_OPTIONS_ERROR:
            return fail("is compressed in a way that this machine's liblzma does not know");
        case LZMA_MEMLIMIT_ERROR:
            return fail(fmt::format(
                "is refused: it wants over {} MiB of memory to be unpacked", memory_max >> 20U
            ));
        case LZMA_MEM_ERROR:
            return fail("cannot be unpacked: there is no memory for it");
        default:
            break;
    }
    return fail(fmt::format("cannot be unpacked: liblzma says {}", static_cast<int>(code)));
}

class XzDisk final : public PackedDisk {
public:
    XzDisk(host::posix::Fd file, std::stop_token stop)
        : file_(std::move(file)), stop_(std::move(stop)) {}

    XzDisk(const XzDisk&) = delete;
    XzDisk& operator=(const XzDisk&) = delete;

    ~XzDisk() override { lzma_end(&stream_); }

    Result<void> begin() {
        lzma_mt options{};
        options.flags = LZMA_CONCATENATED;
        options.threads = std::clamp(std::thread::hardware_concurrency(), 1U, 64U);
        options.timeout = stop_heard_ms;
        options.memlimit_threading = threads_memory_max;
        options.memlimit_stop = memory_max;
        const lzma_ret code = lzma_stream_decoder_mt(&stream_, &options);
        if (code != LZMA_OK) return refusal(code);
        return {};
    }

    Result<std::optional<DiskPiece>> next() override {
        stream_.next_out = piece_.data();
        stream_.avail_out = piece_.size();
        while (stream_.avail_out > 0 && !ended_) {
            if (stop_.stop_requested()) return fail("was not unpacked: stopped");
            if (auto read = fill(); !read) return tl::unexpected(read.error());
            const lzma_ret code = lzma_code(&stream_, whole_ ? LZMA_FINISH : LZMA_RUN);
            if (code != LZMA_OK && code != LZMA_STREAM_END) return refusal(code);
            ended_ = code == LZMA_STREAM_END;
        }
        const std::size_t size = piece_.size() - stream_.avail_out;
        if (size == 0) return std::optional<DiskPiece>();
        const std::string_view bytes(reinterpret_cast<const char*>(piece_.data()), size);
        return DiskPiece{bytes, stream_.total_out - size};
    }

    std::uint64_t bytes_read() const override { return stream_.total_in; }

private:
    Result<void> fill() {
        if (stream_.avail_in > 0 || whole_) return {};
        const ssize_t got = ::read(file_.get(), packed_.data(), packed_.size());
        if (got < 0) {
            const std::error_code reason(errno, std::generic_category());
            return fail("cannot be read: " + reason.message());
        }
        whole_ = got == 0;
        stream_.next_in = packed_.data();
        stream_.avail_in = static_cast<std::size_t>(got);
        return {};
    }

    host::posix::Fd file_;
    std::stop_token stop_;
    lzma_stream stream_ = LZMA_STREAM_INIT;
    std::vector<std::uint8_t> packed_ = std::vector<std::uint8_t>(packed_block_bytes);
    std::vector<std::uint8_t> piece_ = std::vector<std::uint8_t>(piece_bytes);
    bool whole_ = false;  // read to its end
    bool ended_ = false;
};

}  // namespace

bool begins_as_xz(std::string_view start) {
    return start.starts_with(xz_magic);
}

Result<std::unique_ptr<PackedDisk>> open_xz_disk(
    host::posix::Fd file, const std::stop_token& stop
) {
    auto disk = std::make_unique<XzDisk>(std::move(file), stop);
    if (auto begun = disk->begin(); !begun) return tl::unexpected(begun.error());
    return disk;
}

}  // namespace bramble::image
