#include "core/session/session.hpp"

#include <algorithm>
#include <limits>

#include "core/aggregate/state.hpp"

namespace pql {
namespace {

bool earlier(const Session &a, const Session &b) noexcept { return a.start < b.start; }

} // namespace

bool in_order(std::span<const Session> sessions, std::span<const Micros> loose) noexcept {
  return std::is_sorted(loose.rbegin(), loose.rend()) && std::is_sorted(sessions.begin(), sessions.end(), earlier);
}

std::size_t fold(const SessionSpec &spec, std::span<const Session> sessions, std::span<const Micros> loose, Session *out) noexcept {
  std::size_t n = 0;
  Session last;
  const auto take = [&](const Session &s) {
    if (n == 0 || (s.start > last.end && apart(last.end, s.start, spec.gap))) {
      n++;
      last = s;
    } else {
      last.end = std::max(last.end, s.end);
      last.n = sum(last.n, s.n);
    }
    if (out) out[n - 1] = last;
  };
  auto at = loose.rbegin();
  for (const Session &s : sessions) {
    for (; at != loose.rend() && *at < s.start; at++) take({*at, *at, 1});
    take(s);
  }
  for (; at != loose.rend(); at++) take({*at, *at, 1});
  return n;
}

bool Sessions::push(Micros at) noexcept {
  if (head_.loose > 0) {
    const auto [from, to] = std::minmax({loose().front(), at});
    if (!apart(from, to, head_.spec.gap)) {
      head_.loose--;
      if (push({from, to, 2})) return true;
      head_.loose++;
      return false;
    }
  }
  if (free_words() == 0) return false;
  head_.loose++;
  loose().front() = at;
  return true;
}

bool Sessions::push(const Session &s) noexcept {
  if (free_words() < kSessionWords) return false;
  if (head_.size > 0) {
    const Session &last = all().back();
    if (s.start <= last.end || !apart(last.end, s.start, head_.spec.gap)) head_.tidy = 0;
  }
  head_.size++;
  all().back() = s;
  return true;
}

void Sessions::sort() noexcept {
  if (!head_.tidy) std::sort(all().begin(), all().end(), earlier);
  if (!in_order({}, loose())) std::sort(loose().rbegin(), loose().rend());
}

bool Sessions::tidy(Allocate allocate) {
  sort();
  const std::size_t n = fold(head_.spec, all(), loose(), nullptr);
  if (n * kSessionWords > room_.size() / 2) return false;
  auto *const folded = static_cast<Session *>(allocate(n * sizeof(Session)));
  fold(head_.spec, all(), loose(), folded);
  head_.size = static_cast<std::uint32_t>(n);
  head_.tidy = 1;
  head_.loose = 0;
  std::copy_n(folded, n, all().begin());
  return true;
}

void Sessions::move_to(std::span<Micros> wider) const noexcept {
  std::copy_n(room_.begin(), head_.size * kSessionWords, wider.begin());
  std::copy(loose().begin(), loose().end(), wider.last(head_.loose).begin());
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
