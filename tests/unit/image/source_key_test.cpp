// What makes an image another one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/host/memory_host.hpp"
#include "provisioning/image/ingest.hpp"

namespace bramble::image {
namespace {

class SourceKey : public testing::Test {
protected:
    SourceKey() {
        machine.put_file("/src/boot/start4.elf", "firmware");
        machine.put_file("/src/root/etc/hostname", "base");
        machine.put_file("/src/a.tar", "archive");
        image.name = "lite";
        image.source = fleet::DirectorySource{"/src/boot", "/src/root"};
    }

    Digest key() { return source_key(image, machine).value(); }

    host::MemoryHost machine;
    fleet::Image image;
};

TEST_F(SourceKey, IsStableAndSeesEveryChangeOfADirectory) {
    const Digest first = key();
    EXPECT_EQ(key(), first);
    machine.put_file("/src/root/etc/hostname", "other");  // another size
    const Digest second = key();
    EXPECT_NE(second, first);
    machine.advance(std::chrono::seconds(1));
    machine.put_file("/src/root/etc/hostname", "OTHER");  // another time
    const Digest third = key();
    EXPECT_NE(third, second);
    machine.put_file("/src/root/etc/hostname", "OTHER", 0600);
    EXPECT_NE(key(), third);
    image.source = fleet::DirectorySource{"/src/boot", std::nullopt};
    EXPECT_NE(key(), first);
}

TEST_F(SourceKey, OfAnArchiveIsItsPlaceSizeAndTime) {
    image.source = fleet::FileSource{"/src/a.tar", {}};
    const Digest first = key();
    EXPECT_EQ(key(), first);
    machine.advance(std::chrono::seconds(1));
    machine.put_file("/src/a.tar", "archive");
    EXPECT_NE(key(), first);
}

TEST_F(SourceKey, AMissingSourceIsNamed) {
    image.source = fleet::FileSource{"/src/none.tar", {}};
    EXPECT_EQ(
        source_key(image, machine).error().message, "image 'lite': there is no file '/src/none.tar'"
    );
    image.source = fleet::DirectorySource{"/src/none", {}};
    EXPECT_EQ(
        source_key(image, machine).error().message,
        "image 'lite': cannot open directory '/src/none': No such file or directory"
    );
}

}  // namespace
}  // namespace bramble::image
