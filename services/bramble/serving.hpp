// The running appliance: listeners, cores and state joined together on one loop. It refuses to know
// any protocol; it only hands values from one part to the next.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "services/admission/doorman.hpp"
#include "services/boards/tracker.hpp"
#include "services/bramble/address_book.hpp"
#include "services/bramble/admission_gate.hpp"
#include "services/bramble/errands.hpp"
#include "services/bramble/examiner.hpp"
#include "services/bramble/fleet_loading.hpp"
#include "services/dhcp/server.hpp"
#include "services/io/board_watch.hpp"
#include "services/io/catalog.hpp"
#include "services/io/dhcp_listener.hpp"
#include "services/io/directory_watch.hpp"
#include "services/io/event_stream.hpp"
#include "services/io/http_listener.hpp"
#include "services/io/loop.hpp"
#include "services/io/service_manager.hpp"
#include "services/io/tcp_peers.hpp"
#include "services/io/tftp_service.hpp"
#include "services/metrics/render.hpp"
#include "services/state/store.hpp"
#include "services/web/live_feed.hpp"
#include "services/web/router.hpp"
#include "services/web/up_report.hpp"

namespace bramble::program {

struct ServingOptions {
    std::filesystem::path fleet_file;
    std::string user;  // become it after binding; empty: stay who we are
    std::function<void(const std::string&)> on_story_line;  // what boards do, for people
    std::function<void()> on_fleet_grown;                   // boards were enrolled: an apply is due
    // Carries out what an operator asks for, for whoever has the token. It blocks, and is called on
    // a thread of its own, one at a time. Errors: nobody is there who could.
    std::function<Result<web::Outcome>(const web::Asked&)> operate;
};

class Serving {
public:
    static constexpr Duration drain_max = std::chrono::seconds(10);
    static constexpr std::size_t enrolled_max = 1024;  // whoever is on the wire can ask

    // Opens everything that takes privileges; nothing is answered yet. `loop` outlives it. Errors:
    // ports, interface, state or manifest; each says what to do.
    [[nodiscard]] static Result<std::unique_ptr<Serving>> open(
        io::Loop& loop, LoadedFleet fleet, ServingOptions options
    );

    ~Serving();
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;

    void start();  // begins to answer

    // Reads the fleet file and the published generation beside the loop, then takes them over. What
    // is broken is left as it was before, and said in the log, in the status and in a metric.
    void reload(const std::string& reason);

    // No new boots; running transfers end, within drain_max. `on_done` is called once.
    void drain(std::function<void()> on_done);

private:
    Serving(io::Loop& loop, LoadedFleet fleet, ServingOptions options);

    // A board that asked the NFS server for a connection, until it is seen to keep one.
    struct MountWait {
        Ipv4Address address;
        std::uint16_t source_port = 0;    // of its latest request
        std::uint32_t sequence = 0;       // likewise
        std::optional<io::TcpPeer> seen;  // connected when it was looked for last
    };

    // What a reload takes over.
    struct OnDisk {
        Result<LoadedFleet, LoadFailure> fleet;
        Result<io::GenerationPtr> generation;
    };

    [[nodiscard]] Result<void> open_listeners();
    [[nodiscard]] Result<void> open_state();
    void take_over(const std::string& reason, OnDisk& read);
    void take_over_generation(io::GenerationPtr generation);
    void watch_store();
    void watch_adopted();
    void publish_catalog();
    void forget_unneeded_generations();
    void warn_of_settings_that_need_a_restart(const fleet::Fleet& next) const;

    // serving_state.cpp
    void restore_leases();
    void restore_boots();
    bool persist(std::span<const dhcp::LeaseChange> changes);
    void remember(const std::vector<boards::EndedBoot>& ended);
    std::vector<std::string> running_boards() const;
    std::vector<boards::Boot> kept_boots(std::string_view board);  // newest first
    std::string kept_console(std::string_view board, TimePoint started);
    void keep(const std::vector<boards::EndedConsole>& consoles);
    void keep_consoles();
    void rebind(const std::vector<std::string>& boards);
    void enroll(const dhcp::Client& client, const std::string& profile);
    void note(const Result<void>& written, std::string_view what);

    // serving_events.cpp
    void on_dhcp_events(std::span<const dhcp::Event> events);
    void on_transfers(const std::vector<tftp::TransferEvent>& events);
    void on_report(const web::UpReport& report, std::string_view body, Ipv4Address address);
    void carry_out(const boards::Reaction& reaction);
    void publish(const boards::StoryLine& line);
    void publish_notice(const dhcp::Event& event);
    void publish_reload(std::string_view error);
    void succeed_reload(const std::string& reason);
    void fail_reload(const std::string& reason, const LoadFailure& failure);

