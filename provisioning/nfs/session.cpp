#include "provisioning/nfs/session.hpp"

#include <fmt/format.h>
#include <nfsc/libnfs-raw-mount.h>
#include <poll.h>

#include <algorithm>

namespace bramble::nfs {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int turn_ms = 100;
constexpr std::chrono::seconds connect_limit{10};
constexpr std::chrono::milliseconds put_off_pause{500};

// One step of connecting, which is done when its callback was called.
struct Step {
    bool done = false;
    int status = RPC_STATUS_ERROR;
    std::string text;    // of an error
    std::string handle;  // of a mount
    int refusal = 0;     // mountstat3
};

void on_connected(rpc_context* /*rpc*/, int status, void* data, void* step) {
    auto& mine = *static_cast<Step*>(step);
    mine.done = true;
    mine.status = status;
    if (status == RPC_STATUS_ERROR && data != nullptr) mine.text = static_cast<const char*>(data);
}

void on_mounted(rpc_context* /*rpc*/, int status, void* data, void* step) {
    auto& mine = *static_cast<Step*>(step);
    mine.done = true;
    mine.status = status;
    if (status == RPC_STATUS_ERROR && data != nullptr) mine.text = static_cast<const char*>(data);
    if (status != RPC_STATUS_SUCCESS) return;
    const auto& answer = *static_cast<const mountres3*>(data);
    mine.refusal = answer.fhs_status;
    if (answer.fhs_status != MNT3_OK) return;
    const auto& handle = answer.mountres3_u.mountinfo.fhandle;
    mine.handle.assign(handle.fhandle3_val, handle.fhandle3_len);
}

// False: the connection is gone.
bool serve_once(rpc_context* rpc) {
    pollfd wait{rpc_get_fd(rpc), static_cast<short>(rpc_which_events(rpc)), 0};
    ::poll(&wait, 1, turn_ms);
    // rpc_service also looks at time-outs and sends what was queued since.
    return rpc_service(rpc, wait.revents) >= 0;
}

bool pump(rpc_context* rpc, const Step& step, const std::stop_token& stop) {
    const auto until = Clock::now() + connect_limit;
    while (!step.done && !stop.stop_requested() && Clock::now() < until && serve_once(rpc))
        continue;
    return step.done && step.status == RPC_STATUS_SUCCESS;
}

// Owns a context while it connects, and the steps: destroying it calls those that are due.
struct Context {
    const std::stop_token& stop;
    Step connected;
    Step mounted;
    rpc_context* rpc = rpc_init_context();

