#include <fmt/format.h>

#include "config/yaml/checks.hpp"

namespace bramble::yaml {
namespace {

using namespace fleet;

void check_pool(Checking& checking, const Ipv4Range& pool) {
    const Appliance& appliance = checking.fleet.appliance;
    const Ipv4Network& network = appliance.address;
    const SourceLocation where = checking.at("appliance.dhcp.pool", appliance.where);
    const SourceLocation ends[] = {
        checking.at("appliance.dhcp.pool.from", where),
        checking.at("appliance.dhcp.pool.to", where)};
    const Ipv4Address addresses[] = {pool.from, pool.to};
    for (std::size_t i = 0; i < 2; ++i) {
        if (network.has_host(addresses[i])) continue;
        checking.diagnostics.error(
            ends[i],
            fmt::format(
                "the pool's end {} is not an address for a board in {} (hosts: {} to {})",
                addresses[i].to_string(),
                network.to_string(),
                Ipv4Address(network.network().value() + 1).to_string(),
                Ipv4Address(network.broadcast().value() - 1).to_string()
            )
        );
    }
    // One lease record each; more boards than this do not share a broadcast domain.
    constexpr std::uint64_t addresses_max = 65'536;
    if (pool.count() > addresses_max) {
        checking.diagnostics.error(
            where,
            fmt::format("the pool has more than {} addresses (make it smaller)", addresses_max)
        );
    }
    const auto keep_out = [&](Ipv4Address address, const char* whose) {
        if (!pool.contains(address)) return;
        checking.diagnostics.error(
            where,
            fmt::format(
                "the pool {} to {} contains {} {} (leave it out of the pool)",
                pool.from.to_string(),
                pool.to.to_string(),
                whose,
                address.to_string()
            )
        );
    };
    keep_out(network.address(), "Bramble's own address");
    const DhcpSettings& dhcp = appliance.dhcp;
    if (dhcp.router && *dhcp.router != network.address()) keep_out(*dhcp.router, "the router");
    for (const Ipv4Address server : dhcp.dns) {
        if (server != network.address() && server != dhcp.router.value_or(Ipv4Address()))
            keep_out(server, "the name server");
    }
}

}  // namespace

void check_network(Checking& checking) {
    const Appliance& appliance = checking.fleet.appliance;
    const Ipv4Network& network = appliance.address;
    if (network.prefix_bits() == 0) return;  // not said, or not rightly
    if (!network.has_host(network.address())) {
        checking.diagnostics.error(
            checking.at("appliance.address", appliance.where),
            fmt::format(
                "{} is the network itself or its broadcast address (give this machine's own "
                "address "
                "in it)",
                network.address().to_string()
            )
        );
        return;
    }
    const DhcpSettings& dhcp = appliance.dhcp;
    if (dhcp.pool && dhcp.mode != DhcpMode::authoritative) {
        checking.diagnostics.error(
            checking.at("appliance.dhcp.pool", appliance.where),
            fmt::format(
                "a pool is leased from only in authoritative mode (take it out, or change the mode "
                "{})",
                dhcp.mode == DhcpMode::proxy ? "proxy" : "off"
            )
        );
    } else if (dhcp.pool) {
        check_pool(checking, *dhcp.pool);
    }
    if (dhcp.router && !network.has_host(*dhcp.router)) {
        checking.diagnostics.error(
            checking.at("appliance.dhcp.router", appliance.where),
            fmt::format(
                "the router {} is outside of {} (boards cannot reach it)",
                dhcp.router->to_string(),
                network.to_string()
            )
        );
    }
}

}  // namespace bramble::yaml
