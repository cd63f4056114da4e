#include "core/journey/journey.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/aggregate/state.hpp"

namespace pql {
namespace {

constexpr std::size_t kStepHead = sizeof(Micros) + sizeof(std::uint32_t);

// Saturates, which is as associative as the sum: only states that somebody made up count so far.
std::uint64_t sum(std::uint64_t a, std::uint64_t b) noexcept {
  return a > ~b ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

char *write(char *to, const Step &s) noexcept {
  const auto size = static_cast<std::uint32_t>(s.label.size());
  std::memcpy(to, &s.at, sizeof s.at);
  std::memcpy(to + sizeof s.at, &size, sizeof size);
  if (size) std::memcpy(to + kStepHead, s.label.data(), size);
  return to + kStepHead + size;
}

template <class T> std::span<T> array(std::size_t n, Allocate allocate) {
  return {static_cast<T *>(allocate(std::max<std::size_t>(n, 1) * sizeof(T))), n};
}

// The first and the last of what is sorted, moved together.
std::span<Step> ends(const JourneySpec &spec, std::span<Step> sorted) noexcept {
  if (sorted.size() <= spec.kept()) return sorted;
  std::move(sorted.end() - spec.last, sorted.end(), sorted.begin() + spec.first);
  return sorted.first(spec.kept());
}

} // namespace

std::size_t Journey::bytes_for(std::string_view label) noexcept { return kStepHead + label.size(); }

bool Journey::add(const Step &s, Allocate allocate) {
  if (!head_.full || s.at <= head_.first_end || s.at >= head_.last_begin) {
    const std::size_t bytes = bytes_for(s.label);
    if (!has_room(bytes)) {
      tidy(allocate);
      // At the least so much free room that tidying again is paid for by what fills it.
      if (!has_room(bytes) || head_.used > room_.size() / 4 * 3) return false;
    }
    append(s);
  }
  head_.total = sum(head_.total, 1);
  return true;
}

void Journey::append(const Step &s) noexcept {
  head_.used = static_cast<std::uint32_t>(write(room_.data() + head_.used, s) - room_.data());
  head_.size++;
  head_.tidy = 0;
}

void Journey::merge(const JourneyHead &head, std::span<const char> log) noexcept {
  if (head.used) std::memcpy(room_.data() + head_.used, log.data(), head.used);
  head_.used += head.used;
  head_.size += head.size;
  head_.total = sum(head_.total, head.total);
  head_.tidy = 0;
}

void Journey::tidy(Allocate allocate) {
  if (head_.tidy) return;
  const std::span<char> log = array<char>(head_.used, allocate);
  std::copy_n(room_.begin(), head_.used, log.begin());
  std::span<Step> all = steps_of(head_, log, allocate);
  std::sort(all.begin(), all.end());
  all = ends(head_.spec, all);
  char *to = room_.data();
  for (const Step &s : all) to = write(to, s);
  head_.used = static_cast<std::uint32_t>(to - room_.data());
  head_.size = static_cast<std::uint32_t>(all.size());
  head_.tidy = 1;
  if (head_.total <= head_.spec.kept()) return;
  head_.full = 1;
  head_.first_end = head_.spec.first ? all[head_.spec.first - 1].at : kAlways;
  head_.last_begin = head_.spec.last ? all[head_.spec.first].at : kNever;
}

bool next_step(std::span<const char> &log, Step &step) noexcept {
  std::uint32_t size = 0;
  if (log.size() < kStepHead) return false;
  std::memcpy(&step.at, log.data(), sizeof step.at);
  std::memcpy(&size, log.data() + sizeof step.at, sizeof size);
  if (log.size() - kStepHead < size) return false;
  step.label = {log.data() + kStepHead, size};
  log = log.subspan(kStepHead + size);
  return true;
}

std::span<Step> steps_of(const JourneyHead &head, std::span<const char> log, Allocate allocate) {
  const std::span<Step> all = array<Step>(head.size, allocate);
  for (Step &s : all) (void)next_step(log, s);
  return all;
}

bool is_valid(const JourneyHead &head, std::span<const char> log) noexcept {
  if (head.spec.first > kMaxJourneyEnd || head.spec.last > kMaxJourneyEnd || head.used > log.size()) return false;
  if (head.tidy > 1 || head.full > 1 || head.size > head.total) return false;
  // What tidying relies on: nothing was left out before there was enough to keep.
  if (head.size < (head.full ? head.spec.kept() : std::min<std::uint64_t>(head.total, head.spec.kept()))) return false;
  if (head.tidy && head.size > head.spec.kept()) return false;
  log = log.first(head.used);
  Step before;
  for (std::uint32_t n = 0; n < head.size; n++) {
    Step s;
    if (!next_step(log, s) || !is_instant(s.at) || s.label.find('\0') != s.label.npos) return false; // no text has a zero
    if (head.tidy && n > 0 && s < before) return false;
    before = s;
  }
  return log.empty();
}

namespace {

std::span<const Leg> legs_of(std::span<const Step> steps, Allocate allocate) {
  const std::span<Leg> legs = array<Leg>(steps.size(), allocate);
  std::size_t n = 0;
  for (const Step &s : steps) {
    if (n == 0 || legs[n - 1].label != s.label) legs[n++] = {s.label, 0, s.at, s.at};
    legs[n - 1].n++;
    legs[n - 1].to = s.at;
  }
  return legs.first(n);
}

} // namespace

Story story_of(const JourneySpec &spec, std::uint64_t total, std::span<const Step> tidy, Allocate allocate) {
  if (total <= tidy.size()) return {legs_of(tidy, allocate), {}, 0};
  return {legs_of(tidy.first(spec.first), allocate), legs_of(tidy.subspan(spec.first), allocate), total - tidy.size()};
}

const Leg *next_after(const Story &story, std::string_view label) noexcept {
  for (const std::span<const Leg> &legs : {story.first, story.last}) {
    for (std::size_t i = 0; i < legs.size(); i++) {
      if (legs[i].label == label) return i + 1 < legs.size() ? &legs[i + 1] : nullptr;
    }
  }
  return nullptr;
}

Step MovingJourney::step(std::size_t i) const noexcept {
  const Item &item = items_[i];
  return {item.at, {labels_ + (item.label - base_), item.size}};
}

// Labels move to the front of their room, or of something wider: at the least half of it is free afterwards.
void MovingJourney::make_room(std::size_t bytes, Allocate allocate) {
  const std::size_t size = end_ - begin_;
  char *to = labels_;
  if ((size + bytes) * 2 > capacity_) {
    const std::size_t wider = (size + bytes) * 4;
    to = static_cast<char *>(allocate(wider));
    capacity_ = wider;
  }
  if (size) std::memmove(to, labels_ + begin_, size);
  labels_ = to;
  base_ += begin_;
  begin_ = 0;
  end_ = size;
}

void MovingJourney::push(const Step &s, Allocate allocate) {
  if (!items_.empty() && s.at < items_.back().at) ascending_ = false;
  if (s.label.size() > capacity_ - end_) make_room(s.label.size(), allocate);
  items_.push({s.at, base_ + end_, static_cast<std::uint32_t>(s.label.size())}, allocate);
  if (!s.label.empty()) std::memcpy(labels_ + end_, s.label.data(), s.label.size());
  end_ += s.label.size();
}

bool MovingJourney::pop(const Step &s) noexcept {
  if (!ascending_ || items_.empty() || step(0) != s) return false;
  begin_ += s.label.size();
  items_.pop();
  return true;
}

// Looks at both ends, each up to where the time changes: only equal times may be out of order.
std::span<const Step> MovingJourney::tidy(Allocate allocate) const {
  const std::size_t n = items_.size;
  std::size_t front = n, back = n; // what lies from front up to back isn't looked at
  if (ascending_ && n > spec_.kept()) {
    front = spec_.first;
    while (front > 0 && front < n && items_[front].at == items_[front - 1].at) front++;
    back = n - spec_.last;
    while (back < n && back > 0 && items_[back].at == items_[back - 1].at) back--;
    if (back <= front) front = back = n;
  }
  const std::span<Step> all = array<Step>(front + n - back, allocate);
  for (std::size_t i = 0; i < front; i++) all[i] = step(i);
  for (std::size_t i = back; i < n; i++) all[front + i - back] = step(i);
  std::sort(all.begin(), all.end());
  return ends(spec_, all); // each end has been widened for itself; what it was widened by belongs to neither
}

} // namespace pql
