// Two stacks make a queue of summaries, which can be joined but not taken apart. Their unit is the instant, since the rows of
// one instant don't follow each other; the oldest and the newest one, of which rows may be missing, are looked at as they are.
#include "core/sequence/moving.hpp"

#include <algorithm>

namespace pql {

MovingFunnel::MovingFunnel(std::pmr::memory_resource *memory, int steps, Micros within, bool increase)
    : kind_{steps, within, increase}, rows_(memory), front_(memory), latest_(memory), onward_(memory),
      back_numbers_(FunnelSummary::numbers_of(steps), memory), work_numbers_(FunnelSummary::numbers_of(steps), memory),
      single_numbers_(FunnelSummary::numbers_of(steps), memory),
      back_(FunnelSummary::of(back_numbers_.data(), steps, within, increase)) {}

void MovingFunnel::Tally::add(std::uint32_t steps, int n) noexcept {
  rows += static_cast<std::size_t>(n);
  for (; steps; steps &= steps - 1) of[std::countr_zero(steps)] += static_cast<std::uint32_t>(n);
}

std::uint32_t MovingFunnel::Tally::steps() const noexcept {
  std::uint32_t all = 0;
  for (int s = 0; s < kMaxConditions; s++) all |= static_cast<std::uint32_t>(of[s] != 0) << s;
  return all;
}

void MovingFunnel::push(Micros at, std::uint32_t steps) {
  if (!steps) return;
  rows_.push_back({at, steps});
  if (disordered_ || at < newest_at_) {
    disordered_ = true;
    return;
  }
  if (at > newest_at_) {
    if (newest_.rows) back_.take(newest_.at, newest_.steps());
    newest_ = {};
    newest_.at = newest_at_ = at;
    newest_from_ = rows_.size() - 1;
  }
  newest_.add(steps, 1);
}

bool MovingFunnel::pop(Micros at, std::uint32_t steps) {
  if (!steps) return true;
  if (disordered_ || head_ == rows_.size() || rows_[head_].at != at || rows_[head_].steps != steps) return false;
  if (front_.empty() && head_ < newest_from_) turn();
  drop_row();
  if (front_.empty()) {
    newest_.add(steps, -1);
  } else {
    oldest_.add(steps, -1);
    if (oldest_.rows == 0) drop_front();
  }
  return true;
}

void MovingFunnel::drop_row() {
  head_++;
  if (head_ < 1024 || head_ < rows_.size() / 2) return;
  rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(head_));
  newest_from_ -= std::min(newest_from_, head_);
  head_ = 0;
}

void MovingFunnel::drop_front() {
  front_.pop_back();
  latest_.resize(latest_.size() - static_cast<std::size_t>(kind_.steps));
  onward_.resize(onward_.size() - static_cast<std::size_t>(kind_.steps) - 1);
  look_at_front();
}

// All that is summarised becomes the front, from the newest instant to the oldest.
void MovingFunnel::turn() {
  FunnelSummary after = FunnelSummary::of(work_numbers_.data(), kind_.steps, kind_.within, kind_.increase);
  FunnelSummary with = FunnelSummary::of(single_numbers_.data(), kind_.steps, kind_.within, kind_.increase);
  for (std::size_t end = newest_from_; end > head_;) {
    std::size_t begin = end;
    std::uint32_t all = 0;
    const Micros at = rows_[end - 1].at;
    for (; begin > head_ && rows_[begin - 1].at == at; begin--) all |= rows_[begin - 1].steps;
    front_.push_back({at, end - begin});
    latest_.insert(latest_.end(), after.numbers, after.numbers + kind_.steps);
    onward_.push_back(0);
    for (int i = 1; i <= kind_.steps; i++) {
      int j = i;
      while (j < kind_.steps && after.earliest(i, j) != kNever && !later_by_more(after.earliest(i, j), at, kind_.within)) j++;
      onward_.push_back(static_cast<std::uint8_t>(j));
    }
    with = FunnelSummary::of(with.numbers, kind_.steps, kind_.within, kind_.increase);
    with.take(at, all);
    with.append(after);
    std::swap(after, with);
    end = begin;
  }
  back_ = FunnelSummary::of(back_numbers_.data(), kind_.steps, kind_.within, kind_.increase);
  look_at_front();
}

void MovingFunnel::look_at_front() noexcept {
  oldest_ = {};
  if (front_.empty()) return;
  oldest_.at = front_.back().at;
  for (std::size_t i = 0; i < front_.back().rows; i++) oldest_.add(rows_[head_ + i].steps, 1);
}

// A chain that starts at the oldest instant takes as many steps there as it can: where it gets to is known.
void MovingFunnel::front_latest(Micros *latest) const noexcept {
  if (front_.empty()) {
    std::fill_n(latest, kind_.steps, kAlways);
    return;
  }
  const std::size_t i = front_.size() - 1;
  std::copy_n(latest_after(i), kind_.steps, latest);
  const int run = std::countr_one(oldest_.steps());
  const int here = std::min(kind_.increase ? std::min(run, 1) : run, kind_.steps);
  const int reached = onward_[i * (static_cast<std::size_t>(kind_.steps) + 1) + static_cast<std::size_t>(here)];
  for (int s = 0; s < reached; s++) latest[s] = std::max(latest[s], oldest_.at);
}

int MovingFunnel::level() const {
  if (disordered_) {
    std::vector<EventRow> sorted;
    for (std::size_t i = head_; i < rows_.size(); i++) sorted.push_back({rows_[i].at, rows_[i].steps, 0});
    sort_events(sorted);
    return funnel_level({kind_.steps, kind_.within, {.increase = kind_.increase}}, sorted);
  }
  Micros latest[kMaxConditions];
  front_latest(latest);
  append_latest(latest, back_);
  if (newest_.rows) take_latest(latest, kind_, newest_.at, newest_.steps());
  int level = kind_.steps;
  while (level > 0 && latest[level - 1] == kAlways) level--;
  return level;
}

} // namespace pql