    // serving_watch.cpp
    void open_watch(const io::NetworkInterface& interface);
    void start_watch();
    void on_overheard(const io::Overheard& heard);
    void on_console(const io::Overheard& heard);
    void on_knock(const io::Overheard& heard);
    void await_mounts();
    void look_for_mounts();
    void note_mount_before_report(const std::string& board, Ipv4Address address);
    void look_closer(const std::vector<std::string>& boards);
    void tell_story(const std::string& board, boards::Happening what);
    std::string_view board_with(MacAddress mac) const;
    boards::Expected expected_of(std::string_view board, std::uint64_t generation) const;

    // serving_admission.cpp
    static admission::Settings admission_settings(const fleet::Fleet& fleet);
    void start_admission();
    void set_admission();  // of the fleet that is served now
    void admit();
    void admit_soon();
    void tell_doorman(const dhcp::Event& event);
    void tell_doorman(const tftp::TransferEvent& event);

    // serving_http.cpp
    [[nodiscard]] Result<void> open_http();

    // What a view borrows, for one answer.
    struct Gathered {
        web::ServerFacts facts;
        admission::Status admission;

        web::View view(const Serving& serving) const {
            return {facts, *serving.fleet_, serving.tracker_, &admission};
        }
    };

    static io::EventStreamLimits live_limits();
    Gathered gather() const;
    io::HttpResponse to_io(web::Response response) const;
    io::HttpResponse answer_admin(const io::HttpRequest& request);
    io::HttpResponse answer_wall(const io::HttpRequest& request);
    io::HttpResponse answer_board(const io::HttpRequest& request);
    bool may_read(const io::HttpRequest& request) const;

    // serving_operator.cpp
    io::HttpResponse work_out(web::Later later, std::string peer);
    io::HttpResponse change(const web::Change& change, std::string peer);
    io::HttpResponse answer_beside(std::function<web::Response()> work);

    // serving_live.cpp
    bool is_watched() const;
    void start_live();
    void begin_live();
    void tell_live();
    void mark_changed(const boards::Reaction& reaction);
    void mark_changed(const boards::Identity& who);

    metrics::Figures figures() const;
    std::string_view board_at(Ipv4Address address) const;

    io::Loop& loop_;
    ServingOptions options_;
    std::shared_ptr<const fleet::Fleet> fleet_;  // shared with the DHCP server
    layout::StorePaths store_;
    io::ServiceManager manager_;

    TimePoint started_at_{};
    std::optional<state::Store> state_;
    std::uint64_t state_failures_ = 0;
    std::map<std::string, std::uint64_t> running_boots_;  // as last written
    std::optional<std::string> admin_token_;

    io::GenerationPtr current_;
    std::map<std::uint64_t, io::GenerationPtr> older_;  // that boots in progress are bound to
    boards::Tracker tracker_;
    bool reading_ = false;
    std::optional<std::string> reload_again_;  // asked for meanwhile, and why
    std::string reload_error_;                 // empty: the last reload was taken over whole
    metrics::ReloadFigures reloads_;
    metrics::BootCounters boots_;
    AddressBook addresses_;
    std::unique_ptr<io::BoardWatch> watch_;  // none: its port or a capability was missing
    std::map<std::string, MountWait, std::less<>> mounting_;  // boards that asked the NFS server
    bool mount_look_is_due_ = false;
    std::set<std::string, std::less<>> consoles_to_keep_;  // boards whose console has grown

    io::Catalog catalog_;
    io::ContentCache contents_;
    admission::Doorman doorman_;
    AdmissionGate gate_;
    std::optional<dhcp::Server> dhcp_server_;
    std::unique_ptr<io::DhcpListener> dhcp_;  // none when appliance.dhcp.mode is off
    std::unique_ptr<io::TftpService> tftp_;
    io::EventStream events_;
    io::EventStream live_{live_limits()};
    io::EventStream wall_live_{live_limits()};
    web::LiveFeed feed_;
    std::vector<std::uint64_t> link_use_;  // bytes of each of the last seconds
    std::uint64_t link_bytes_ = 0;
    bool live_ticks_ = false;
    std::optional<io::HttpListener> admin_;
    std::optional<io::HttpListener> wall_;
    std::optional<io::HttpListener> board_reports_;
    std::optional<io::DirectoryWatch> store_watch_;
    io::Timer story_timer_;
    io::Timer settle_timer_;  // lets several changes of the store become one reload
    io::Timer drain_timer_;
    io::Timer alive_timer_;
    io::Timer console_timer_;    // keeps what consoles said
    io::Timer mount_timer_;      // looks who is connected to the NFS server
    io::Timer admission_timer_;  // measures
    io::Timer admit_timer_;      // a place became free
    io::Timer live_timer_;
    io::Timer link_timer_;
    bool started_ = false;
    bool draining_ = false;
    TimePoint drain_until_{};
    std::function<void()> on_drained_;
    std::optional<io::DirectoryWatch> adopted_watch_;
    io::Timer adopted_timer_;  // settles changes of boards.d
    std::unique_ptr<Examiner> examiner_;
    std::jthread reader_;  // of a reload; it ends before what it reads into
    Errands errands_;      // likewise
};

}  // namespace bramble::program
