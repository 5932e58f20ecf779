// Any text as the word that an apply leaves: refused with a reason, or read, and what is read is
// written and read back as the same value.
#include "config/layout/apply_record.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bramble::layout;
    const auto record = parse_apply_record({reinterpret_cast<const char*>(data), size});
    if (!record) {
        if (!record.error().message.starts_with("apply record: ")) std::abort();
        return 0;
    }
    const auto again = parse_apply_record(write_apply_record(*record));
    if (!again.has_value() || *again != *record) std::abort();
    return 0;
}
