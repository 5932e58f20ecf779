// What fleet.lock says of images: URLs by their sum, Debian suites by moment and packages.
#include "provisioning/apply/image_pins.hpp"

#include "machine.hpp"

namespace bramble::apply {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string sum = Digest::of("file").to_string();

class ImagePins : public Apply {
protected:
    ImagePins() {
        fleet.sources[0].path = "/lab/lab.yaml";
        fleet.images[0].source = fleet::FileSource{"https://i/lite.img.xz", std::nullopt};
    }

    void lock(const std::string& images) {
        machine.put_file(
            "/lab/lab.lock", "{\"format\": 1, \"kernels\": {}, \"images\": {" + images + "}}"
        );
    }

    std::vector<std::string> complaints() {
        std::vector<std::string> said;
        for (const plan::Problem& problem : lock_problems(fleet, machine)) {
            said.push_back((problem.fatal ? "error: " : "warning: ") + problem.message);
        }
        return said;
    }
};

TEST_F(ImagePins, APinnedUrlIsAnImageOfThatSum) {
    const fleet::Image& image = fleet.images[0];
    EXPECT_EQ(moving_wish(image), "file https://i/lite.img.xz");
    const kernel::Pins pins = {{"lite", {"file https://i/lite.img.xz", sum}}};
    EXPECT_EQ(
        std::get<fleet::FileSource>(pinned_image(image, pins).source).sha256, Digest::of("file")
    );
    EXPECT_NE(pinned_key(image, pins, machine), pinned_key(image, {}, machine));
    const kernel::Pins other = {{"lite", {"file https://i/other.img", sum}}};
    EXPECT_EQ(pinned_key(image, other, machine), pinned_key(image, {}, machine));
    fleet.images[0].source = fleet::FileSource{"https://i/lite.img.xz", Digest::of("own")};
    EXPECT_EQ(moving_wish(image), std::nullopt) << "the fleet file says it itself";
    fleet.images[0].source = fleet::FileSource{"/srv/lite.img.xz", std::nullopt};
    EXPECT_EQ(moving_wish(image), std::nullopt);
}

TEST_F(ImagePins, APlanSaysWhatIsNotPinnedYet) {
    const auto seen = observe(fleet, paths, machine);
    ASSERT_TRUE(seen);
    ASSERT_THAT(seen->problems, testing::SizeIs(1));
    EXPECT_FALSE(seen->problems[0].fatal);
    EXPECT_EQ(
        seen->problems[0].message,
        "image 'lite': it is not pinned yet in 'lab.lock': apply looks up what 'file "
        "https://i/lite.img.xz' means and writes it down there"
    );
    lock("\"lite\": {\"asked\": \"file https://i/lite.img.xz\", \"means\": \"" + sum + "\"}");
    EXPECT_THAT(observe(fleet, paths, machine)->problems, testing::IsEmpty());
    lock("\"lite\": {\"asked\": \"file https://i/old.img.xz\", \"means\": \"" + sum + "\"}");
    EXPECT_THAT(
        observe(fleet, paths, machine)->problems[0].message,
        HasSubstr("something else was asked for when it was pinned in 'lab.lock'")
    );
}

TEST_F(ImagePins, CheckSaysWhatDoesNotFit) {
    EXPECT_THAT(complaints(), testing::IsEmpty());
    lock(
        "\"gone\": {\"asked\": \"file https://i/x\", \"means\": \"y\"}, "
        "\"lite\": {\"asked\": \"file https://i/old\", \"means\": \"y\"}"
    );
    EXPECT_THAT(
        complaints(),
        ElementsAre(
            "warning: 'lab.lock' pins image 'gone', which the fleet file does not have: take its "
            "line out",
            "warning: 'lab.lock' pins image 'lite', and for 'file https://i/old', where the fleet "
            "file asks for 'file https://i/lite.img.xz' now: `bramble apply` looks it up anew"
        )
    );
    fleet.images[0].source = fleet::DirectorySource{"/src/boot", "/src/root"};
    EXPECT_THAT(
        complaints().back(),
        HasSubstr("for 'file https://i/old', and its source stands still now: take its line out")
    );
    machine.put_file("/lab/lab.lock", "{");
    ASSERT_THAT(complaints(), testing::SizeIs(1));
    EXPECT_THAT(
        complaints()[0], testing::StartsWith("error: '/lab/lab.lock': it is no lock file (")
    );
    EXPECT_THAT(complaints()[0], HasSubstr("remove it to have everything looked up anew"));
    const auto refused = apply();
    ASSERT_FALSE(refused) << "an apply does not guess either";
    EXPECT_THAT(refused.error().message, HasSubstr("it is no lock file"));
}

constexpr std::string_view status =
    "Package: b\nStatus: install ok installed\nVersion: 2\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nVersion: 9\n\n"
    "Package: a\nVersion: 1:1-1\nStatus: install ok installed\nDescription: x\n y\n";

TEST_F(ImagePins, PackagesByNameAndVersion) {
    EXPECT_EQ(packages_in(status), "a 1:1-1\nb 2\n");
    EXPECT_EQ(packages_in(""), "");
    for (std::size_t size = 0; size < status.size(); ++size) {
        (void)packages_in(status.substr(0, size));
    }
}

// The first build fills the pin, the next is held to it, another moment is another image.
TEST_F(ImagePins, ADebianSuiteIsHeldToItsPackages) {
    fleet.images[0].source = fleet::DebianSource{"bookworm", "arm64", {}, ""};
    const fleet::Image& image = fleet.images[0];
    EXPECT_EQ(moving_wish(image), "debian bookworm for arm64");
    const auto pins = [](const std::string& means) {
        return kernel::Pins{{"lite", {"debian bookworm for arm64", means}}};
    };
    const auto key = pinned_key(image, pins("2026-11-27T08:00:00Z"), machine);
    EXPECT_EQ(key, pinned_key(image, pins("2026-11-27T08:00:00Z, 2 packages, SHA-256 x"), machine));
    EXPECT_NE(key, pinned_key(image, pins("2026-11-28T08:00:00Z"), machine));

    lock(R"("lite": {"asked": "debian bookworm for arm64", "means": "2026-11-27T08:00:00Z"})");
    machine.put_file("/root/var/lib/dpkg/status", status);
    ASSERT_TRUE(hold_to_packages(fleet, image, "/root", machine));
    const std::string filled = machine.text_at("/lab/lab.lock");
    EXPECT_THAT(
        filled,
        HasSubstr(
            "2026-11-27T08:00:00Z, 2 packages, SHA-256 " + Digest::of("a 1:1-1\nb 2\n").to_string()
        )
    );
    ASSERT_TRUE(hold_to_packages(fleet, image, "/root", machine));
    EXPECT_EQ(machine.text_at("/lab/lab.lock"), filled);
    machine.put_file(
        "/root/var/lib/dpkg/status", "Package: b\nStatus: install ok installed\nVersion: 3\n"
    );
    const auto others = hold_to_packages(fleet, image, "/root", machine);
    ASSERT_FALSE(others);
    EXPECT_EQ(
        others.error().message,
        "image 'lite': the package sources have other packages now (1 of them) than the ones of "
        "2026-11-27T08:00:00Z that 'lab.lock' pins: `bramble apply --update` takes those of today; "
        "to have the old ones again, point this machine's /etc/apt at snapshot.debian.org of that "
        "day"
    );
    EXPECT_EQ(machine.text_at("/lab/lab.lock"), filled);
}

}  // namespace
}  // namespace bramble::apply
