// What an observation means for boards that shall boot here: findings in words, each with a remedy.
// It refuses to look at anything itself.
#pragma once

#include <string>
#include <vector>

#include "services/doctor/observation.hpp"

namespace bramble::doctor {

enum class Severity {
    good,     // as it should be
    unknown,  // could not be looked at, and why
    warning,  // boards may boot slowly, or not always
    bad,      // boards will not boot
};

std::string_view to_string(Severity severity);

struct Finding {
    Severity severity = Severity::good;
    std::string subject;  // "interface eth1", "port 69/udp"
    std::string text;     // what was found
    std::string remedy;   // what to do; empty where all is well

    friend bool operator==(const Finding&, const Finding&) = default;
};

// In the order in which a boot meets them: interface, wire, ports, firewall, NFS, store, clock.
// Every subject is there, also when nothing is wrong with it.
std::vector<Finding> diagnose(const Observation& observation);

// For people, worst first, and for scripts.
std::string render(const std::vector<Finding>& findings);
std::string render_json(const std::vector<Finding>& findings);

bool any_bad(const std::vector<Finding>& findings);

}  // namespace bramble::doctor
