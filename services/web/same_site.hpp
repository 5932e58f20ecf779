// Whether a request comes from this page or a program, and from nobody else's page: what browsers
// say of who asks. It refuses to know tokens.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "services/web/http.hpp"

namespace bramble::web {

// Whether Host is one that nobody else can have pointed here: an address, localhost, or one of
// `names`. A page of another site whose name was made to lead here (DNS rebinding) has its own.
bool is_our_host(std::string_view host, std::span<const std::string> names);

// Why a request that would change something is not this page's; empty: it may be. Programs send no
// Origin; they send the marker, as the page does.
std::string_view foreign(const Request& request);

}  // namespace bramble::web
