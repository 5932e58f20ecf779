// Any text as a fleet file that includes any other: a fleet or problems, never a throw, and every
// problem can be printed. A NUL parts the two files.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "config/yaml/load.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

class TwoFiles : public bramble::yaml::FileReader {
public:
    explicit TwoFiles(std::string_view text)
        : fleet_(text.substr(0, text.find('\0'))),
          included_(text.substr(std::min(text.size(), fleet_.size() + 1))) {}

    bramble::Result<std::string> read(const std::filesystem::path& file, std::size_t bytes_max)
        override {
        const std::string& text = file == "/lab/fleet.yaml" ? fleet_ : included_;
        if (text.size() > bytes_max) return bramble::fail("it is too long");
        return text;
    }

    bramble::Result<std::vector<std::string>> list(const std::filesystem::path& /*directory*/)
        override {
        return std::vector<std::string>{"fleet.yaml", "a.yaml"};
    }

    std::filesystem::path current_directory() override { return "/lab"; }

private:
    std::string fleet_;
    std::string included_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bramble;
    TwoFiles files({reinterpret_cast<const char*>(data), size});
    const yaml::LoadResult result = yaml::load("fleet.yaml", files);
    std::size_t errors = 0;
    for (const yaml::Diagnostic& one : result.diagnostics) {
        if (one.severity == yaml::Severity::error) ++errors;
        const std::string text = yaml::render(one);
        require(text.ends_with("\n") && !one.message.empty());
    }
    require(result.fleet.has_value() == (errors == 0));
    if (!result.fleet) return 0;
    for (const fleet::Board& board : result.fleet->boards) {
        require(result.fleet->find_profile(board.profile) != nullptr);
        require(board.serial || board.mac);
        require(!board.address || result.fleet->appliance.address.has_host(*board.address));
    }
    fleet_digest(*result.fleet);
    return 0;
}
