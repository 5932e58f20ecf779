#include "services/admission/doorman.hpp"

#include <algorithm>
#include <iterator>

namespace bramble::admission {
namespace {

Work work_of(const std::vector<PlannedFile>& files) {
    Work work;
    for (const PlannedFile& file : files) {
        work.total_bytes += file.bytes;
        work.largest_file_bytes = std::max(work.largest_file_bytes, file.bytes);
    }
    return work;
}

std::vector<PlannedFile> large_of(std::vector<PlannedFile> files) {
    const std::uint64_t largest = work_of(files).largest_file_bytes;
    std::erase_if(files, [largest](const PlannedFile& file) {
        return file.bytes * Doorman::small_file_factor < largest;
    });
    return files;
}

}  // namespace

Decision Doorman::ask(const BootRequest& request, TimePoint now) {
    Decision decision = queue_.ask(request.board, request.group, work_of(request.files), now);
    if (!decision.admitted()) {
        // Others wait, but perhaps only for their group's turn: then this board passes them.
        for (std::string& board : queue_.poll_admitted(now)) {
            if (board == request.board) {
                decision = {};
            } else {
                admitted_.push_back(std::move(board));
            }
        }
    }
    if (request.files.empty()) {
        large_files_.erase(request.board);
    } else {
        large_files_.insert_or_assign(request.board, large_of(request.files));
    }
    return decision;
}

void Doorman::on_progress(const std::string& board, std::uint64_t bytes, TimePoint now) {
    if (bytes == 0) return;
    meter_.add(board, bytes, now);
    queue_.on_progress(board, bytes, now);
}

void Doorman::on_complete(const std::string& board, std::string_view path) {
    const auto found = large_files_.find(board);
    if (found == large_files_.end() || !queue_.is_inside(board)) return;
    std::vector<PlannedFile>& left = found->second;
    std::erase_if(left, [path](const PlannedFile& file) { return file.path == path; });
    if (left.empty()) {
        large_files_.erase(found);
        queue_.on_left(board);
    } else {
        queue_.set_largest_file(board, work_of(left).largest_file_bytes);
    }
}

void Doorman::on_system(const std::string& board) {
    forget(board);
}

void Doorman::forget(const std::string& board) {
    large_files_.erase(board);
    queue_.on_left(board);
    queue_.withdraw(board);
}

std::vector<std::string> Doorman::poll(TimePoint now) {
    last_poll_ = now;
    if (const auto sample = meter_.poll(now)) {
        if (sample->full) {
            queue_.on_measured(sample->bytes_per_second);
        } else {
            queue_.on_unhindered();
        }
    }
    std::vector<std::string> admitted = std::move(admitted_);
    admitted_.clear();
    std::vector<std::string> more = queue_.poll_admitted(now);
    std::move(more.begin(), more.end(), std::back_inserter(admitted));
    if (large_files_.size() > Settings::boards_max) {
        std::erase_if(large_files_, [&](const auto& entry) {
            return !queue_.is_inside(entry.first) && !queue_.waiting_place(entry.first, now);
        });
    }
    return admitted;
}

std::optional<TimePoint> Doorman::next_deadline() const {
    if (!admitted_.empty()) return last_poll_.value_or(TimePoint{});  // at once
    auto next = queue_.next_deadline();
    if (queue_.anyone_waits() && last_poll_) {
        const TimePoint due = *last_poll_ + tick;
        next = next ? std::min(*next, due) : due;
    }
    return next;
}

}  // namespace bramble::admission
