// Commands run inside a root of any architecture as if it were a running system: with /proc, /dev,
// name resolution and a place for packages, none of which stays. It refuses to know what the
// commands are for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provisioning/image/ingest.hpp"

namespace bramble::image {

// Each command runs in mount, PID, IPC and UTS namespaces of its own, through QEMU's user mode
// where the root is another machine's, and dies with this process. The root must be a copy that is
// thrown away when anything here fails: what is put in for the time being is only taken out by
// `close`.
class Inside {
public:
    static constexpr std::chrono::hours command_limit{2};
    static constexpr std::uint64_t output_bytes_max = 64U << 20U;  // of one command

    Inside(const Path& root, const Workshop& workshop) : root_(root), workshop_(workshop) {}

    // Errors: programs that are missing here, a root whose processor cannot be told.
    [[nodiscard]] Result<void> open();

    // `title` heads its output in the log. Errors quote the output from the failing line on.
    [[nodiscard]] Result<void> run(const std::string& title, const std::vector<std::string>& argv);

    [[nodiscard]] Result<void> close();

private:
    // A file of ours in a place of the root's, and what stood there before.
    struct Loan {
        Path path;
        std::string bytes;
        std::optional<host::FileStatus> before;
        std::string before_bytes;  // of a file; a link's target
    };

    [[nodiscard]] Result<void> lend(const Path& path, std::string bytes, std::uint32_t mode);
    [[nodiscard]] Result<void> take_back(const Loan& loan);
    [[nodiscard]] Result<void> make_places();

    const Path& root_;
    const Workshop& workshop_;
    std::string architecture_;
    std::string emulator_;
    std::vector<Loan> loans_;
};

// What of an output a person needs first: from the line on that speaks of an error, else its end.
std::string from_failing_line(const std::vector<std::string>& lines);

struct Processor {
    std::string_view architecture;  // Debian's name
    std::string_view emulator;      // of qemu-user-static and its binfmt.d file
};

// By the ELF header of a program; none for other bytes and for processors that are not known here.
std::optional<Processor> processor_of(std::string_view program);

}  // namespace bramble::image
