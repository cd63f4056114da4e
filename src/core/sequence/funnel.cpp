#include "core/sequence/funnel.hpp"

#include <algorithm>
#include <bit>

namespace pql {
namespace {

// One pass over instants in ascending order. `sweep` has one slot per step (see Funnel::sweep).
class Sweep {
public:
  Sweep(const FunnelSpec &spec, Micros *slots, FunnelLevel best) noexcept : spec_(spec), slots_(slots), best_(best) {}

  void take(const StepAt &s) noexcept { spec_.in_order ? take_in_order(s) : take_any_order(s); }
  const FunnelLevel &best() const noexcept { return best_; }
  bool complete() const noexcept { return best_.level == spec_.steps; }

private:
  // The latest start that can still reach a step dominates all earlier ones, so one start per step is enough. Steps are
  // taken ascending: at equal times a later step may follow an earlier one.
  void take_in_order(const StepAt &s) noexcept {
    const int before = best_.level;
    for (std::uint32_t rest = s.steps; rest; rest &= rest - 1) {
      const int step = std::countr_zero(rest);
      if (step >= spec_.steps) return;
      if (step == 0) {
        slots_[0] = s.at;
      } else {
        const Micros start = slots_[step - 1];
        if (start == kAlways || late(start, s.at)) continue;
        slots_[step] = start;
      }
      if (step + 1 > before) best_ = {step + 1, (2u << step) - 1, slots_[step], s.at};
    }
  }

  void take_any_order(const StepAt &s) noexcept {
    for (std::uint32_t rest = s.steps; rest; rest &= rest - 1) {
      const int step = std::countr_zero(rest);
      if (step < spec_.steps) slots_[step] = s.at;
    }
    FunnelLevel now{0, 0, s.at, s.at};
    for (int i = 0; i < spec_.steps; i++) {
      if (slots_[i] == kAlways || late(slots_[i], s.at)) continue;
      now.level++;
      now.done |= 1u << i;
      now.started = std::min(now.started, slots_[i]);
    }
    if (now.level > best_.level) best_ = now;
  }

  // Whether the time is over. Instants ascend, but may lie further apart than a signed number says.
  bool late(Micros start, Micros at) const noexcept {
    return static_cast<std::uint64_t>(at) - static_cast<std::uint64_t>(start) > static_cast<std::uint64_t>(spec_.within);
  }

  const FunnelSpec &spec_;
  Micros *slots_;
  FunnelLevel best_;
};

void load(const Funnel &f, const FunnelSpec &spec, Micros *slots) noexcept {
  for (int i = 0; i < spec.steps; i++) slots[i] = static_cast<std::uint32_t>(i) < f.sweep.size ? f.sweep[i] : kAlways;
}

} // namespace

void Funnel::add(Arena &a, const FunnelSpec &spec, Micros at, std::uint32_t steps) {
  if (complete(spec)) {
    if (at <= best.reached) inexact = true; // it may have been complete earlier
    return;
  }
  if (floor != kAlways && at <= floor) {
    inexact = true;
    return;
  }
  std::uint32_t i = kept.size;
  while (i > 0 && kept[i - 1].at > at) i--;
  if (i > 0 && kept[i - 1].at == at) {
    kept[i - 1].steps |= steps;
    return;
  }
  kept.insert(a, i, {at, steps});
}

void Funnel::merge(Arena &a, const FunnelSpec &spec, const Funnel &o) {
  if (o.inexact || (o.floor != kAlways && floor != kAlways)) inexact = true;
  if (inexact) return;
  if (o.floor == kAlways) {
    for (const StepAt &s : o.kept) add(a, spec, s.at, s.steps);
    return;
  }
  const Funnel mine = *this;
  best = o.best;
  floor = o.floor;
  sweep = {};
  for (Micros t : o.sweep) sweep.push(a, t);
  kept = {};
  for (const StepAt &s : o.kept) kept.push(a, s);
  for (const StepAt &s : mine.kept) add(a, spec, s.at, s.steps);
}

void Funnel::settle(Arena &a, const FunnelSpec &spec) {
  if (inexact || complete(spec)) return;
  const FunnelLevel now = read(spec);
  if (now.level == spec.steps) {
    best = now;
    floor = now.reached;
    kept.clear();
    sweep.clear();
    return;
  }
  if (kept.size <= kKept) return;
  Micros slots[kMaxSteps];
  load(*this, spec, slots);
  Sweep run(spec, slots, best);
  const std::uint32_t fold = kept.size - kKept;
  for (std::uint32_t i = 0; i < fold; i++) run.take(kept[i]);
  best = run.best();
  floor = kept[fold - 1].at;
  sweep.clear();
  for (int i = 0; i < spec.steps; i++) sweep.push(a, slots[i]);
  kept.erase_front(fold);
}

FunnelLevel Funnel::read(const FunnelSpec &spec, Micros as_of) const noexcept {
  if (complete(spec)) return best;
  Micros slots[kMaxSteps];
  load(*this, spec, slots);
  Sweep run(spec, slots, best);
  for (const StepAt &s : kept) {
    if (s.at > as_of) break;
    run.take(s);
    if (run.complete()) break;
  }
  return run.best();
}

} // namespace pql
