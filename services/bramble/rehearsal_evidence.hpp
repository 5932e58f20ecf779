// The store and the NFS server as a rehearsal looks at them: objects mapped, kernels and initramfs
// unpacked, roots mounted through libnfs where a server runs and looked at directly where none
// does. It refuses to judge what it sees.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "config/layout/store_paths.hpp"
#include "provisioning/host/host.hpp"
#include "services/io/catalog.hpp"
#include "services/rehearsal/evidence.hpp"

namespace bramble::program {

class StoreEvidence final : public rehearsal::Evidence {
public:
    // `host` outlives it.
    StoreEvidence(const layout::StorePaths& store, host::Host& host)
        : host_(host), objects_(store) {}

    [[nodiscard]] Result<std::shared_ptr<const tftp::Content>> open(const layout::ObjectFile& object
    ) override;
    [[nodiscard]] Result<std::string> unpacked(const tftp::Content& kernel) override;
    [[nodiscard]] Result<rehearsal::InitramfsFacts> initramfs(const tftp::Content& archive
    ) override;
    [[nodiscard]] Result<std::unique_ptr<rehearsal::RootTree>> mount(
        const rehearsal::RootWanted& wanted
    ) override;

    // Whether anybody listens on the NFS port there.
    bool server_answers(const std::string& server);

private:
    host::Host& host_;
    io::ContentCache objects_;
    std::map<std::string, bool> answers_;  // by server: a port is tried once
};

}  // namespace bramble::program
