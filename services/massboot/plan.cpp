#include "services/massboot/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "services/rehearsal/boot_files.hpp"

namespace bramble::massboot {
namespace {

using virtual_board::BoardSpec;

constexpr std::uint64_t text_bytes_max = 65'536;
constexpr std::string_view cmdline =
    "console=tty1 root=/dev/nfs nfsroot=10.0.0.1:/srv/root,vers=3,tcp,rsize=131072,wsize=131072 rw "
    "ip=dhcp rootwait\n";
constexpr std::string_view config = "arm_64bit=1\nauto_initramfs=1\ndtoverlay=disable-bt\n";

// Bytes that nobody looks at: each file is the beginning of one run of zeros.
class Zeros {
public:
    explicit Zeros(std::uint64_t largest)
        : zeros_(std::make_shared<const std::vector<std::byte>>(largest)) {}

    std::shared_ptr<const tftp::Content> first(std::uint64_t bytes) const {
        struct Held {
            tftp::Content content;
            std::shared_ptr<const std::vector<std::byte>> zeros;
        };

        auto held = std::make_shared<const Held>(Held{{std::span(*zeros_).first(bytes)}, zeros_});
        return {held, &held->content};
    }

private:
    std::shared_ptr<const std::vector<std::byte>> zeros_;
};

std::shared_ptr<const tftp::Content> of_text(std::string text) {
    struct Held {
        tftp::Content content;
        std::string text;
    };

    auto held = std::make_shared<Held>(Held{{}, std::move(text)});
    held->content.bytes = std::as_bytes(std::span(held->text));
    return {held, &held->content};
}

BoardSpec spec_of(
    std::size_t index, BoardModel model, const virtual_board::Profile& profile, std::uint64_t seed
) {
    BoardSpec spec;
    spec.profile = profile;
    spec.mac = MacAddress(
        {0xdc,
         0xa6,
         0x32,
         0,
         static_cast<std::uint8_t>(index >> 8U),
         static_cast<std::uint8_t>(index)}
    );
    spec.serial = Serial(0x10000000U + static_cast<std::uint32_t>(index));
    spec.revision = virtual_board::usual_revision(model);
    spec.seed = seed * 0x9e3779b97f4a7c15ULL + index;
    spec.digests = false;
    return spec;
}

Duration power_after(std::size_t index, std::size_t boards, Duration stagger) {
    return stagger / static_cast<Duration::rep>(boards) * static_cast<Duration::rep>(index);
}

admission::Settings admission_for(std::uint64_t link_bits_per_second) {
    admission::Settings settings;
    settings.link_bytes_per_second = admission::payload_bytes_per_second(link_bits_per_second);
    return settings;
}

Files files_of_size(std::uint64_t boot_bytes, virtual_board::Family family) {
    struct Named {
        const char* path;
        std::uint64_t bytes;
    };

    using virtual_board::Family;
    std::vector<Named> named;
    const char* kernel = "kernel8.img";
    const char* initramfs = "initramfs8";
    if (family == Family::pi3) {
        named = {
            {"bootcode.bin", 52'456},
            {"start.elf", 2'966'048},
            {"fixup.dat", 7'221},
            {"bcm2710-rpi-3-b-plus.dtb", 31'000}};
    } else if (family == Family::pi4) {
        named = {{"start4.elf", 2'303'680}, {"fixup4.dat", 5'352}, {"bcm2711-rpi-4-b.dtb", 47'484}};
    } else {
        named = {{"bcm2712-rpi-5-b.dtb", 78'744}};
        kernel = "kernel_2712.img";
        initramfs = "initramfs_2712";
    }
    named.push_back({"overlays/overlay_map.dtb", 5'971});
    named.push_back({"overlays/disable-bt.dtbo", 1'073});
    std::uint64_t left = boot_bytes - config.size() - cmdline.size();
    for (const Named& file : named) left -= file.bytes;
    // Kernel and initramfs as they are to each other today.
    named.push_back({kernel, left * 45 / 100});
    named.push_back({initramfs, left - left * 45 / 100});
    std::uint64_t largest = 0;  // of a small boot not the kernel but start.elf
    for (const Named& file : named) largest = std::max(largest, file.bytes);
    const Zeros zeros(largest);
    Files files;
    for (const Named& file : named) files[file.path] = zeros.first(file.bytes);
    files["config.txt"] = of_text(std::string(config));
    files["cmdline.txt"] = of_text(std::string(cmdline));
    return files;
}

std::uint64_t size_of(const layout::BootFile& file) {
    if (const auto* object = std::get_if<layout::ObjectFile>(&file)) return object->size;
    return std::get<layout::TextFile>(file).text.size();
}

std::string group_of(const fleet::Fleet& fleet, const fleet::Board& board) {
    if (!board.group.empty()) return board.group;
    const fleet::Profile* profile = fleet.find_profile(board.profile);
    return profile == nullptr ? "" : profile->group;
}

// What a fleet's board runs: the operator's choice for the models that share the Pi 4's firmware.
const virtual_board::Profile& profile_for(BoardModel model, const virtual_board::Profile& pi4) {
    const virtual_board::Profile& usual = virtual_board::usual_profile(model);
    return usual.family == virtual_board::Family::pi4 ? pi4 : usual;
}

}  // namespace

std::uint64_t Plan::bytes_to_fetch() const {
    std::uint64_t sum = 0;
    for (const PlannedBoard& board : boards) {
        for (const admission::PlannedFile& file : board.fetches) sum += file.bytes;
    }
    return sum;
}

Result<Plan> plan_of_equals(const PlanOptions& options) {
    if (options.boards == 0 || options.boards > boards_max) {
        return fail(fmt::format("the number of boards must be 1 to {}", boards_max));
    }
    if (options.boot_bytes < boot_bytes_min || options.boot_bytes > file_bytes_max) {
        return fail(fmt::format(
            "what a board fetches must be {} to {} bytes", boot_bytes_min, file_bytes_max
        ));
    }
    Plan plan;
    plan.link_bits_per_second = options.link_bits_per_second;
    plan.admission = admission_for(options.link_bits_per_second);
    const auto files =
        std::make_shared<const Files>(files_of_size(options.boot_bytes, options.profile.family));
    std::vector<admission::PlannedFile> fetches;
    for (const auto& [path, content] : *files) fetches.push_back({path, content->bytes.size()});
    for (unsigned i = 0; i < options.boards; ++i) {
        plan.boards.push_back(
            {fmt::format("board-{:04}", i + 1),
             "",
             spec_of(i, options.profile.model, options.profile, options.seed),
             files,
             power_after(i, options.boards, options.stagger),
             fetches}
        );
    }
    return plan;
}

Result<Plan> plan_of_fleet(
    const fleet::Fleet& fleet,
    const layout::Manifest& generation,
    const ReadText& read_text,
    const PlanOptions& options
) {
    Plan plan;
    plan.link_bits_per_second = options.link_bits_per_second;
    plan.admission = admission_for(options.link_bits_per_second);
    std::uint64_t largest = 0;
    for (const auto& [name, tree] : generation.trees) {
        for (const auto& [path, file] : tree) largest = std::max(largest, size_of(file));
    }
    for (const layout::BoardEntry& entry : generation.boards) {
        for (const auto& [path, file] : entry.files) largest = std::max(largest, size_of(file));
    }
    if (largest > file_bytes_max) {
        return fail(fmt::format("a file of the generation has more than {} bytes", file_bytes_max));
    }
    const Zeros zeros(largest);
    const auto content_of = [&](const layout::BootFile& file) {
        if (const auto* text = std::get_if<layout::TextFile>(&file)) return of_text(text->text);
        const auto& object = std::get<layout::ObjectFile>(file);
        if (object.size <= text_bytes_max) {
            if (auto text = read_text(object)) return of_text(std::move(*text));
        }
        return zeros.first(object.size);
    };
    std::map<std::string, Files> trees;
    for (const auto& [name, tree] : generation.trees) {
        for (const auto& [path, file] : tree) trees[name][path] = content_of(file);
    }
    for (const layout::BoardEntry& entry : generation.boards) {
        const fleet::Board* board = fleet.find_board(entry.name);
        if (board == nullptr || entry.model == BoardModel::generic) continue;
        if (plan.boards.size() == boards_max) break;
        Files files = trees[entry.tree];
        for (const auto& [path, file] : entry.files) files[path] = content_of(file);
        plan.boards.push_back(
            {entry.name,
             group_of(fleet, *board),
             spec_of(
                 plan.boards.size(),
                 entry.model,
                 profile_for(entry.model, options.profile),
                 options.seed
             ),
             std::make_shared<const Files>(std::move(files)),
             Duration{},
             rehearsal::boot_files_of(generation, entry)}
        );
    }
    if (plan.boards.empty()) {
        return fail("the generation has no board with Raspberry Pi firmware to simulate");
    }
    for (std::size_t i = 0; i < plan.boards.size(); ++i) {
        plan.boards[i].power_after = power_after(i, plan.boards.size(), options.stagger);
    }
    return plan;
}

}  // namespace bramble::massboot
