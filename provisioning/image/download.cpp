#include "provisioning/image/download.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "config/types/text.hpp"
#include "provisioning/host/posix.hpp"

namespace bramble::image {
namespace {

using host::Path;
using host::posix::failure;
using host::posix::Fd;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds progress_pause{2};
constexpr std::size_t validator_bytes_max = 1024;

struct CurlDeleter {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }

    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

enum class End { complete, again, anew, refused };

// One request and what came of it.
class Attempt {
public:
    Attempt(const Download& wanted, Path part, Path validator, host::Host& host)
        : wanted_(wanted),
          part_(std::move(part)),
          validator_file_(std::move(validator)),
          host_(host) {}

    End run(std::string& reason) {
        file_ = Fd(::open(part_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
        if (!file_) return refuse(reason, failure("open", part_).value().message);

        struct stat found {};

        if (::fstat(file_.get(), &found) != 0) {
            return refuse(reason, failure("look at", part_).value().message);
        }
        begin_ = static_cast<std::uint64_t>(found.st_size);
        const auto known = host_.read_file(validator_file_, validator_bytes_max);
        if (!known && begin_ > 0) {  // of which file these bytes are, nobody knows
            if (::ftruncate(file_.get(), 0) != 0) {
                return refuse(reason, failure("cut", part_).value().message);
            }
            begin_ = 0;
        }
        return ask(known ? *known : std::string(), reason);
    }

private:
    static End refuse(std::string& reason, std::string why) {
        reason = std::move(why);
        return End::refused;
    }

    End ask(const std::string& known, std::string& reason) {
        const std::unique_ptr<CURL, CurlDeleter> curl(curl_easy_init());
        if (!curl) return refuse(reason, "libcurl does not start");
        curl_ = curl.get();
        std::unique_ptr<curl_slist, CurlDeleter> headers;
        if (begin_ > 0) {
            const auto add = [&](const std::string& line) {
                headers.reset(curl_slist_append(headers.release(), line.c_str()));
            };
            add(fmt::format("Range: bytes={}-", begin_));
            add("If-Range: " + known);
        }
        std::array<char, CURL_ERROR_SIZE> detail{};
        curl_easy_setopt(curl_, CURLOPT_URL, wanted_.url.c_str());
        curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl_, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl_, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(curl_, CURLOPT_MAXREDIRS, Download::redirects_max);
        curl_easy_setopt(curl_, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT, Download::silence_max_s);
        curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_TIME, Download::silence_max_s);
        curl_easy_setopt(curl_, CURLOPT_USERAGENT, "bramble");
        curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers.get());
        curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, detail.data());
        curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, &Attempt::on_header);
        curl_easy_setopt(curl_, CURLOPT_HEADERDATA, this);
        curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, &Attempt::on_bytes);
        curl_easy_setopt(curl_, CURLOPT_WRITEDATA, this);
        curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, &Attempt::on_progress);
        curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, this);
        const CURLcode code = curl_easy_perform(curl_);
        return judge(code, detail.data(), reason);
    }

    End judge(CURLcode code, const char* detail, std::string& reason) {
        if (!refusal_.empty()) return refuse(reason, refusal_);
        if (code == CURLE_OK) {
            if (::fsync(file_.get()) != 0) {
                return refuse(reason, failure("write", part_).value().message);
            }
            return End::complete;
        }
        if (wanted_.stop.stop_requested()) {
            return refuse(reason, "stopped; what came is kept, and the next apply goes on there");
        }
        long status = 0;
        curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
        if (code == CURLE_HTTP_RETURNED_ERROR) {
            reason = fmt::format("the server answers {}", status);
            if (status == 416) return End::anew;  // what we have is no beginning of what it has
            const bool passing = status == 408 || status == 429 || status >= 500;
            return passing ? End::again : End::refused;
        }
        reason = *detail != '\0' ? detail : curl_easy_strerror(code);
        const bool passing = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
                             code == CURLE_OPERATION_TIMEDOUT || code == CURLE_PARTIAL_FILE ||
                             code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
                             code == CURLE_GOT_NOTHING;
        return passing ? End::again : End::refused;
    }

    // ETag or Last-Modified, for If-Range (RFC 9110 §13.1.5): a weak ETag cannot be resumed upon.
    static std::size_t on_header(char* text, std::size_t one, std::size_t count, void* self) {
        auto& attempt = *static_cast<Attempt*>(self);
        std::string line(text, one * count);
        while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.pop_back();
        if (line.starts_with("HTTP/")) {  // of a redirection until now
            attempt.etag_.clear();
            attempt.date_.clear();
        }
        const auto colon = line.find(": ");
        if (colon == std::string::npos) return one * count;
        std::string name = line.substr(0, colon);
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
            return static_cast<char>(std::tolower(c));
        });
        const std::string value = line.substr(colon + 2);
        if (name == "etag" && !value.starts_with("W/")) attempt.etag_ = value;
        if (name == "last-modified") attempt.date_ = value;
        return one * count;
    }

    static std::size_t on_bytes(char* bytes, std::size_t one, std::size_t count, void* self) {
        auto& attempt = *static_cast<Attempt*>(self);
        return attempt.take(bytes, one * count) ? one * count : 0;
    }

    bool take(const char* bytes, std::size_t count) {
        if (!begun_ && !begin_writing()) return false;
        if (at_ + count > Download::bytes_max) {
            refusal_ = fmt::format("it is larger than {}", describe_bytes(Download::bytes_max));
            return false;
        }
        for (std::size_t done = 0; done < count;) {
            const ssize_t wrote =
                ::pwrite(file_.get(), bytes + done, count - done, static_cast<off_t>(at_ + done));
            if (wrote < 0 && errno == EINTR) continue;
            if (wrote < 0) {
                refusal_ = failure("write", part_).value().message;
                return false;
            }
            done += static_cast<std::size_t>(wrote);
        }
        at_ += count;
        return true;
    }

    // 206: the rest. 200: the whole, since the file is another one now or the server knows no
    // ranges.
    bool begin_writing() {
        begun_ = true;
        long status = 0;
        curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
        at_ = status == 206 ? begin_ : 0;
        if (::ftruncate(file_.get(), static_cast<off_t>(at_)) != 0) {
            refusal_ = failure("cut", part_).value().message;
            return false;
        }
        const std::string validator = etag_.empty() ? date_ : etag_;
        const auto kept = validator.empty() || validator.size() > validator_bytes_max
                              ? host_.remove_all(validator_file_)
                              : host_.write_file(validator_file_, validator);
        if (!kept) refusal_ = kept.error().message;
        return kept.has_value();
    }

    static int on_progress(
        void* self, curl_off_t total, curl_off_t now, curl_off_t /*up_total*/, curl_off_t /*up*/
    ) {
        auto& attempt = *static_cast<Attempt*>(self);
        if (attempt.wanted_.stop.stop_requested()) return 1;
        attempt.tell(static_cast<std::uint64_t>(total), static_cast<std::uint64_t>(now));
        return 0;
    }

    void tell(std::uint64_t total, std::uint64_t now) {
        const auto moment = Clock::now();
        if (!wanted_.progress || total == 0 || moment < told_ + progress_pause) return;
        told_ = moment;
        const double seconds = std::chrono::duration<double>(moment - started_).count();
        const double rate = static_cast<double>(now) / std::max(seconds, 0.001);
        const std::uint64_t before = at_ >= now ? at_ - now : 0;
        std::string line = fmt::format(
            "fetched {} of {}", describe_bytes(before + now), describe_bytes(before + total)
        );
        if (rate > 1) {
            const auto left =
                std::chrono::duration<double>(static_cast<double>(total - now) / rate);
            line += fmt::format(
                ", {}/s, {} left",
                describe_bytes(static_cast<std::uint64_t>(rate)),
                describe(std::chrono::duration_cast<std::chrono::seconds>(left))
            );
        }
        wanted_.progress(line);
    }

    const Download& wanted_;
    Path part_;
    Path validator_file_;
    host::Host& host_;
    Fd file_;
    CURL* curl_ = nullptr;
    std::uint64_t begin_ = 0;  // of the file that we have already
    std::uint64_t at_ = 0;
    bool begun_ = false;
    std::string etag_;
    std::string date_;
    std::string refusal_;
    Clock::time_point started_ = Clock::now();
    Clock::time_point told_ = started_;
};