    explicit Context(const std::stop_token& heed) : stop(heed) {}

    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    ~Context() {
        if (rpc != nullptr) rpc_destroy_context(rpc);
    }
};

Result<void> connect(
    Context& context, const std::string& server, int program, int version, std::string_view what
) {
    Step& step = context.connected;
    const bool begun = rpc_connect_program_async(
                           context.rpc, server.c_str(), program, version, on_connected, &step
                       ) == 0;
    if (begun && pump(context.rpc, step, context.stop)) return {};
    if (context.stop.stop_requested()) return fail(std::string(stopped_words));
    const char* reason = rpc_get_error(context.rpc);
    return fail(fmt::format(
        "no {} answers at {}: {}; look whether that machine is on and reachable, serves NFS "
        "version "
        "3, and lets this one through to its ports 111, 2049 and that of mountd",
        what,
        server,
        !step.text.empty()  ? step.text
        : reason != nullptr ? reason
                            : "no answer"
    ));
}

std::string mount_refusal(int status, const std::string& where) {
    switch (status) {
        case MNT3ERR_NOENT:
            return fmt::format(
                "{} is not there, or not exported: make the directory on that machine and export "
                "it to this one, read-write and with no_root_squash",
                where
            );
        case MNT3ERR_ACCES:
        case MNT3ERR_PERM:
            return fmt::format(
                "{} is not exported to this machine: export it to it, read-write and with "
                "no_root_squash",
                where
            );
        default:
            break;
    }
    return fmt::format("{} cannot be mounted (MOUNT error {})", where, status);
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(
    const std::string& server,
    const std::string& path,
    const SessionLimits& limits,
    std::stop_token stop
) {
    std::unique_ptr<Session> session(new Session(server + ":" + path, limits, std::move(stop)));
    Context mounting(session->stop_);
    if (auto done = connect(mounting, server, MOUNT_PROGRAM, MOUNT_V3, "mount service"); !done)
        return tl::unexpected(done.error());
    Step& mount = mounting.mounted;
    std::string exported = path;
    if (rpc_mount3_mnt_async(mounting.rpc, on_mounted, exported.data(), &mount) != 0 ||
        !pump(mounting.rpc, mount, session->stop_)) {
        if (session->stop_.stop_requested()) return fail(std::string(stopped_words));
        return fail(fmt::format("{}: its mount service gives no answer", session->where_));
    }
    if (mount.refusal != MNT3_OK) return fail(mount_refusal(mount.refusal, session->where_));
    session->root_ = Handle(std::move(mount.handle));
    Context context(session->stop_);
    if (auto done = connect(context, server, NFS_PROGRAM, NFS_V3, "NFS server"); !done)
        return tl::unexpected(done.error());
    session->rpc_ = std::exchange(context.rpc, nullptr);
    session->heard_ = Clock::now();
    if (auto asked = session->ask_for_facts(); !asked) return tl::unexpected(asked.error());
    return session;
}

Session::~Session() {
    break_off("closed");
    release();
}

Job Session::take_facts(Crew& crew, std::string& refused) {
    const Crew::Member here(crew);
    const FSINFO3args args{root_.raw()};
    const auto* answer = co_await call<FSINFO3res>(rpc_nfs3_fsinfo_async, args);
    if (answer == nullptr) co_return;
    if (answer->status != NFS3_OK) {
        refused = nas_words(answer->status);
        co_return;
    }
    const FSINFO3resok& facts = answer->FSINFO3res_u.resok;
    if (facts.wtmax > 0)
        limits_.write_bytes_max = std::min<std::size_t>(limits_.write_bytes_max, facts.wtmax);
    time_step_ns_ =
        facts.time_delta.seconds > 0 ? 1'000'000'000U : std::max(facts.time_delta.nseconds, 1U);
}

Result<void> Session::ask_for_facts() {
    Crew crew;
    std::string refused;
    take_facts(crew, refused);
    if (auto done = finish(crew, {}); !done) return done;
    if (!refused.empty()) return fail(fmt::format("{}: {}", where_, refused));
    return {};
}

bool Session::enqueue(CallBase& call) {
    if (!failure_.empty()) return false;  // goes on at once, without an answer
    queue_.push_back(&call);
    send_waiting();
    return true;
}

void Session::send_waiting() {
    while (failure_.empty() && !queue_.empty() && under_way_ < limits_.calls_max) {
        CallBase* call = queue_.front();
        queue_.pop_front();
        if (call->send(rpc_) != 0) {
            ready_.push_back(call->waiting);
            const char* reason = rpc_get_error(rpc_);
            return break_off(reason != nullptr ? reason : "a call cannot be sent");
        }
        if (under_way_++ == 0) heard_ = Clock::now();
        ++sent_;
    }
}

// A server that has just started waits for the clients that it had before, up to some 90 s.
bool Session::put_off(CallBase& call) {
    const auto now = Clock::now();
    if (!call.is_put_off() || !failure_.empty()) return false;
    if (!call.put_off) call.put_off = now;
    if (now - *call.put_off > limits_.put_off_max) return false;
    call.answer = nullptr;
    later_.emplace_back(now + put_off_pause, &call);
    return true;
}

void Session::ask_again() {
    const auto now = Clock::now();
    while (!later_.empty() && later_.front().first <= now) {
        queue_.push_back(later_.front().second);
        later_.pop_front();
    }
    send_waiting();
}

void Session::on_answer(rpc_context* rpc, int status, void* data, void* call) {
    auto& mine = *static_cast<CallBase*>(call);
    Session& session = *mine.session;
    --session.under_way_;
    session.heard_ = Clock::now();
    if (status == RPC_STATUS_SUCCESS) {
        mine.answer = data;
    } else {
        const char* reason = rpc_get_error(rpc);
        session.break_off(reason != nullptr ? reason : "the server does not answer");
    }
    // Now: the answer's memory is gone afterwards.
    if (!session.put_off(mine)) mine.waiting.resume();
    session.send_waiting();
}

void Session::break_off(std::string why) {
    if (!failure_.empty()) return;
    failure_ = std::move(why);
    for (CallBase* call : queue_) ready_.push_back(call->waiting);
    queue_.clear();
    for (const auto& [when, call] : later_) ready_.push_back(call->waiting);
    later_.clear();
}

// Ends the calls that are under way: each is answered with nothing.
void Session::release() {
    if (rpc_ == nullptr) return;
    rpc_destroy_context(std::exchange(rpc_, nullptr));
    while (!ready_.empty()) {
        const auto next = ready_.front();
        ready_.pop_front();
        next.resume();
    }
}

void Session::end_stopped() {
    if (!failure_.empty()) return;
    stopped_ = true;
    break_off("stopped");
}

void Session::turn() {
    if (stop_.stop_requested()) end_stopped();
    while (!ready_.empty()) {
        const auto next = ready_.front();
        ready_.pop_front();
        next.resume();
    }
    if (!failure_.empty()) return release();
    ask_again();
    if (under_way_ == 0 && later_.empty()) return;
    if (!serve_once(rpc_)) {
        const char* reason = rpc_get_error(rpc_);
        break_off(reason != nullptr && *reason != 0 ? reason : "the connection was reset");
    }
    if (under_way_ > 0 && Clock::now() - heard_ > limits_.silence) {
        break_off(fmt::format("no answer for {} s", limits_.silence.count()));
    }
}

Result<void> Session::finish(const Crew& crew, const std::stop_token& stop) {
    while (crew.size() > 0) {
        if (stop.stop_requested()) end_stopped();
        turn();
    }
    if (stopped_) return fail(std::string(stopped_words));
    if (failure_.empty()) return {};
    return fail(fmt::format(
        "{}: the connection broke off ({}); what was written is kept: run apply again to go on",
        where_,
        failure_
    ));
}

std::string nas_words(nfsstat3 status) {
    switch (status) {
        case NFS3ERR_NOSPC:
            return "it has no room left: make room there, then run apply again";
        case NFS3ERR_DQUOT:
            return "its quota is used up: raise it or make room there, then run apply again";
        case NFS3ERR_ROFS:
            return "it is exported read-only: export it to this machine read-write";
        case NFS3ERR_ACCES:
        case NFS3ERR_PERM:
            return "it takes root for somebody else, or refuses root: export it with "
                   "no_root_squash (on a NAS: \"map root to root\", \"no mapping\")";
        case NFS3ERR_JUKEBOX:
            return "it has put it off again and again, as a server does that has just started or "
                   "waits for a tape: run apply again when it is ready";
        case NFS3ERR_STALE:
            return "something was removed or restored there meanwhile: run apply again";
        default:
            break;
    }
    return nfsstat3_to_str(static_cast<int>(status));
}

}  // namespace bramble::nfs
