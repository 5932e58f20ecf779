// A DHCP message as lines for people: its fields, then each option with its number, name and value.
// It refuses to know what any of it is for.
#pragma once

#include <string>
#include <vector>

#include "services/dhcp/message.hpp"

namespace bramble::dhcp {

struct NamedValue {
    std::string name;  // "yiaddr", "option 66 tftp server name"
    std::string value;
};

// Fields that are empty are left out. Text is shown with its control characters as \xNN, what is
// neither text nor addresses as hexadecimal.
std::vector<NamedValue> describe(const Message& message);

}  // namespace bramble::dhcp
