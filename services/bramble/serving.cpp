#include "services/bramble/serving.hpp"

#include <fmt/core.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "services/bramble/adoption.hpp"
#include "services/bramble/generations.hpp"
#include "services/io/privileges.hpp"

namespace bramble::program {

using namespace std::chrono_literals;

namespace {

constexpr Duration settle_time = 50ms;
constexpr Duration drain_step = 100ms;
constexpr int reader_niceness = 10;

tftp::TrustPrefix trust_of(fleet::DhcpMode mode) {
    // Where we lease the addresses, the address says who asks; where another does, the prefix may.
    return mode == fleet::DhcpMode::authoritative ? tftp::TrustPrefix::no : tftp::TrustPrefix::yes;
}

tftp::Settings tftp_settings(const fleet::Fleet& fleet) {
    tftp::Settings settings;
    settings.transfer.retransmit.floor = fleet.appliance.tftp.retransmit_floor;
    return settings;
}

std::vector<boards::Identity> identities_of(const fleet::Fleet& fleet) {
    std::vector<boards::Identity> out;
    out.reserve(fleet.boards.size());
    for (const fleet::Board& board : fleet.boards) {
        out.push_back(
            {board.name, board.mac, board.serial, std::string(to_string(fleet.model_of(board)))}
        );
    }
    return out;
}

bool has_address(const io::NetworkInterface& interface, Ipv4Address address) {
    return std::find(interface.addresses.begin(), interface.addresses.end(), address) !=
           interface.addresses.end();
}

}  // namespace

Serving::Serving(io::Loop& loop, LoadedFleet fleet, ServingOptions options)
    : loop_(loop),
      options_(std::move(options)),
      fleet_(std::make_shared<const fleet::Fleet>(std::move(fleet.fleet))),
      store_(fleet_->appliance.store),
      contents_(store_),
      doorman_(admission_settings(*fleet_)),
      gate_(doorman_) {
    gate_.set_enabled(fleet_->appliance.admission.enabled);
    tracker_.set_boards(identities_of(*fleet_));
    tracker_.set_expectations([this](std::string_view board, std::uint64_t generation) {
        return expected_of(board, generation);
    });
}

Serving::~Serving() = default;

Result<std::unique_ptr<Serving>> Serving::open(
    io::Loop& loop, LoadedFleet fleet, ServingOptions options
) {
    std::unique_ptr<Serving> serving(new Serving(loop, std::move(fleet), std::move(options)));
    // What takes privileges first; then nobody has more of them than answering boards takes.
    if (auto opened = serving->open_listeners(); !opened) return tl::unexpected(opened.error());
    if (const std::string& user = serving->options_.user; !user.empty()) {
        if (auto became = io::become_user(user); !became) return tl::unexpected(became.error());
    }
    if (auto opened = serving->open_state(); !opened) return tl::unexpected(opened.error());
    auto generation = load_current_generation(serving->store_);
    if (!generation) return tl::unexpected(generation.error());
    serving->take_over_generation(std::move(*generation));
    serving->dhcp_server_.emplace(serving->fleet_, &serving->gate_);
    serving->restore_leases();
    serving->restore_boots();
    return serving;
}

void Serving::take_over_generation(io::GenerationPtr generation) {
    const std::uint64_t before = current_ ? current_->manifest().generation : 0;
    if (current_) older_.insert_or_assign(before, current_);
    current_ = std::move(generation);
    gate_.set_generation(current_);
    const std::uint64_t number = current_ ? current_->manifest().generation : 0;
    tracker_.set_generation(number);
    if (number != 0 && number != before) note(state_->set_served(number), "what is served");
}

Result<void> Serving::open_listeners() {
    const fleet::Appliance& appliance = fleet_->appliance;
    const Ipv4Address address = appliance.address.address();
    auto interface = io::find_network_interface(appliance.interface);
    if (!interface) return tl::unexpected(interface.error());
    if (!has_address(*interface, address)) {
        return fail(fmt::format(
            "interface '{0}' does not have the address {1}: `ip address add {1}/{2} dev {0}`, or "
            "correct appliance.address",
            appliance.interface,
            address.to_string(),
            appliance.address.prefix_bits()
        ));
    }
    if (appliance.dhcp.mode != fleet::DhcpMode::off) {
        const bool proxy = appliance.dhcp.mode == fleet::DhcpMode::proxy;
        auto dhcp = io::DhcpListener::open(loop_, {*interface, address, proxy});
        if (!dhcp) return tl::unexpected(dhcp.error());
        dhcp_ = std::move(*dhcp);
    }

    open_watch(*interface);

    io::TftpServiceOptions tftp_options;
    tftp_options.address = address;
    tftp_options.workers = appliance.tftp.workers;
    tftp_options.settings = tftp_settings(*fleet_);
    auto tftp = io::TftpService::open(tftp_options, catalog_, contents_);
    if (!tftp) return tl::unexpected(tftp.error());
    tftp_ = std::move(*tftp);

    return open_http();
}

void Serving::start() {
    started_ = true;
    started_at_ = loop_.now();
    reloads_.last_success = started_at_;
    story_timer_ = loop_.make_timer([this] { carry_out(tracker_.on_deadline(loop_.now())); });
    publish_catalog();
    if (dhcp_) {
        dhcp_->start(
            *dhcp_server_,
            {[this](std::span<const dhcp::LeaseChange> changes) { return persist(changes); },
             [this](std::span<const dhcp::Event> events) { on_dhcp_events(events); }}
        );
    }
    tftp_->start(loop_, [this](const std::vector<tftp::TransferEvent>& events) {
        on_transfers(events);
    });
    start_admission();
    start_live();
    start_watch();
    watch_store();
    watch_adopted();
    if (const auto every = io::ServiceManager::alive_every()) {
        alive_timer_ = loop_.make_timer([this, every] {
            // Silence is what makes systemd start us anew.
            if (tftp_->all_turned()) {
                manager_.alive();
            } else {
                spdlog::error("a TFTP worker has stood still since the last watchdog sign");
            }
            alive_timer_.expire_at(loop_.now() + *every);
        });
        manager_.alive();
        alive_timer_.expire_at(loop_.now() + *every);
    }
    const std::string serving = current_
                                    ? fmt::format("generation {}", current_->manifest().generation)
                                    : std::string("nothing yet: run `bramble apply`");
    spdlog::info(
        "serving {} interface={} address={} boards={} workers={}",
        serving,
        fleet_->appliance.interface,
        fleet_->appliance.address.to_string(),
        fleet_->boards.size(),
        tftp_->workers()
    );
    manager_.ready("serving " + serving);
}

void Serving::watch_store() {
    settle_timer_ = loop_.make_timer([this] { reload("a generation was published"); });
    auto watch = io::DirectoryWatch::open(loop_, store_.store(), "current", [this] {
        settle_timer_.expire_at(loop_.now() + settle_time);
    });
    if (watch) {
        store_watch_ = std::move(*watch);
        // The watch does not tell of one that was published since the start was read.
        const auto number = current_generation_number(store_);
        const std::uint64_t serving = current_ ? current_->manifest().generation : 0;
        if (number && number->value_or(0) != serving) settle_timer_.expire_at(loop_.now());
    } else {
        spdlog::warn("{}", watch.error().message);
    }
}

// A file of one board is put there whole, so that it is taken over at once; the fleet file is a
// person's, who says when it is done. Not there yet: looked for again at every reload.
void Serving::watch_adopted() {
    const auto directory = adopted_directory(options_.fleet_file);
    std::error_code ignored;
    if (adopted_watch_ || !std::filesystem::is_directory(directory, ignored)) return;
    adopted_timer_ = loop_.make_timer([this] { reload("a file in boards.d changed"); });
    auto watch = io::DirectoryWatch::open(loop_, directory, "", [this] {
        adopted_timer_.expire_at(loop_.now() + settle_time);
    });
    if (watch) {
        adopted_watch_ = std::move(*watch);
    } else {
        spdlog::warn("{}", watch.error().message);
    }
}

void Serving::publish_catalog() {
    forget_unneeded_generations();
    io::CatalogView view;
    view.current = current_;
    view.addresses.insert(addresses_.boards().begin(), addresses_.boards().end());
    for (const auto& [board, number] : tracker_.bindings()) {
        if (const auto found = older_.find(number); found != older_.end()) {
            view.bound.emplace(board, found->second);
        }
    }
    view.trust = trust_of(fleet_->appliance.dhcp.mode);
    catalog_.publish(std::move(view));
}

// What no boot needs any more goes; transfers that run hold on to their own files.
void Serving::forget_unneeded_generations() {
    if (older_.empty()) return;
    std::set<std::uint64_t> needed;
    for (const auto& [board, number] : tracker_.bindings()) needed.insert(number);
    std::erase_if(older_, [&needed](const auto& entry) { return !needed.contains(entry.first); });
}

void Serving::warn_of_settings_that_need_a_restart(const fleet::Fleet& next) const {
    const fleet::Appliance& now = fleet_->appliance;
    const fleet::Appliance& then = next.appliance;
    std::string changed;
    const auto note = [&changed](bool differs, const char* name) {
        if (differs) changed += (changed.empty() ? "" : ", ") + std::string(name);
    };
    note(now.interface != then.interface, "interface");
    note(now.address != then.address, "address");
    note(now.dhcp.mode != then.dhcp.mode, "dhcp.mode");
    note(
        now.admin.address != then.admin.address || now.admin.port != then.admin.port, "admin.listen"
    );
    note(now.admin.token_file != then.admin.token_file, "admin.token_file");
    const auto place = [](const std::optional<fleet::AdminSettings::Wall>& wall) {
        return wall ? fmt::format("{}:{}", wall->address, wall->port) : std::string();
    };
    note(place(now.admin.wall) != place(then.admin.wall), "admin.public");
    note(now.tftp.workers != then.tftp.workers, "tftp.workers");
    note(now.store != then.store, "store");
    if (!changed.empty()) {
        spdlog::warn("reload: appliance.{} changed; restart the service to take it over", changed);
    }
}

void Serving::reload(const std::string& reason) {
    if (reading_) {
        reload_again_ = reason;
        return;
    }
    reading_ = true;
    manager_.reloading();
    reader_ = std::jthread([this, reason] {
        // A thousand boards' YAML takes a while: boards that ask meanwhile come first.
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), reader_niceness);
        const auto read = std::make_shared<OnDisk>(OnDisk{
            load_fleet_with_enrolled(options_.fleet_file), load_current_generation(store_)});
        loop_.post([this, reason, read] { take_over(reason, *read); });
    });
}

