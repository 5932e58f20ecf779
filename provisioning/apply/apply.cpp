#include "provisioning/apply/apply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "config/types/text.hpp"
#include "provisioning/apply/heartbeat.hpp"
#include "provisioning/apply/image_pins.hpp"
#include "provisioning/apply/kernels.hpp"
#include "provisioning/apply/only.hpp"
#include "provisioning/apply/schedule.hpp"
#include "provisioning/apply/step_runner.hpp"

namespace bramble::apply {
namespace {

using plan::Step;
using plan::StepKind;

std::string name_of(const Step& step) {
    return fmt::format("{} {}", plan::to_string(step.kind), step.subject);
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

// What no two steps may do at once: fetch one file, make one base, use all cores.
std::vector<std::string> alone_of(const Step& step, const fleet::Fleet& fleet) {
    std::vector<std::string> alone;
    switch (step.kind) {
        case StepKind::ingest_image:
            if (const auto* image = fleet.find_image(step.subject)) {
                const auto* file = std::get_if<fleet::FileSource>(&image->source);
                if (file != nullptr) alone.push_back(file->location);
            }
            [[fallthrough]];
        case StepKind::customize_image:
            alone.push_back(step.key.to_string());
            break;
        case StepKind::build_kernel:
            alone.emplace_back("make");
            break;
        case StepKind::write_shared_root:  // each clears away what it takes for left over
            alone.emplace_back("roots on the NAS");
            break;
        default:
            break;
    }
    return alone;
}

std::vector<Schedule::Item> items_of(const plan::Plan& plan, const fleet::Fleet& fleet) {
    std::vector<Schedule::Item> items;
    for (const Step& step : plan.steps) {
        const bool last = step.kind == StepKind::export_roots || step.kind == StepKind::publish;
        items.push_back({step.after, alone_of(step, fleet), last});
    }
    return items;
}

// One apply from the lock to the published generation.
class Run {
public:
    Run(const fleet::Fleet& fleet, fleet::Fleet part, const Options& options, store::Changes changes
    )
        : whole_(fleet),
          fleet_(std::move(part)),
          options_(options),
          changes_(std::move(changes)),
          host_(changes_.store().host()),
          runner_(
              {fleet_,
               whole_,
               options_,
               [this](const auto& problems) { warn_of(problems); },
               [this](const std::string& text) { warn(0, text); }},
              changes_
          ) {}

    Result<Outcome> go() {
        if (auto pinned = pin(); !pinned) return tl::unexpected(pinned.error());
        const auto& paths = changes_.store().paths();
        auto seen = observe(fleet_, paths, host_);
        if (!seen) return tl::unexpected(seen.error());
        hold_others(*seen, whole_, options_.only);
        const plan::Plan plan = plan::make(fleet_, *seen, paths);
        if (plan.refused()) return tl::unexpected(refusal(plan.problems, fleet_));
        outcome_.generation = plan.current;
        warn_of(plan.problems);
        for (const std::string& problem : changes_.mount_problems()) warn(0, problem);
        steps_ = &plan.steps;
        runner_.begin(std::move(*seen));
        if (auto done = carry_out_all(plan); !done) return tl::unexpected(done.error());
        // Also when there was nothing to do: a run that ended before this, a configuration that
        // somebody removed. It leaves alone what is as it should be.
        if (auto exported = runner_.tell_nfs(false); !exported) {
            return tl::unexpected(exported.error());
        }
        if (const auto number = runner_.published()) {
            outcome_.generation = *number;
            outcome_.changed = true;
        }
        return std::move(outcome_);
    }

private:
    // One thread's way of telling about the step that it carries out.
    struct Hands {
        explicit Hands(Run& run) : run_(run) {}

        Run& run_;
        std::size_t number = 0;
        std::string name;
        Heartbeat heartbeat{[this](std::chrono::milliseconds since) {
            // From the heartbeat's own thread; a step is under way: its number and name stand
            // still.
            run_.tell(
                {EventKind::progress,
                 number,
                 0,
                 name,
                 fmt::format("{} so far", describe(since)),
                 {}}
            );
        }};

        void tell(EventKind kind, std::string text, Duration took = {}) {
            heartbeat.heard();
            run_.tell({kind, number, 0, name, std::move(text), took});
        }

        Telling telling() {
            return {
                [this](std::string_view line) { tell(EventKind::progress, std::string(line)); },
                run_.options_.stop};
        }
    };

    // Before the plan, which goes by what wishes mean.
    Result<void> pin() {
        const auto progress = [this](std::string_view line) {
            tell({EventKind::progress, 0, 0, "pin sources", std::string(line), {}});
        };
        const PinStep step{fleet_, options_.update_pins, progress, options_.stop};
        return pin_kernels(changes_, step).and_then([&] { return pin_images(changes_, step); });
    }

    void tell(Event event) {
        if (!options_.on_event) return;
        event.steps = steps_ == nullptr ? 0 : steps_->size();
        const std::lock_guard lock(telling_);
        options_.on_event(event);
    }

    void warn(std::size_t step, const std::string& text) {
        {
            const std::lock_guard lock(telling_);
            auto& warnings = outcome_.warnings;
            if (std::find(warnings.begin(), warnings.end(), text) != warnings.end()) return;
            warnings.push_back(text);
        }
        tell({EventKind::warning, step, 0, "", text, {}});
    }

    void warn_of(const std::vector<plan::Problem>& problems) {
        for (const plan::Problem& problem : problems) {
            if (!problem.fatal) warn(0, fleet_.place(problem.where) + problem.message);
        }
    }

    Result<void> carry_out_all(const plan::Plan& plan) {
        schedule_.emplace(items_of(plan, fleet_), options_.keep_going);
        const auto many = std::min<std::size_t>(options_.jobs, plan.steps.size());
        {
            std::vector<std::jthread> others;
            for (std::size_t i = 1; i < many; ++i) others.emplace_back([this] { take_steps(); });
            take_steps();
        }
        if (stopped_) {
            return fail(
                failed_before_stop_ +
                "stopped before the end; what is done is kept: run apply again to go on"
            );
        }
        return give_failures();
    }

    // Each thread takes the next step that may begin until none will.
    void take_steps() {
        Hands hands(*this);
        std::unique_lock lock(scheduling_);
        while (!schedule_->over()) {
            if (options_.stop.stop_requested()) {
                stopped_ = stopped_ || schedule_->waiting();
                schedule_->stop();
            }
            const auto step = schedule_->next();
            if (!step) {
                if (!schedule_->over()) changed_.wait(lock);
                continue;
            }
            lock.unlock();
            const Result<void> done = carry_out(*step, hands);
            lock.lock();
            if (done) {
                schedule_->done(*step);
            } else {
                give_up(*step, done.error());
            }
            changed_.notify_all();
        }
        changed_.notify_all();
    }

    Result<void> carry_out(std::size_t index, Hands& hands) {
        const Step& step = (*steps_)[index];
        hands.number = index + 1;
        hands.name = name_of(step);
        hands.tell(EventKind::started, step.reason);
        const auto begun = host_.now();
        hands.heartbeat.begin();
        const Result<void> done = runner_.perform(step, hands.telling());
        hands.heartbeat.end();
        const Duration took = host_.now() - begun;
        if (done) {
            hands.tell(EventKind::finished, "", took);
        } else {
            hands.tell(EventKind::failed, first_line(done.error().message), took);
        }
        return done;
    }

    void give_up(std::size_t index, const Error& error) {
        failures_.emplace(index, error.message);
        if (!options_.stop.stop_requested()) failed_before_stop_ += failure_of(index) + "\n";
        const auto lost = schedule_->failed(index);
        if (!options_.keep_going) return;
        // Boards may not be told of roots that they cannot mount.
        if ((*steps_)[index].kind == StepKind::export_roots) schedule_->stop();
        std::set<std::string> boards = runner_.boards_of((*steps_)[index]);
        for (const std::size_t later : lost) {
            const Step& step = (*steps_)[later];
            boards.merge(runner_.boards_of(step));
            tell(
                {EventKind::skipped,
                 later + 1,
                 0,
                 name_of(step),
                 fmt::format("{} failed", name_of((*steps_)[index])),
                 {}}
            );
        }
        runner_.hold(boards);
        held_.merge(boards);
    }

    std::string failure_of(std::size_t index) const {
        return fmt::format("{}: {}", name_of((*steps_)[index]), failures_.at(index));
    }

    // What keeps all from being published is an error also for who goes on.
    Result<void> give_failures() {
        std::string text;
        for (const auto& [index, message] : failures_) {
            const Step& step = (*steps_)[index];
            const std::string failure = failure_of(index);
            const bool last = step.kind == StepKind::export_roots || step.kind == StepKind::publish;
            if (options_.keep_going && !last) {
                outcome_.failures.push_back(failure);
            } else {
                text += failure + "\n";
            }
        }
        outcome_.held.assign(held_.begin(), held_.end());
        if (text.empty()) return {};
        return fail(text + "what was done before is kept: run apply again to go on from there");
    }

    const fleet::Fleet& whole_;
    const fleet::Fleet fleet_;  // the part of it that is applied
    const Options& options_;
    store::Changes changes_;
    host::Host& host_;
    std::mutex telling_;  // one event at a time; guards warnings
    Outcome outcome_;
    const std::vector<Step>* steps_ = nullptr;
    StepRunner runner_;
    std::mutex scheduling_;  // guards what follows
    std::condition_variable changed_;
    std::optional<Schedule> schedule_;
    bool stopped_ = false;
    std::map<std::size_t, std::string> failures_;
    std::string failed_before_stop_;  // one a line
    std::set<std::string> held_;
};

}  // namespace

Result<Outcome> run(const fleet::Fleet& fleet, const Options& options, host::Host& host) {
    auto part = part_of(fleet, options.only);
    if (!part) return tl::unexpected(part.error());
    auto changes = store::Changes::begin(host, layout::StorePaths(fleet.appliance.store));
    if (!changes) return tl::unexpected(changes.error());
    return Run(fleet, std::move(*part), options, std::move(*changes)).go();
}

}  // namespace bramble::apply
