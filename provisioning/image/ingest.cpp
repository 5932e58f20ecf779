#include "provisioning/image/ingest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "provisioning/image/debian.hpp"
#include "provisioning/image/first_boot.hpp"
#include "provisioning/image/sources.hpp"

namespace bramble::image {
namespace {

struct Dispatch {
    const Workshop& workshop;

    Result<Ingested> operator()(const fleet::FileSource& source) const {
        return ingest_file(source, workshop);
    }

    Result<Ingested> operator()(const fleet::DirectorySource& source) const {
        return ingest_directory(source, workshop);
    }

    Result<Ingested> operator()(const fleet::DebianSource& source) const {
        return ingest_debian(source, workshop);
    }
};

constexpr std::uint64_t cmdline_bytes_max = 64U << 10U;

Result<Ingested> recognize(Ingested ingested, const Workshop& workshop) {
    if (!ingested.root) return ingested;
    Result<std::string> cmdline = std::string();
    if (ingested.boot)
        cmdline = workshop.host.read_file(*ingested.boot / "cmdline.txt", cmdline_bytes_max);
    root::DirectoryTree tree(workshop.host, *ingested.root);
    auto first_boot = take_out_first_boot(tree, cmdline.value_or(""));
    if (!first_boot) return tl::unexpected(first_boot.error());
    ingested.release = std::move(first_boot->release);
    ingested.taken_out = std::move(first_boot->taken_out);
    if (!ingested.release.empty() && workshop.progress)
        workshop.progress(fmt::format(
            "this is {}; taken out: {}",
            ingested.release,
            ingested.taken_out.empty() ? "nothing"
                                       : fmt::format("{}", fmt::join(ingested.taken_out, ", "))
        ));
    return ingested;
}

}  // namespace

Result<Ingested> ingest(
    const fleet::Fleet& fleet, const fleet::Image& image, const Workshop& workshop
) {
    return std::visit(Dispatch{workshop}, image.source)
        .and_then([&](Ingested ingested) { return recognize(std::move(ingested), workshop); })
        .map_error([&](const Error& error) {
            return Error{fmt::format(
                "{}image '{}': {}", fleet.place(image.where), image.name, error.message
            )};
        });
}

}  // namespace bramble::image
