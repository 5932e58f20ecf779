// A connection to an NFSv3 server on which many calls are under way at once (RFC 1813, libnfs's raw
// interface), and the coroutines that wait for them. It refuses to know what is written and why.
// Of this room only: it shows libnfs.
#pragma once

// The others need what the first one defines.
// clang-format off
#include <nfsc/libnfs.h>
#include <nfsc/libnfs-raw.h>
#include <nfsc/libnfs-raw-nfs.h>
// clang-format on

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "config/types/result.hpp"

namespace bramble::nfs {

// A coroutine that begins at once, waits for answers, and goes away by itself. Everything that it
// borrows outlives the Session's last turn.
struct Job {
    struct promise_type {
        Job get_return_object() { return {}; }

        std::suspend_never initial_suspend() noexcept { return {}; }

        std::suspend_never final_suspend() noexcept { return {}; }

        void return_void() {}

        void unhandled_exception() { std::terminate(); }
    };
};

// How many jobs are under way.
class Crew {
public:
    class Member {
    public:
        explicit Member(Crew& crew) : crew_(crew) { ++crew_.count_; }

        Member(const Member&) = delete;
        Member& operator=(const Member&) = delete;

        ~Member() { --crew_.count_; }

    private:
        Crew& crew_;
    };

    std::size_t size() const { return count_; }

private:
    std::size_t count_ = 0;
};

// A file handle's bytes; an answer's are gone with it.
class Handle {
public:
    Handle() = default;

    explicit Handle(const nfs_fh3& handle) : bytes_(handle.data.data_val, handle.data.data_len) {}

    explicit Handle(std::string bytes) : bytes_(std::move(bytes)) {}

    bool empty() const { return bytes_.empty(); }

    // Borrows.
    nfs_fh3 raw() const {
        nfs_fh3 handle{};
        handle.data.data_len = static_cast<u_int>(bytes_.size());
        handle.data.data_val = const_cast<char*>(bytes_.data());
        return handle;
    }

private:
    std::string bytes_;
};

inline diropargs3 place(const Handle& directory, const std::string& name) {
    return diropargs3{directory.raw(), const_cast<char*>(name.c_str())};
}

struct SessionLimits {
    std::size_t calls_max = 64;                 // under way at once
    std::size_t write_bytes_max = 256U << 10U;  // of one WRITE
    std::chrono::seconds silence{60};           // without any answer, while one is due
    std::chrono::seconds put_off_max{150};      // a server may say "later" to one call for so long
};

inline constexpr std::string_view stopped_words =
    "stopped; what was written is kept: run apply again to go on";

class Session {
    // One call until its answer; lives in the frame of the coroutine that waits.
    struct CallBase {
        virtual ~CallBase() = default;
        virtual int send(rpc_context* rpc) = 0;
        virtual bool is_put_off() const = 0;

        void* answer = nullptr;
        Session* session = nullptr;
        std::coroutine_handle<> waiting;
        std::optional<std::chrono::steady_clock::time_point> put_off{};  // the first time
    };

    template <class Res, class Args>
    struct Call final : CallBase {
        using Function = int (*)(rpc_context*, rpc_cb, Args*, void*);

        Call(Session& of, Function function, Args with) : function_(function), args_(with) {
            session = &of;
        }

        int send(rpc_context* rpc) override {
            return function_(rpc, &Session::on_answer, &args_, static_cast<CallBase*>(this));
        }

        // RFC 1813 section 2.6: it was not carried out, and is to be asked for again after a pause.
        bool is_put_off() const override {
            return answer != nullptr && static_cast<Res*>(answer)->status == NFS3ERR_JUKEBOX;
        }

        bool await_ready() const { return false; }

        bool await_suspend(std::coroutine_handle<> handle) {
            waiting = handle;
            return session->enqueue(*this);
        }

        Res* await_resume() { return static_cast<Res*>(answer); }