void Serving::take_over(const std::string& reason, OnDisk& read) {
    reading_ = false;
    if (draining_) return;
    std::optional<LoadFailure> failure;
    if (read.fleet) {
        warn_of_settings_that_need_a_restart(read.fleet->fleet);
        fleet_ = std::make_shared<const fleet::Fleet>(std::move(read.fleet->fleet));
        dhcp_server_->set_fleet(fleet_);
        tracker_.set_boards(identities_of(*fleet_));
        rebind(running_boards());  // the fleet may have dropped some
        addresses_.keep_boards([this](const std::string& name) {
            return fleet_->find_board(name) != nullptr;
        });
    } else {
        failure = std::move(read.fleet.error());
    }
    if (read.generation) {
        take_over_generation(std::move(*read.generation));
    } else if (!failure) {
        failure = LoadFailure{read.generation.error().message, {read.generation.error().message}};
    }
    watch_adopted();
    publish_catalog();
    set_admission();
    if (dhcp_) dhcp_->reschedule();
    if (failure) {
        fail_reload(reason, *failure);
    } else {
        succeed_reload(reason);
    }
    if (const auto again = std::exchange(reload_again_, std::nullopt)) reload(*again);
}

void Serving::succeed_reload(const std::string& reason) {
    reload_error_.clear();
    reloads_.last_succeeded = true;
    ++reloads_.succeeded;
    reloads_.last_success = loop_.now();
    const std::uint64_t generation = current_ ? current_->manifest().generation : 0;
    spdlog::info(
        "reloaded reason=\"{}\" generation={} boards={}", reason, generation, fleet_->boards.size()
    );
    publish_reload({});
    manager_.ready(fmt::format("serving generation {}", generation));
}

