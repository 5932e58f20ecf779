#!/usr/bin/python3
"""Shows that each rule of tidy catches what it is there for, and lets pass what it should."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import rules  # noqa: E402
import tidy  # noqa: E402

TARGETS = {room.split("/")[1]: room for room in rules.ARROWS}
GOOD_HEADER = "// A lease. It refuses to know the disk.\n#pragma once\n"


def findings(path, text):
    return [what for _, what in tidy.check_file(path, text, TARGETS)]


class Arrows(unittest.TestCase):
    def test_a_protocol_may_not_include_another(self):
        found = findings("services/tftp/a.cpp", '#include "services/dhcp/message.hpp"\n')
        self.assertEqual(len(found), 1)
        self.assertIn("services/tftp may not include services/dhcp", found[0])

    def test_config_uses_nothing_of_the_halves(self):
        self.assertTrue(findings("config/fleet/a.cpp", '#include "provisioning/store/store.hpp"\n'))

    def test_the_halves_meet_only_in_the_program(self):
        include = '#include "provisioning/apply/apply.hpp"\n'
        self.assertTrue(findings("services/io/a.cpp", include))
        self.assertEqual(findings("services/bramble/a.cpp", include), [])

    def test_nobody_includes_the_program(self):
        self.assertTrue(findings("services/io/a.cpp", '#include "services/bramble/commands.hpp"\n'))

    def test_a_room_includes_itself_and_its_row(self):
        text = '#include "services/dhcp/lease.hpp"\n#include "config/types/result.hpp"\n#include <map>\n'
        self.assertEqual(findings("services/dhcp/a.cpp", text), [])

    def test_a_target_links_only_its_row(self):
        text = "bramble_library(tftp SOURCES a.cpp PUBLIC bramble::types bramble::dhcp)\n"
        self.assertEqual(len(findings("services/tftp/CMakeLists.txt", text)), 1)

    def test_a_library_is_linked_by_its_only_user(self):
        text = "target_link_libraries(bramble_web PUBLIC yaml-cpp)\n"
        self.assertTrue(findings("services/web/CMakeLists.txt", text))
        self.assertEqual(findings("config/yaml/CMakeLists.txt", text.replace("web", "yaml")), [])

    def test_a_ring_of_rooms_is_found(self):
        self.assertEqual(tidy.find_cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}}), ["a", "b", "c", "a"])
        self.assertIsNone(tidy.find_cycles({"a": {"b", "c"}, "b": {"c"}}))


class OnlyUsers(unittest.TestCase):
    def test_asio_belongs_to_the_shell(self):
        text = "#include <boost/asio/io_context.hpp>\n"
        self.assertEqual(findings("services/io/a.cpp", text), [])
        self.assertTrue(findings("services/state/a.cpp", text))

    def test_each_library_is_kept_in_its_room(self):
        for header in ("yaml-cpp/yaml.h", "nfsc/libnfs.h", "prometheus/registry.h", "sqlite3.h", "CLI/CLI.hpp"):
            with self.subTest(header):
                self.assertTrue(findings("provisioning/apply/a.cpp", f"#include <{header}>\n"))

    def test_a_test_of_the_room_may_use_its_library(self):
        self.assertEqual(findings("tests/unit/io/a.cpp", "#include <boost/asio/ip/udp.hpp>\n"), [])
        self.assertTrue(findings("tests/unit/dhcp/a.cpp", "#include <boost/asio/ip/udp.hpp>\n"))


class Purity(unittest.TestCase):
    def test_a_core_reads_no_clock(self):
        text = "auto t = std::chrono::steady_clock::now();\n"
        self.assertTrue(findings("services/dhcp/a.cpp", text))
        self.assertEqual(findings("services/io/a.cpp", text), [])

    def test_a_core_has_no_socket_disk_thread_or_log(self):
        for header in ("sys/socket.h", "netinet/in.h", "fstream", "thread", "mutex", "spdlog/spdlog.h"):
            with self.subTest(header):
                self.assertTrue(findings("services/tftp/a.hpp", GOOD_HEADER + f"#include <{header}>\n"))

    def test_a_core_makes_no_chance_of_its_own(self):
        self.assertTrue(findings("services/virtual_board/a.cpp", "std::random_device device;\n"))


class Words(unittest.TestCase):
    def test_no_shell(self):
        self.assertTrue(findings("provisioning/host/a.cpp", 'std::system("rm -rf /");\n'))

    def test_no_memcpy_over_packets(self):
        text = "std::memcpy(&header, bytes.data(), 4);\n"
        self.assertTrue(findings("services/dhcp/a.cpp", text))
        self.assertEqual(findings("services/bytes/a.cpp", text), [])

    def test_no_casts_over_packets_but_to_look_at_text(self):
        self.assertTrue(findings("services/dhcp/a.cpp", "auto* h = reinterpret_cast<const Header*>(bytes.data());\n"))
        self.assertEqual(findings("services/dhcp/a.cpp", "auto* t = reinterpret_cast<const char*>(bytes.data());\n"), [])

    def test_comments_and_strings_are_not_calls(self):
        text = '// never memcpy( here\nconst char* s = "memcpy(a, b)";\n'
        self.assertEqual(findings("services/dhcp/a.cpp", text), [])

    def test_unfinished_marks(self):
        for mark in ("TO" "DO: later", "FIX" "ME", "good enough for no" "w", "not implemente" "d"):
            with self.subTest(mark):
                self.assertTrue(findings("services/dhcp/a.cpp", f"// {mark}\n"))

    def test_length(self):
        self.assertEqual(findings("config/yaml/a.cpp", "int x;\n" * rules.LINES_MAX), [])
        self.assertTrue(findings("config/yaml/a.cpp", "int x;\n" * (rules.LINES_MAX + 1)))


class Headers(unittest.TestCase):
    def test_two_sentences_open_a_header(self):
        self.assertEqual(findings("config/types/a.hpp", GOOD_HEADER), [])
        self.assertTrue(findings("config/types/a.hpp", "// A lease.\n#pragma once\n"))
        self.assertTrue(findings("config/types/a.hpp", "#pragma once\n"))

    def test_pragma_once(self):
        self.assertTrue(findings("config/types/a.hpp", "// A lease. It refuses to know the disk.\n"))


if __name__ == "__main__":
    unittest.main()
