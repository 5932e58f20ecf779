// One line to a program on this machine and one line back, over a socket in the file system: who
// speaks is known by the kernel. It refuses to know what is said.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "config/types/result.hpp"
#include "config/types/time_point.hpp"
#include "services/io/file_descriptor.hpp"

namespace bramble::io {

// Blocks. Errors: nobody listens there, no answer in time, one that is too long.
[[nodiscard]] Result<std::string> call_local(
    const std::filesystem::path& socket, std::string_view line, Duration timeout
);

struct LocalCaller {
    uid_t user = 0;
    std::string name;  // "bramble", or the number of a user without one
};

struct LocalLimits {
    std::size_t line_bytes_max = 8 * 1024;
    Duration line_timeout = std::chrono::seconds(5);
};

class LocalListener {
public:
    // Makes the socket, for its owner and the group of `user` alone; one that is left over from a
    // process that is gone is replaced. Errors: no such user, no such directory, another listens.
    [[nodiscard]] static Result<LocalListener> open(
        const std::filesystem::path& socket, const std::string& user
    );

    // The socket that systemd made and handed over. Errors: it handed over none, or not one.
    [[nodiscard]] static Result<LocalListener> from_service_manager();

    static bool is_handed_over();  // LISTEN_FDS is there, for us

    // Answers callers one after the other: a line that did not come whole in time gets no answer.
    // Returns when `stop` can be read, or when nobody called for `idle` (zero: never).
    void run(
        int stop,
        Duration idle,
        const std::function<std::string(const LocalCaller&, std::string_view)>& answer,
        LocalLimits limits = {}
    );

private:
    explicit LocalListener(FileDescriptor socket) : socket_(std::move(socket)) {}

    FileDescriptor socket_;
};

}  // namespace bramble::io
