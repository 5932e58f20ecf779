// The names of a FAT directory's entries, short ones and the long ones that stand before them. It
// refuses to know clusters.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bramble::image {

// An entry is 32 bytes here, always. Source: Microsoft FAT specification (2005), "Long Directory
// Entries".
bool is_fat_long_name(std::string_view entry);

// "KERNEL8.IMG"; what is not ASCII is "?", for its code page is not known.
std::string fat_short_name(std::string_view entry);

// Whether a file may have this name: not empty, "." or "..", no separator, control character or
// half a surrogate pair (which arrives as U+FFFD).
bool is_fat_name(std::string_view name);

// For messages: one line, whatever it holds.
std::string shown_fat_name(std::string_view name);

// A long name put together from its entries, which come last part first.
class FatLongName {
public:
    void add(std::string_view entry);
    void clear();

    // UTF-8. None: no name was begun, one is not whole, or it is another short entry's.
    std::optional<std::string> of(std::string_view short_entry) const;

private:
    std::u16string units_;
    std::size_t missing_ = 0;  // parts before the one that came last
    unsigned char sum_ = 0;
};

}  // namespace bramble::image
