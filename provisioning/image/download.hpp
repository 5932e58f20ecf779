// A file fetched over HTTP, resumed where an earlier try ended, and its sum checked. It refuses to
// know what is in the file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "config/types/digest.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::image {

struct Download {
    static constexpr std::uint64_t bytes_max = 64ULL << 30U;
    static constexpr int tries_max = 6;  // of one call, each going on where the last ended
    static constexpr long silence_max_s = 30;
    static constexpr long redirects_max = 8;

    std::string url;  // http or https
    host::Path to;    // beside it `to`.part grows, and stays for the next call when this one fails
    std::optional<Digest> sha256;                    // that it must have
    std::function<void(std::string_view)> progress;  // about every two seconds; may be empty
    std::stop_token stop;
};

// The file's sum. What was fetched of another version of the file (by its ETag or date) is fetched
// anew. Errors: nobody answers, the server says no, another sum than `sha256`, a full disk; each
// names the URL and says what to do.
[[nodiscard]] Result<Digest> download(host::Host& host, const Download& wanted);

// What the names of files begin with that are made while this URL is fetched: 16 hex digits, '-'.
std::string download_prefix(std::string_view url);

// Where an image's file lies while it is taken in.
host::Path download_path(const host::Path& downloads, std::string_view url);

// The last part of the URL's path, without its query: "raspios.img.xz". "download" when it has
// none.
std::string file_name_of(std::string_view url);

}  // namespace bramble::image
