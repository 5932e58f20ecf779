// An export, mounted through libnfs, as rehearsals and `check --exports` look into it. It refuses
// to judge what it sees.
#pragma once

#include <string>
#include <vector>

#include "provisioning/nfs/client.hpp"
#include "services/rehearsal/export_check.hpp"

namespace bramble::program {

class MountedRoot final : public rehearsal::ExportTree {
public:
    MountedRoot(nfs::Client client, std::string how)
        : client_(std::move(client)), how_(std::move(how)) {}

    std::string how() const override { return how_; }

    [[nodiscard]] Result<std::optional<rehearsal::RootEntry>> status(const std::string& path
    ) override;
    [[nodiscard]] Result<std::string> read_link(const std::string& path) override;
    [[nodiscard]] Result<std::string> read_file(const std::string& path) override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) override;
    [[nodiscard]] Result<rehearsal::Access> access(const std::string& path) override;
    [[nodiscard]] Result<rehearsal::Room> room() override;

private:
    nfs::Client client_;
    std::string how_;
};

}  // namespace bramble::program
