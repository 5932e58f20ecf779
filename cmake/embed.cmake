# Turns files into a C++ source of byte arrays, at build time and without any tool but CMake:
#   cmake -DOUT=assets.cpp -DNAMESPACE=bramble::web "-DFILES=/a/index.html|/a/app.js" -P embed.cmake
# gives, in that namespace, embedded_files(): name (without its folders), octets, SHA-256 in hex.
string(REPLACE "|" ";" FILES "${FILES}")
set(arrays "")
set(rows "")
set(index 0)
foreach(file IN LISTS FILES)
    get_filename_component(name "${file}" NAME)
    file(READ "${file}" hex HEX)
    file(SHA256 "${file}" digest)
    string(REGEX REPLACE "(..)" "0x\\1," octets "${hex}")
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n    " octets "${octets}")
    string(APPEND arrays "constexpr unsigned char file_${index}[] = {\n    ${octets}0x00};\n\n")
    string(APPEND rows "    {\"${name}\", {reinterpret_cast<const char*>(file_${index}), sizeof file_${index} - 1}, \"${digest}\"},\n")
    math(EXPR index "${index} + 1")
endforeach()
file(WRITE "${OUT}" "// Made by cmake/embed.cmake; edit the files that it was made from.
#include \"services/web/assets.hpp\"

#include <array>

namespace ${NAMESPACE} {
namespace {

${arrays}}  // namespace

std::span<const EmbeddedFile> embedded_files() {
    static const std::array<EmbeddedFile, ${index}> files = {{\n${rows}    }};
    return files;
}

}  // namespace ${NAMESPACE}
")
