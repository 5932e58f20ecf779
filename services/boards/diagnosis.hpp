// Why a board stopped, in words that an operator can act on, from what was and was not seen. It
// refuses to ask anybody.
#pragma once

#include <string>

#include "services/boards/boot.hpp"
#include "services/boards/surroundings.hpp"

namespace bramble::boards {

inline constexpr std::size_t diagnosis_bytes_max = 1500;

// One sentence: the likeliest cause, and the remedy or what to look at; then what its console said.
std::string diagnose(const Boot& boot, const Surroundings& around = {});

// Of a board whose name two boards answer to; empty: only one does.
std::string diagnose_twin(const Boot& boot);

// What another server offers: its address, or boot data alone (a proxy's, RFC 2131's "not known").
std::string describe_offer(Ipv4Address address);

// Of a board of the fleet that has not asked for anything since the server began.
std::string diagnose_never_seen();

// Of a board that was up and does not say so any more.
std::string diagnose_silence(Duration since);

// The same file was asked for so often in vain that its firmware turns in a circle.
bool is_storm(const FileRecord& file);

inline constexpr unsigned storm_requests_min = 20;
// So often its firmware may begin anew before that counts as a circle.
inline constexpr unsigned restarts_max = 3;
// So many offers it may leave lying: it asks on, and is never silent.
inline constexpr unsigned offers_max = 5;
// So many boots in a row that did not come up are a circle too.
inline constexpr unsigned failed_boots_max = 3;

// Whether it goes on without getting anywhere: each further sign of it is no progress.
bool turns_in_a_circle(const Boot& boot);

}  // namespace bramble::boards
