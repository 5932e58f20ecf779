// What keys ask of the machine beside files: which compilers it has. Each is asked once, for all
// kernels that it builds; it refuses to know what is built.
#pragma once

#include <map>
#include <string>

#include "config/fleet/fleet.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::kernel {

class Inquiry {
public:
    // Of one program that tells its version.
    static constexpr std::chrono::seconds answer_max{10};

    explicit Inquiry(host::Host& host) : host_(host) {}

    host::Host& host() const { return host_; }

    // The versions of the cross compiler and its linker as they tell them: "aarch64-linux-gnu-gcc
    // (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40". Empty: there is no such
    // compiler. Errors: one that does not say its version, or not within `answer_max`.
    [[nodiscard]] Result<std::string> compiler(fleet::KernelArch arch);

    // Nobody asks for this one: it is as it was told before.
    void assume(fleet::KernelArch arch, std::string compiler);

private:
    [[nodiscard]] Result<std::string> ask(fleet::KernelArch arch) const;

    host::Host& host_;
    std::map<fleet::KernelArch, Result<std::string>> compilers_;  // failures, too
};

}  // namespace bramble::kernel
