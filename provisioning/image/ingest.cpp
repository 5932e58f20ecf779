#include "provisioning/image/ingest.hpp"

#include <fmt/format.h>

#include "provisioning/image/debian.hpp"
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

}  // namespace

Result<Ingested> ingest(
    const fleet::Fleet& fleet, const fleet::Image& image, const Workshop& workshop
) {
    return std::visit(Dispatch{workshop}, image.source).map_error([&](const Error& error) {
        return Error{
            fmt::format("{}image '{}': {}", fleet.place(image.where), image.name, error.message)};
    });
}

}  // namespace bramble::image
