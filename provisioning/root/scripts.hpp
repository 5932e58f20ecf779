// The shell scripts that Bramble puts into initramfs and roots, as text. It refuses to know who
// runs them.
#pragma once

#include <string_view>

namespace bramble::root {

extern const std::string_view init_script;       // init.sh: /init of the initramfs
extern const std::string_view udhcpc_script;     // udhcpc.sh: what its DHCP client runs
extern const std::string_view report_up_script;  // report_up.sh: "%URL%" in it is to be replaced

}  // namespace bramble::root
