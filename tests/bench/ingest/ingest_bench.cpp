// Ingests one disk image into an empty directory and waits for the disk, as apply does:
// ingest_bench IMAGE DIRECTORY. Prints the seconds that it took.
#include <chrono>
#include <cstdio>

#include "provisioning/host/real_host.hpp"
#include "provisioning/image/disk_image.hpp"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: ingest_bench IMAGE DIRECTORY\n", stderr);
        return 2;
    }
    using Clock = std::chrono::steady_clock;
    bramble::host::RealHost machine;
    const std::filesystem::path staging = argv[2];
    const auto start = Clock::now();
    const auto done = bramble::image::ingest_disk_image(
        argv[1], {machine, staging, staging / "log", staging / "downloads", {}, {}}
    );
    const auto synced = done ? machine.sync_tree(staging) : bramble::Result<void>();
    if (!done || !synced) {
        const auto& error = done ? synced.error() : done.error();
        std::fprintf(stderr, "%s\n", error.message.c_str());
        return 1;
    }
    std::printf("%.3f\n", std::chrono::duration<double>(Clock::now() - start).count());
    return 0;
}