void pause(std::chrono::seconds length, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any waiting;
    std::unique_lock lock(mutex);
    waiting.wait_for(lock, stop, length, [] { return false; });
}

}  // namespace

Result<Digest> download(host::Host& host, const Download& wanted) {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started != CURLE_OK) return fail("libcurl does not start");
    Path part = wanted.to;
    part += ".part";
    Path validator = wanted.to;
    validator += ".part.of";
    std::string reason;
    std::chrono::seconds before_next{1};
    bool complete = false;
    for (int tries = 0; tries < Download::tries_max && !complete; ++tries) {
        if (tries > 0) {
            if (wanted.progress) wanted.progress(fmt::format("{}: trying again", reason));
            pause(before_next, wanted.stop);
            before_next *= 2;
        }
        const End end = Attempt(wanted, part, validator, host).run(reason);
        complete = end == End::complete;
        if (end == End::refused) break;
        if (end != End::anew) continue;
        if (auto removed = host.remove_all(part); !removed) return tl::unexpected(removed.error());
    }
    if (!complete) {
        return fail(fmt::format(
            "cannot fetch '{}': {}; what came is kept, so run apply again when it is mended",
            wanted.url,
            reason
        ));
    }
    const auto sum = host.hash_file(part);
    if (!sum) return tl::unexpected(sum.error());
    if (wanted.sha256 && sum->digest != *wanted.sha256) {
        const auto removed = host.remove_all(part);
        if (!removed) return tl::unexpected(removed.error());
        return fail(fmt::format(
            "'{}' has the SHA-256 {}, and the fleet file says {}: it was thrown away; correct "
            "sha256: when the new one is the one you want",
            wanted.url,
            sum->digest.to_string(),
            wanted.sha256->to_string()
        ));
    }
    return host.rename(part, wanted.to)
        .and_then([&] { return host.remove_all(validator); })
        .map([&] { return sum->digest; });
}

std::string download_prefix(std::string_view url) {
    constexpr std::size_t digits = 16;
    return Digest::of(url).to_string().substr(0, digits) + "-";
}

Path download_path(const Path& downloads, std::string_view url) {
    return downloads / (download_prefix(url) + file_name_of(url));
}

std::string file_name_of(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    const auto host = url.find("://");
    if (host != std::string_view::npos) url.remove_prefix(host + 3);
    const auto slash = url.rfind('/');
    std::string name;
    for (const char c : slash == std::string_view::npos ? "" : url.substr(slash + 1)) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = std::isalnum(byte) != 0 || c == '.' || c == '-' || c == '_' || c == '+';
        name += plain ? c : '_';
    }
    constexpr std::size_t name_max = 150;  // with ".part.of" and a key it still is a file's name
    if (name.size() > name_max) name.erase(0, name.size() - name_max);
    return name.empty() || name.front() == '.' ? "download" + name : name;
}

}  // namespace bramble::image
