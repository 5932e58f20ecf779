// The kinds of steps that a plan has, and their names. It refuses to know what they do.
#pragma once

#include <string>
#include <string_view>

namespace bramble::plan {

enum class StepKind {
    ingest_image,
    customize_image,
    build_kernel,
    install_kernel,
    store_file,
    make_initramfs,
    write_shared_root,
    copy_root,
    write_identity,
    pack_identity,
    export_roots,
    publish,
};

std::string_view to_string(StepKind kind);

// What made something, by which its record is found again: "ingest image lite".
std::string made_by(StepKind kind, std::string_view subject);

}  // namespace bramble::plan
