// NFS-Ganesha as a supervised child: started in a mount namespace of its own with an rpcbind of its
// own where version 3 needs one, watched, started again when it dies, gone when we are. It refuses
// to know what is exported; the configuration file says that.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::nfs {

class Ganesha {
public:
    struct Settings {
        host::Path configuration;  // what publish_exports wrote
        host::Path pid_file;       // through which another process asks for a reload
        Ipv4Address address;       // where its rpcbind listens
        std::chrono::milliseconds ready_limit{30000};
    };

    // One line each, from the supervising thread.
    using Log = std::function<void(std::string_view)>;

    static constexpr std::chrono::milliseconds stop_limit{5000};   // SIGTERM, then SIGKILL
    static constexpr std::chrono::milliseconds pause_first{1000};  // before it is started again
    static constexpr std::chrono::milliseconds pause_longest{30000};

    // Blocks until the server says that it serves; then looks at each export, and logs those that
    // are not there. Needs root. Errors: a program is missing (with its package), it ended or did
    // not get ready in time (with its last words).
    [[nodiscard]] static Result<std::unique_ptr<Ganesha>> start(Settings settings, Log log);

    Ganesha(const Ganesha&) = delete;
    Ganesha& operator=(const Ganesha&) = delete;
    ~Ganesha();  // stops it

    // Has it read the exports again (SIGHUP); boards that run do not notice. It takes some 140 ms
    // and reports nothing: verify_exports looks. Errors: it is not running just now.
    [[nodiscard]] Result<void> reload();

    bool ready() const;

private:
    enum class End { stopped, died };

    Ganesha(Settings settings, Log log, bool own_rpcbind);

    void look_at_exports(std::string_view configuration) const;
    void supervise(const std::stop_token& stop);
    End run_once(const std::stop_token& stop);
    void take_line(std::string_view line);

    Settings settings_;
    Log log_;
    bool own_rpcbind_;
    mutable std::mutex mutex_;  // guards what follows: the supervising thread writes it
    std::condition_variable changed_;
    bool ready_ = false;
    bool failed_ = false;  // ended before it was ever ready
    int pid_ = 0;
    std::deque<std::string> last_words_;
    std::jthread thread_;  // the children die with this thread: it lives as long as they may
};

// What of Ganesha's log an operator should see, without its prefix; none for the lines that it
// writes in every healthy life without D-Bus and Kerberos.
std::optional<std::string> worth_telling(std::string_view line);

}  // namespace bramble::nfs
