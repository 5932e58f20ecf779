// The running appliance: listeners, cores and state joined together on one loop. It refuses to know
// any protocol; it only hands values from one part to the next.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "services/boards/tracker.hpp"
#include "services/bramble/address_book.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/bramble/provisioned_gate.hpp"
#include "services/dhcp/server.hpp"
#include "services/io/catalog.hpp"
#include "services/io/dhcp_listener.hpp"
#include "services/io/directory_watch.hpp"
#include "services/io/http_listener.hpp"
#include "services/io/loop.hpp"
#include "services/io/service_manager.hpp"
#include "services/io/tftp_service.hpp"

namespace bramble::program {

struct ServingOptions {
    std::filesystem::path fleet_file;
    std::function<void(const std::string&)> on_story_line;  // what boards do, for people
    std::function<void()> on_fleet_grown;                   // boards were enrolled: an apply is due
};

class Serving {
public:
    static constexpr Duration drain_max = std::chrono::seconds(10);

    // Opens everything that takes privileges; nothing is answered yet. `loop` outlives it. Errors:
    // ports, interface, state or manifest; each says what to do.
    [[nodiscard]] static Result<std::unique_ptr<Serving>> open(
        io::Loop& loop, LoadedFleet fleet, ServingOptions options
    );

    ~Serving();
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;

    void start();  // begins to answer

    // Takes over the fleet file and the published generation. What is broken is left as it was
    // before, and said in the log, in the status and in a metric.
    void reload(const std::string& reason);

    // No new boots; running transfers end, within drain_max. `on_done` is called once.
    void drain(std::function<void()> on_done);

    const std::string& reload_error() const { return reload_error_; }

private:
    Serving(io::Loop& loop, LoadedFleet fleet, ServingOptions options);

    [[nodiscard]] Result<void> open_listeners();
    [[nodiscard]] Result<void> take_over_generation();
    void watch_store();
    void publish_catalog();
    void warn_of_settings_that_need_a_restart(const fleet::Fleet& next) const;

    // serving_events.cpp
    bool persist(std::span<const dhcp::LeaseChange> changes);
    void on_dhcp_events(std::span<const dhcp::Event> events);
    void on_transfers(const std::vector<tftp::TransferEvent>& events);
    void on_reported_up(const std::string& board, Ipv4Address address);
    void carry_out(boards::Reaction reaction);

    // serving_http.cpp
    io::HttpResponse answer_admin(const io::HttpRequest& request);
    io::HttpResponse answer_board(const io::HttpRequest& request);
    std::string status_json() const;

    io::Loop& loop_;
    ServingOptions options_;
    std::shared_ptr<const fleet::Fleet> fleet_;  // shared with the DHCP server
    layout::StorePaths store_;
    io::ServiceManager manager_;

    io::GenerationPtr current_;
    std::map<std::uint64_t, io::GenerationPtr> older_;  // that boots in progress are bound to
    boards::Tracker tracker_;
    std::string reload_error_;  // empty: the last reload was taken over whole
    std::uint64_t reload_failures_ = 0;
    AddressBook addresses_;

    io::Catalog catalog_;
    io::ContentCache contents_;
    ProvisionedGate gate_;
    std::optional<dhcp::Server> dhcp_server_;
    std::unique_ptr<io::DhcpListener> dhcp_;  // none when appliance.dhcp.mode is off
    std::unique_ptr<io::TftpService> tftp_;
    std::optional<io::HttpListener> admin_;
    std::optional<io::HttpListener> board_reports_;
    std::optional<io::DirectoryWatch> store_watch_;
    io::Timer story_timer_;
    io::Timer settle_timer_;  // lets several changes of the store become one reload
    io::Timer drain_timer_;
    io::Timer alive_timer_;
    bool started_ = false;
    TimePoint drain_until_{};
    std::function<void()> on_drained_;
};

}  // namespace bramble::program