void Serving::fail_reload(const std::string& reason, const LoadFailure& failure) {
    reload_error_ = failure.message;
    reloads_.last_succeeded = false;
    ++reloads_.failed;
    spdlog::error("reload failed, everything is served as before reason=\"{}\"", reason);
    if (!options_.on_story_line) {  // who prints stories has shown the whole message
        for (const std::string& line : failure.lines) spdlog::error("reload: {}", line);
    }
    publish_reload(failure.lines.empty() ? failure.message : failure.lines.front());
    manager_.ready("the last reload failed, everything is served as before: see the log");
}

void Serving::drain(std::function<void()> on_done) {
    manager_.stopping();
    draining_ = true;
    keep_consoles();
    spdlog::info("draining: {} transfers run", tftp_->figures().open_transfers);
    on_drained_ = std::move(on_done);
    store_watch_.reset();
    adopted_watch_.reset();
    dhcp_.reset();
    tftp_->drain();
    drain_until_ = loop_.now() + drain_max;
    drain_timer_ = loop_.make_timer([this] {
        const std::size_t running = tftp_->figures().open_transfers;
        if (running != 0 && loop_.now() < drain_until_) {
            drain_timer_.expire_at(loop_.now() + drain_step);
            return;
        }
        if (running != 0) spdlog::warn("drained: {} transfers were cut off", running);
        on_drained_();
    });
    // The figures are a moment old: what began just now must be in them before they count.
    drain_timer_.expire_at(loop_.now() + 300ms);
}

}  // namespace bramble::program
