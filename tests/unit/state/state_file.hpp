// A state database in a directory of its own, removed afterwards. It refuses to know any table.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "services/state/store.hpp"

namespace bramble::state {

class StateFile : public ::testing::Test {
protected:
    StateFile() {
        std::string name =
            (std::filesystem::temp_directory_path() / "bramble-state-XXXXXX").string();
        directory = ::mkdtemp(name.data());
        file = directory / "state.db";
    }

    ~StateFile() override { std::filesystem::remove_all(directory); }

    Store open() {
        auto store = Store::open(file);
        if (!store) throw std::runtime_error(store.error().message);
        return std::move(*store);
    }

    // Changes the tables behind the store's back.
    void run_sql(const std::string& sql) {
        auto done = Database::open(file).value().execute(sql);
        ASSERT_TRUE(done) << done.error().message;
    }

    std::filesystem::path directory;
    std::filesystem::path file;
};

inline dhcp::Lease lease_of(std::uint32_t number) {
    dhcp::Lease lease;
    lease.address = Ipv4Address(0xac100100U + number);
    lease.mac = MacAddress({0xdc, 0xa6, 0x32, 0, 0, static_cast<std::uint8_t>(number)});
    lease.board = "pi-" + std::to_string(number);
    lease.granted = TimePoint(std::chrono::seconds(1'700'000'000));
    lease.expires = lease.granted + std::chrono::hours(1);
    return lease;
}

}  // namespace bramble::state
