// What a board's processor makes of what its firmware loaded: a kernel of another width, a damaged
// one, or one without a device tree never speaks. It refuses to run anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "services/wire_board/board_thread.hpp"

namespace bramble::virtual_fleet {

class Processor final : public wire_board::Loaded {
public:
    static constexpr std::size_t file_bytes_max = 128U << 20U;

    void on_bytes(std::string_view path, std::uint64_t offset, std::span<const std::byte> bytes)
        override;
    void on_file(std::string_view path) override;

    // As far as its bytes say: files whose content says nothing (stand-ins) run.
    std::string trouble() const override;

private:
    std::map<std::string, std::string, std::less<>> memory_;  // kernels and initramfs, by name
    std::string kernel_;                                      // names of those that came whole
    std::string initramfs_;
    bool device_tree_ = false;
};

}  // namespace bramble::virtual_fleet
