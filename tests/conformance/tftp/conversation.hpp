// A client's side of one conversation with the engine, in words: requests as text, answers as lines
// such as "OACK tsize=1000" or "DATA 1 512". It refuses to know what is right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/tftp/engine.hpp"

namespace bramble::tftp {

using Lines = std::vector<std::string>;

inline const Lines silence{};

// Files in memory, each byte told by its offset; every address may have them.
class MemoryFiles : public Resolver {
public:
    void add(const std::string& path, std::size_t bytes);

    void forbid(const std::string& path) { forbidden_ = path; }

    Resolution resolve(const Peer& peer, std::string_view path, TimePoint now) override;

    unsigned asked = 0;

private:
    struct Stored {
        std::vector<std::byte> bytes;
        Content content;
    };

    std::map<std::string, std::shared_ptr<Stored>, std::less<>> files_;
    std::string forbidden_;
};

class Conversation {
public:
    explicit Conversation(const Settings& settings = {});

    // "octet tsize=0 blksize=1024" behind a path: an RRQ to port 69.
    void ask(std::string_view path, std::string_view mode_and_options = "octet");
    void ask_to_write(std::string_view path);
    void ack(unsigned block);
    void error(std::uint16_t code, std::string_view text);

    // Any octets, to port 69 or to the data socket.
    void request_bytes(std::string_view octets);
    void data_bytes(std::string_view octets);

    Lines answers();  // all that the engine sends now
    std::vector<TransferEvent> events();

    // Lets time pass in steps of ten milliseconds; what is sent meanwhile, with its second:
    // "1.00 DATA 3 512".
    Lines wait(Duration span);

    // Acknowledges each window until the transfer ends; the file as it arrived.
    std::vector<std::byte> load(std::string_view path, std::string_view mode_and_options);

    const Counters& counters() const { return engine.counters(); }

    MemoryFiles files;
    Engine engine;
    Peer peer{Ipv4Address({172, 16, 1, 3}), 40084};
    TimePoint now{std::chrono::hours(24 * 365 * 50)};

private:
    std::vector<Outgoing> transmit();
};

std::vector<std::byte> file_bytes(std::size_t size);  // what MemoryFiles::add made
std::string describe(const Outgoing& datagram);

}  // namespace bramble::tftp
