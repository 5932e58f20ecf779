#include "services/bramble/operator_token.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "config/layout/store_paths.hpp"
#include "services/io/file_descriptor.hpp"

namespace bramble::program {
namespace {

constexpr std::size_t random_bytes = 32;
constexpr std::size_t token_bytes_max = 250;

Result<std::string> failed(const std::filesystem::path& file, std::string_view what) {
    return fail(
        fmt::format("cannot {} the token in {}: {}", what, file.string(), std::strerror(errno))
    );
}

struct OpenFile {
    io::FileDescriptor fd;

    struct stat status {};
};

Result<OpenFile> open_token(const std::filesystem::path& file) {
    OpenFile out;
    out.fd =
        io::FileDescriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!out.fd.is_open() || ::fstat(out.fd.get(), &out.status) != 0) {
        return tl::unexpected(failed(file, "read").error());
    }
    if (!S_ISREG(out.status.st_mode) || (out.status.st_mode & 0077) != 0) {
        return fail(fmt::format(
            "the token in {} is not its owner's alone: `chmod 600 {}`", file.string(), file.string()
        ));
    }
    return out;
}

Result<std::string> first_line(const std::filesystem::path& file, const OpenFile& open) {
    std::array<char, token_bytes_max + 1> buffer{};
    const ssize_t count = ::read(open.fd.get(), buffer.data(), buffer.size());
    if (count < 0) return failed(file, "read");
    std::string token(buffer.data(), static_cast<std::size_t>(count));
    token.resize(std::min(token.find('\n'), token.size()));
    while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
    if (token.size() < token_bytes_min || token.size() > token_bytes_max) {
        return fail(fmt::format(
            "the token in {} is {} characters long: write one line of {} to {} there (`openssl "
            "rand -hex 32`)",
            file.string(),
            token.size(),
            token_bytes_min,
            token_bytes_max
        ));
    }
    return token;
}

// Errors: the machine's; nothing is left half made.
Result<void> make_token(const std::filesystem::path& file) {
    std::array<unsigned char, random_bytes> random{};
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
        return tl::unexpected(failed(file, "make").error());
    }
    const std::string line = fmt::format("{:02x}\n", fmt::join(random, ""));
    const std::string aside = fmt::format("{}.{}", file.string(), ::getpid());
    const io::FileDescriptor fd(
        ::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)
    );
    if (!fd.is_open()) return tl::unexpected(failed(file, "make").error());
    const bool written =
        ::write(fd.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
        ::fsync(fd.get()) == 0 &&
        // Another process may have made one meanwhile: that one stays.
        (::link(aside.c_str(), file.c_str()) == 0 || errno == EEXIST);
    const int error = errno;
    ::unlink(aside.c_str());
    errno = error;
    if (!written) return tl::unexpected(failed(file, "make").error());
    return {};
}

}  // namespace

std::filesystem::path operator_token_file(const fleet::Appliance& appliance) {
    return appliance.admin.token_file.value_or(appliance.store / "operator.token");
}

Result<std::string> read_token(const std::filesystem::path& file) {
    const auto open = open_token(file);
    if (!open) return tl::unexpected(open.error());
    return first_line(file, *open);
}

Result<std::string> read_or_make_operator_token(const fleet::Appliance& appliance) {
    const auto file = operator_token_file(appliance);
    if (appliance.admin.token_file) return read_token(file);

    struct stat there {};

    if (::lstat(file.c_str(), &there) != 0 && errno == ENOENT) {
        if (auto made = make_token(file); !made) return tl::unexpected(made.error());
    }
    const auto open = open_token(file);
    if (!open) return tl::unexpected(open.error());
    if (open->status.st_uid != ::geteuid()) {
        return fail(fmt::format(
            "the token in {} was not made by who runs this: remove it, and `sudo bramble token` "
            "makes another",
            file.string()
        ));
    }
    return first_line(file, *open);
}

}  // namespace bramble::program