    private:
        Function function_;
        Args args_;
    };

public:
    // Mounts `path` of `server` (portmapper, MOUNT 3), then connects to its NFS 3. Errors: in words
    // for an operator, with the remedy.
    // Every wait of it looks at `stop`; what comes after a stop fails.
    [[nodiscard]] static Result<std::unique_ptr<Session>> open(
        const std::string& server,
        const std::string& path,
        const SessionLimits& limits,
        std::stop_token stop
    );

    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    // The answer lives until the coroutine waits again; nullptr: the connection is broken, and
    // failure() says why.
    template <class Res, class Args>
    auto call(int (*function)(rpc_context*, rpc_cb, Args*, void*), const Args& args) {
        return Call<Res, Args>(*this, function, args);
    }

    // Waits for a moment at most and goes on with whatever was answered.
    void turn();
    // Until `crew` is empty. Errors: the connection's, a stop; the crew is empty all the same.
    [[nodiscard]] Result<void> finish(const Crew& crew, const std::stop_token& stop);

    // Resumed in a later turn, never below the caller.
    void resume_later(std::coroutine_handle<> handle) { ready_.push_back(handle); }

    void break_off(std::string why);

    const std::string& failure() const { return failure_; }

    const Handle& root() const { return root_; }

    const std::string& where() const { return where_; }

    const SessionLimits& limits() const { return limits_; }

    std::uint32_t time_step_ns() const { return time_step_ns_; }

    std::uint64_t calls_sent() const { return sent_; }

private:
    Session(std::string where, SessionLimits limits, std::stop_token stop)
        : where_(std::move(where)), limits_(limits), stop_(std::move(stop)) {}

    static void on_answer(rpc_context* rpc, int status, void* data, void* call);
    bool enqueue(CallBase& call);
    bool put_off(CallBase& call);
    void ask_again();
    void send_waiting();
    void end_stopped();
    void release();
    Job take_facts(Crew& crew, std::string& refused);
    Result<void> ask_for_facts();

    std::string where_;
    SessionLimits limits_;
    std::stop_token stop_;
    rpc_context* rpc_ = nullptr;
    Handle root_;
    std::uint32_t time_step_ns_ = 1;
    std::string failure_;
    bool stopped_ = false;
    std::size_t under_way_ = 0;
    std::uint64_t sent_ = 0;
    std::deque<CallBase*> queue_;  // not sent yet
    // To be sent again, each when its pause is over.
    std::deque<std::pair<std::chrono::steady_clock::time_point, CallBase*>> later_;
    std::deque<std::coroutine_handle<>> ready_;
    std::chrono::steady_clock::time_point heard_;
};

// So much of something at once: bytes of buffers, open files.
class Gate {
public:
    Gate(Session& session, std::size_t room) : session_(session), room_(room) {}

    struct Entering {
        Gate& gate;
        std::size_t amount;
        std::coroutine_handle<> waiting{};

        bool await_ready() {
            if (gate.room_ < amount || !gate.line_.empty()) return false;
            gate.room_ -= amount;
            return true;
        }

        void await_suspend(std::coroutine_handle<> handle) {
            waiting = handle;
            gate.line_.push_back(this);
        }

        void await_resume() const {}
    };

    // `amount` is never more than the whole room.
    Entering enter(std::size_t amount) { return Entering{*this, amount}; }

    void leave(std::size_t amount) {
        room_ += amount;
        while (!line_.empty() && line_.front()->amount <= room_) {
            room_ -= line_.front()->amount;
            session_.resume_later(line_.front()->waiting);
            line_.pop_front();
        }
    }

private:
    Session& session_;
    std::size_t room_;
    std::deque<Entering*> line_;
};

// Parts of one job that run beside it; it waits for the last of them.
class Parts {
public:
    explicit Parts(Session& session) : session_(session) {}

    void begin() { ++left_; }

    void end() {
        if (--left_ == 0 && waiting_) session_.resume_later(std::exchange(waiting_, {}));
    }

    bool await_ready() const { return left_ == 0; }

    void await_suspend(std::coroutine_handle<> handle) { waiting_ = handle; }

    void await_resume() const {}

private:
    Session& session_;
    std::size_t left_ = 0;
    std::coroutine_handle<> waiting_;
};

// What a status means for an operator: "the NAS has no room left: …".
std::string nas_words(nfsstat3 status);

}  // namespace bramble::nfs
