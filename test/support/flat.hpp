// States with room that grows as the aggregates' does, for the tests of the core.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/arena.hpp"
#include "core/distinct/distinct.hpp"
#include "core/journey/journey.hpp"
#include "core/session/session.hpp"

namespace pql {

/// Memory until the tests are over.
inline Arena allocated;
inline void *allocate(std::size_t bytes) { return allocated.allocate(bytes); }

struct FlatSessions {
  SessionHead head;
  std::vector<Micros> room;

  explicit FlatSessions(SessionSpec spec = {}) : head{spec} {}
  template <class T> void add(const T &what) {
    while (!set().add(what)) {
      if (room.empty() || !set().tidy(allocate)) grow();
    }
  }
  void merge(const FlatSessions &o) {
    FlatSessions other = o;
    for (const Session &s : other.set().all()) add(s);
    for (const Micros at : other.set().loose()) add(at);
  }
  std::vector<Session> tidy() {
    while (!set().tidy(allocate)) grow();
    const std::span<const Session> all = set().all();
    return {all.begin(), all.end()};
  }

private:
  Sessions set() { return {head, room}; }
  void grow() {
    std::vector<Micros> wider(room.empty() ? kSessionWords : room.size() * 2);
    set().move_to(wider);
    room = std::move(wider);
  }
};

struct FlatDistinct {
  DistinctHead head;
  std::vector<std::uint64_t> room;

  explicit FlatDistinct(bool approximate) : head{0, DistinctHead::list, approximate} {}
  void add(std::uint64_t value) { add_scattered(scatter(value)); }
  void add_scattered(std::uint64_t hash) {
    while (!set().add(hash)) grow();
  }
  void merge(const FlatDistinct &o) {
    while (!set().merge(o.head, o.room)) grow();
  }
  void settle() {
    set().settle();
    room.resize(settled_words(head));
  }
  std::vector<std::uint64_t> settled() {
    settle();
    return room;
  }
  std::uint64_t count() const { return count_of(head, room); }

private:
  Distinct set() { return {head, room}; }
  void grow() {
    std::vector<std::uint64_t> wider(Distinct::room_for(room.size() + 1));
    set().move_to(wider);
    room = std::move(wider);
  }
};

struct FlatJourney {
  JourneyHead head;
  std::vector<char> room;

  explicit FlatJourney(JourneySpec spec = {}) : head{spec} {}
  void add(const Step &s) {
    while (!Journey(head, room).add(s, allocate)) room.resize(room.empty() ? 16 : room.size() * 2);
  }
  void merge(const FlatJourney &o) {
    if (room.size() < head.used + o.head.used) room.resize(head.used + o.head.used);
    Journey(head, room).merge(o.head, o.room);
  }
  void tidy() { Journey(head, room).tidy(allocate); }
  std::vector<char> log() const { return {room.begin(), room.begin() + head.used}; }
  std::span<Step> steps() const { return steps_of(head, room, allocate); }
};

} // namespace pql
