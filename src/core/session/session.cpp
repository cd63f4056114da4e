#include "core/session/session.hpp"

#include <algorithm>
#include <limits>

#include "core/aggregate/state.hpp"

namespace pql {
namespace {

bool earlier(const Session &a, const Session &b) noexcept { return a.start < b.start; }

} // namespace

bool Sessions::push(const Session &s) noexcept {
  if (head_.size == room_.size()) {
    tidy();
    // At the least so much free room that tidying again is paid for by what fills it.
    if (head_.size == room_.size() || head_.size > room_.size() / 4 * 3) return false;
  }
  if (head_.size > 0) {
    const Session &last = room_[head_.size - 1];
    if (s.start <= last.end || !apart(last.end, s.start, head_.spec.gap)) head_.tidy = 0;
  }
  room_[head_.size++] = s;
  return true;
}

void Sessions::tidy() noexcept {
  if (head_.tidy) return;
  const std::span<Session> all = room_.first(head_.size);
  std::sort(all.begin(), all.end(), earlier);
  std::size_t last = 0;
  for (std::size_t i = 1; i < all.size(); i++) {
    Session &into = all[last];
    const Session &s = all[i];
    if (s.start > into.end && apart(into.end, s.start, head_.spec.gap)) {
      all[++last] = s;
      continue;
    }
    into.end = std::max(into.end, s.end);
    into.n = sum(into.n, s.n);
  }
  head_.size = static_cast<std::uint32_t>(last + 1);
  head_.tidy = 1;
}

bool is_session(const SessionSpec &spec, const Session &s) noexcept {
  if (!is_instant(s.start) || !is_instant(s.end) || s.end < s.start || s.n < 1) return false;
  if (s.n == std::numeric_limits<std::int64_t>::max()) return true; // or more
  const auto longest = static_cast<unsigned __int128>(spec.gap) * static_cast<std::uint64_t>(s.n - 1);
  return length_of(s) <= longest;
}

bool is_tidy(const SessionSpec &spec, std::span<const Session> sessions) noexcept {
  if (spec.gap < 0 || spec.min_length < 0) return false;
  for (std::size_t i = 0; i < sessions.size(); i++) {
    const Session &s = sessions[i];
    if (!is_session(spec, s)) return false;
    if (i > 0 && (s.start <= sessions[i - 1].end || !apart(sessions[i - 1].end, s.start, spec.gap))) return false;
  }
  return true;
}

SessionTotals totals_of(const SessionSpec &spec, std::span<const Session> tidy) noexcept {
  SessionTotals t;
  for (const Session &s : tidy) {
    if (!is_told(spec, s)) continue;
    t.sessions++;
    t.length += length_of(s);
  }
  return t;
}

const Session *longest_of(const SessionSpec &spec, std::span<const Session> tidy) noexcept {
  const Session *longest = nullptr;
  for (const Session &s : tidy) {
    if (is_told(spec, s) && (!longest || length_of(s) > length_of(*longest))) longest = &s;
  }
  return longest;
}

void MovingSessions::count(const Session &s, int sign) noexcept {
  if (!is_told(spec_, s)) return;
  totals_.sessions += static_cast<std::uint64_t>(sign);
  totals_.length += static_cast<std::uint64_t>(sign) * length_of(s);
}

void MovingSessions::push(Micros at, Allocate allocate) {
  if (!instants_.empty() && at < instants_.back()) ascending_ = false;
  instants_.push(at, allocate);
  if (!ascending_) return;
  if (sessions_.empty() || apart(sessions_.back().end, at, spec_.gap)) {
    sessions_.push({at, at, 1}, allocate);
  } else {
    Session &last = sessions_.back();
    count(last, -1);
    last.end = at;
    last.n++;
  }
  count(sessions_.back(), 1);
}

bool MovingSessions::pop(Micros at) noexcept {
  if (!ascending_ || instants_.empty() || instants_.front() != at) return false;
  instants_.pop();
  Session &first = sessions_.front();
  count(first, -1);
  if (--first.n == 0) {
    sessions_.pop();
    return true;
  }
  first.start = instants_.front();
  count(first, 1);
  return true;
}

} // namespace pql
