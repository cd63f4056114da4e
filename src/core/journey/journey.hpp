// A journey: the first and the last labelled events, by time and then by label, and how many there were between.
// Law: the tidy form is a function of the multiset of events and the bounds, whatever the order and the splits.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/aggregate/text.hpp"
#include "core/base/ring.hpp"
#include "core/base/time.hpp"

namespace pql {

struct Step {
  Micros at = 0;
  std::string_view label;
  auto operator<=>(const Step &) const = default;
};

/// How many events are kept at each end. While there aren't more than both together, all are.
struct JourneySpec {
  std::uint32_t first = 20, last = 20;
  std::size_t kept() const noexcept { return std::size_t{first} + last; }
  bool operator==(const JourneySpec &) const = default;
};
inline constexpr std::uint32_t kMaxJourneyEnd = 1000;

/// The head of a flat state; the log of its events lies elsewhere, in room that the caller gives: for each the time (8 bytes),
/// the length of the label (4) and the label.
struct JourneyHead {
  JourneySpec spec;
  std::uint64_t total = 0; ///< events, kept or not
  std::uint32_t size = 0;  ///< events in the log
  std::uint32_t used = 0;  ///< bytes of the log
  std::uint32_t tidy = 1;  ///< ascending, and no more than are kept
  std::uint32_t full = 0;  ///< first_end and last_begin hold: what lies strictly between them need not be looked at
  Micros first_end = 0, last_begin = 0;
};

/// A journey changed in place.
class Journey {
public:
  static std::size_t bytes_for(std::string_view label) noexcept;

  Journey(JourneyHead &head, std::span<char> room) noexcept : head_(head), room_(room) {}

  /// Takes an event. False, and nothing changed but the order, when it takes more room.
  bool add(const Step &s, Allocate allocate);
  /// Takes all of another state. Its log must fit.
  void merge(const JourneyHead &head, std::span<const char> log) noexcept;
  /// Ascending order, and no more than is kept.
  void tidy(Allocate allocate);

private:
  bool has_room(std::size_t bytes) const noexcept { return bytes <= room_.size() - head_.used; }
  void append(const Step &s) noexcept;

  JourneyHead &head_;
  std::span<char> room_;
};

/// Takes the next event off a log. False when there is none, or it doesn't fit.
bool next_step(std::span<const char> &log, Step &step) noexcept;
/// The events of a log that is valid.
std::span<Step> steps_of(const JourneyHead &head, std::span<const char> log, Allocate allocate);
/// Whether these bytes begin with the log of a state with this head.
bool is_valid(const JourneyHead &head, std::span<const char> log) noexcept;

/// A leg: equal labels one after the other.
struct Leg {
  std::string_view label;
  std::uint64_t n = 0;
  Micros from = 0, to = 0;
  bool operator==(const Leg &) const = default;
};

/// A tidy journey as it is told: what comes before and after the events that are left out. Nothing left out: all comes before.
struct Story {
  std::span<const Leg> first, last;
  std::uint64_t elided = 0;
};
Story story_of(const JourneySpec &spec, std::uint64_t total, std::span<const Step> tidy, Allocate allocate);

/// What comes next after the first leg of a label. Null: nothing, it is left out, or the label isn't there.
const Leg *next_after(const Story &story, std::string_view label) noexcept;

/// Labelled events that enter at one end of a frame and leave at the other. Cheap as long as they enter in ascending order of
/// time; equal times may come with their labels in any order.
class MovingJourney {
public:
  explicit MovingJourney(JourneySpec spec) noexcept : spec_(spec) {}

  const JourneySpec &spec() const noexcept { return spec_; }
  void push(const Step &s, Allocate allocate);
  /// Takes back the oldest one. False when it can't: it isn't the oldest, or not all entered in order.
  bool pop(const Step &s) noexcept;

  std::uint64_t total() const noexcept { return items_.size; }
  /// The events of the tidy state.
  std::span<const Step> tidy(Allocate allocate) const;

private:
  struct Item {
    Micros at;
    std::uint64_t label; ///< in bytes that ever entered
    std::uint32_t size;
  };
  Step step(std::size_t i) const noexcept;
  void make_room(std::size_t bytes, Allocate allocate);

  JourneySpec spec_;
  Ring<Item> items_;
  char *labels_ = nullptr; ///< of the items, one after the other; the first byte is number base_
  std::size_t begin_ = 0, end_ = 0, capacity_ = 0;
  std::uint64_t base_ = 0;
  bool ascending_ = true;
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
