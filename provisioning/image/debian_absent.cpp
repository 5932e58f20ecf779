// Stands in for the Debian recipe in a build without it.
#include "provisioning/image/debian.hpp"

namespace bramble::image {

Digest debian_key(const fleet::DebianSource& source) {
    return Digest::of(source.suite + "\n" + source.arch);
}

Result<Ingested> ingest_debian(const fleet::DebianSource& source, const Workshop&) {
    return fail("this build does not make Debian suites such as " + source.suite);
}

}  // namespace bramble::image
