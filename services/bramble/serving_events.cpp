#include <spdlog/spdlog.h>

#include "services/bramble/event_lines.hpp"
#include "services/bramble/serving.hpp"

namespace bramble::program {
namespace {

void write(const LogLine& line) {
    spdlog::log(line.level, "{}", line.text);
}

}  // namespace

bool Serving::persist(std::span<const dhcp::LeaseChange> /*changes*/) {
    return true;
}

void Serving::on_dhcp_events(std::span<const dhcp::Event> events) {
    bool addresses_changed = false;
    for (const dhcp::Event& event : events) {
        write(log_line(event));
        addresses_changed = addresses_.on_event(event) || addresses_changed;
    }
    if (addresses_changed) publish_catalog();
}

void Serving::on_transfers(const std::vector<tftp::TransferEvent>& events) {
    for (const tftp::TransferEvent& event : events) write(log_line(event));
}

}  // namespace bramble::program
