#include "services/web/same_site.hpp"

#include <algorithm>

#include "config/types/ipv4.hpp"

namespace bramble::web {
namespace {

bool is_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view one, std::string_view other) {
    return std::ranges::equal(one, other, [](char a, char b) { return lower(a) == lower(b); });
}

bool is_ipv6_literal(std::string_view host) {
    return host.size() > 2 && host.front() == '[' && host.back() == ']' &&
           std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
               return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f') || c == ':' ||
                      c == '.';
           });
}

}  // namespace

bool is_our_host(std::string_view host, std::span<const std::string> names) {
    const auto colon = host.rfind(':');
    if (colon != std::string_view::npos && is_digits(host.substr(colon + 1))) {
        host = host.substr(0, colon);
    }
    if (Ipv4Address::parse(host) || is_ipv6_literal(host)) return true;
    if (same_name(host, "localhost")) return true;
    return std::ranges::any_of(names, [&](const auto& name) { return same_name(name, host); });
}

std::string_view foreign(const Request& request) {
    if (!request.fetch_site.empty() && request.fetch_site != "same-origin") {
        return "another site's page asks for it (Sec-Fetch-Site)";
    }
    if (!request.origin.empty() && request.origin != "http://" + request.host &&
        request.origin != "https://" + request.host) {
        return "another site's page asks for it (Origin)";
    }
    if (request.marker.empty()) return "send the header X-Bramble-Request: 1";
    return {};
}

}  // namespace bramble::web
