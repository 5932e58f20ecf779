// The files of a finished kernel, put where the store expects them: boot/, modules/, config. It
// refuses to know whether they were built here or came in a package.
#pragma once

#include "provisioning/kernel/build.hpp"

namespace bramble::kernel {

class Gathering {
public:
    explicit Gathering(const Workshop& workshop)
        : host_(workshop.host),
          stop_(workshop.stop),
          log_(workshop.log),
          directory_(workshop.staging / "result") {}

    const Path& directory() const { return directory_; }

    Path boot() const { return directory_ / "boot"; }

    Path modules() const { return directory_ / "modules"; }

    [[nodiscard]] Result<void> begin();

    // Device trees of Raspberry Pis from `from` (and broadcom/ and overlays/ below it), by the
    // names that their firmware asks for; none there is fine.
    [[nodiscard]] Result<void> add_device_trees(const Path& from);

    // lib/modules/RELEASE of `tree`, or usr/lib/modules/RELEASE as Debian 13 has it; it is moved.
    [[nodiscard]] Result<void> adopt_modules(const Path& tree, const std::string& release);

    // Lists what each module needs, and takes out the links to where they were built.
    [[nodiscard]] Result<void> finish_modules(const std::string& release);

    // Keeps the final configuration beside the kernel.
    [[nodiscard]] Result<Options> add_configuration(const Path& from);

private:
    [[nodiscard]] Result<void> copy_some(
        const Path& from, const Path& to, std::string_view begin, std::string_view end
    );

    host::Host& host_;
    const std::stop_token stop_;
    const Path log_;
    const Path directory_;
};

}  // namespace bramble::kernel
