#include "services/bramble/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>

#include "services/io/service_manager.hpp"

namespace bramble::program {
namespace {

// The journal reads "<N>" at a line's beginning as its priority (sd-daemon(3)).
class JournalPriority final : public spdlog::custom_flag_formatter {
public:
    void format(
        const spdlog::details::log_msg& message, const std::tm& /*time*/, spdlog::memory_buf_t& out
    ) override {
        static constexpr std::array<char, 7> priorities = {'7', '7', '6', '4', '3', '2', '6'};
        out.push_back('<');
        out.push_back(priorities[static_cast<std::size_t>(message.level) % priorities.size()]);
        out.push_back('>');
    }

    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<JournalPriority>();
    }
};

}  // namespace

void set_up_log(Verbosity verbosity) {
    auto logger = std::make_shared<spdlog::logger>(
        "bramble", std::make_shared<spdlog::sinks::stderr_sink_mt>()
    );
    if (io::stderr_is_journal()) {
        auto formatter = std::make_unique<spdlog::pattern_formatter>();
        formatter->add_flag<JournalPriority>('*').set_pattern("%*%v");
        logger->set_formatter(std::move(formatter));
    } else {
        logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    }
    logger->set_level(
        verbosity == Verbosity::quiet    ? spdlog::level::warn
        : verbosity == Verbosity::normal ? spdlog::level::info
                                         : spdlog::level::debug
    );
    logger->flush_on(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
}

}  // namespace bramble::program
