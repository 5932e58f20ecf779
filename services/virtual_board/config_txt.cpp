#include "services/virtual_board/config_txt.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace bramble::virtual_board {

namespace {

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::optional<unsigned long> number(std::string_view text) {
    const bool hex = text.starts_with("0x");
    if (hex) text.remove_prefix(2);
    unsigned long value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// Repeated filters of one kind replace each other, different kinds are joined by AND.
class Filters {
public:
    explicit Filters(const FilterFacts& facts) : facts_(facts) {}

    void apply(std::string_view name) {
        if (name == "all") {
            kinds_.clear();
        } else if (name == "none") {
            kinds_["none"] = false;
        } else if (name.starts_with("0x")) {
            kinds_["serial"] = number(name) == facts_.serial.value();
        } else if (name.starts_with("board-type=")) {
            kinds_["board-type"] = number(name.substr(11)) == facts_.board_type;
        } else if (name.starts_with("pi") || name.starts_with("cm")) {
            kinds_["model"] = is_model(name);
        } else {
            // gpio4=1, EDID=…, HDMI:1, tryboot, partition=…: nothing is plugged in, nothing tried.
            kinds_[std::string(name.substr(0, name.find_first_of("=:&0123456789")))] = false;
        }
    }

    bool pass() const {
        return std::ranges::all_of(kinds_, [](const auto& kind) { return kind.second; });
    }

private:
    // D:config_txt conditional: pi4 holds for 4B, 400 and CM4, pi3 for every 3, pi5 for 5 and CM5.
    bool is_model(std::string_view name) const {
        const BoardModel model = facts_.model;
        if (name == "pi3") return model == BoardModel::pi3;
        if (name == "pi3+") return model == BoardModel::pi3 && facts_.is_3b_plus;
        if (name == "pi4") {
            return model == BoardModel::pi4 || model == BoardModel::pi400 ||
                   model == BoardModel::cm4;
        }
        if (name == "pi400") return model == BoardModel::pi400;
        if (name == "cm4") return model == BoardModel::cm4 && facts_.board_type == 0x14;
        if (name == "cm4s") return model == BoardModel::cm4 && facts_.board_type == 0x15;
        if (name == "pi5") return model == BoardModel::pi5;
        if (name == "pi500") return model == BoardModel::pi5 && facts_.board_type == 0x19;
        if (name == "cm5") {
            return model == BoardModel::pi5 &&
                   (facts_.board_type == 0x18 || facts_.board_type == 0x1a);
        }
        return false;
    }

    const FilterFacts& facts_;
    std::map<std::string, bool, std::less<>> kinds_;
};

class Evaluation {
public:
    Evaluation(const FilterFacts& facts, const IncludeLookup& include)
        : facts_(facts), include_(include) {}

    void read(std::string_view text, unsigned depth) {
        Filters filters(facts_);
        while (!text.empty()) {
            const auto end = text.find('\n');
            std::string_view line = text.substr(0, end);
            text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
            line = trimmed(line.substr(0, config_line_chars_max));
            if (line.empty() || line.front() == '#') continue;
            if (line.front() == '[') {
                filters.apply(trimmed(line.substr(1, line.find(']') - 1)));
            } else if (filters.pass()) {
                entry(line, depth);
            }
        }
    }

    ConfigTxt take() { return std::move(config_); }

private:
    void entry(std::string_view line, unsigned depth) {
        if (line.starts_with("include ")) return include(trimmed(line.substr(8)), depth);
        if (line.starts_with("initramfs ")) return initramfs(trimmed(line.substr(10)));
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) return;
        set(trimmed(line.substr(0, equals)), std::string(trimmed(line.substr(equals + 1))));
    }

    void include(std::string_view name, unsigned depth) {
        if (!include_ || name.empty() || name.size() > config_include_chars_max) return;
        if (depth >= config_include_depth_max) return;
        if (std::ranges::find(config_.includes, name) == config_.includes.end()) {
            if (config_.includes.size() >= config_includes_max) return;
            config_.includes.emplace_back(name);
        }
        if (++reads_ > config_include_reads_max) return;
        if (const auto text = include_(name)) read(*text, depth + 1);
    }

    // "initramfs a.img,b.img followkernel": no equals sign.
    void initramfs(std::string_view rest) {
        std::string_view names = rest.substr(0, rest.find(' '));
        config_.initramfs.clear();
        while (!names.empty()) {
            const auto comma = names.find(',');
            config_.initramfs.emplace_back(names.substr(0, comma));
            names = comma == std::string_view::npos ? std::string_view() : names.substr(comma + 1);
        }
    }

    void set(std::string_view key, std::string value) {
        const bool on = value != "0";
        if (key == "arm_64bit") config_.arm_64bit = on;
        if (key == "auto_initramfs") config_.auto_initramfs = on;
        if (key == "boot_ramdisk") config_.boot_ramdisk = on;
        if (key == "bootloader_update") config_.bootloader_update = on;
        if (key == "kernel") config_.kernel = value;
        if (key == "cmdline") config_.cmdline = value;
        if (key == "os_prefix") config_.os_prefix = value;
        if (key == "overlay_prefix") config_.overlay_prefix = value;
        if (key == "device_tree") config_.device_tree = value;
        if (key == "start_file") config_.start_file = value;
        if (key == "fixup_file") config_.fixup_file = value;
        if (key == "dtoverlay" || key == "device_tree_overlay") {
            value = value.substr(0, value.find_first_of(",:"));
            if (!value.empty()) config_.overlays.push_back(std::move(value));
        }
    }

    const FilterFacts& facts_;
    const IncludeLookup& include_;
    ConfigTxt config_;
    unsigned reads_ = 0;  // of included texts
};

}  // namespace

ConfigTxt evaluate_config(
    std::string_view text, const FilterFacts& facts, const IncludeLookup& include
) {
    Evaluation evaluation(facts, include);
    if (!config_is_taken(text)) return evaluation.take();
    const auto foreign =
        std::ranges::find_if(text, [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
    evaluation.read(text.substr(0, static_cast<std::size_t>(foreign - text.begin())), 0);
    return evaluation.take();
}

}  // namespace bramble::virtual_board
