// Aggregates over flat states: what their SQL functions are made of.
// Law: a state is changed only where an aggregate owns it; whatever else comes in is looked at before it is used. Nothing here
// throws, and all of it may jump: it is called from PQL_DIRECT_FUNCTIONs (or inside call()), by whoever holds no destructor.
#pragma once

#include "core/aggregate/decayed.hpp"
#include "pg/boundary.hpp"

/// As PQL_FUNCTION, without the wall: for functions that are called for every row. The body throws nothing and owns nothing that
/// has a destructor, so that PostgreSQL's errors may jump over it.
#define PQL_DIRECT_FUNCTION(name)                                                                                      \
  extern "C" {                                                                                                         \
  PGDLLEXPORT Datum pql_##name(PG_FUNCTION_ARGS);                                                                      \
  PG_FUNCTION_INFO_V1(pql_##name);                                                                                     \
  }                                                                                                                    \
  static Datum impl_##name(FunctionCallInfo fcinfo) noexcept;                                                          \
  Datum pql_##name(PG_FUNCTION_ARGS) { return impl_##name(fcinfo); }                                                   \
  static Datum impl_##name([[maybe_unused]] FunctionCallInfo fcinfo) noexcept

/// Three functions, since what an aggregate's first row makes has to know what times are: name for instants, name_timestamp, and
/// name_bigint for numbers. The body has `times`.
#define PQL_TIMED_FUNCTION(name) PQL_TIMED(PQL_FUNCTION, name)
#define PQL_TIMED_DIRECT_FUNCTION(name) PQL_TIMED(PQL_DIRECT_FUNCTION, name)
#define PQL_TIMED(define, name)                                                                                        \
  static inline Datum timed_##name(FunctionCallInfo fcinfo, pql::Times times);                                         \
  define(name) { return timed_##name(fcinfo, pql::Times::instants); }                                                  \
  define(name##_timestamp) { return timed_##name(fcinfo, pql::Times::timestamps); }                                    \
  define(name##_bigint) { return timed_##name(fcinfo, pql::Times::numbers); }                                          \
  static inline Datum timed_##name([[maybe_unused]] FunctionCallInfo fcinfo, [[maybe_unused]] pql::Times times)

/// Input and receive functions of the types of a kind that knows time.
#define PQL_TIMED_STATE(name, kind)                                                                                    \
  PQL_DIRECT_FUNCTION(name##_state_in) { return pql::pg::state_in(fcinfo, kind, pql::Times::instants); }               \
  PQL_DIRECT_FUNCTION(name##_timestamp_state_in) { return pql::pg::state_in(fcinfo, kind, pql::Times::timestamps); }   \
  PQL_DIRECT_FUNCTION(name##_bigint_state_in) { return pql::pg::state_in(fcinfo, kind, pql::Times::numbers); }         \
  PQL_DIRECT_FUNCTION(name##_state_recv) { return pql::pg::state_recv(fcinfo, kind, pql::Times::instants); }           \
  PQL_DIRECT_FUNCTION(name##_timestamp_state_recv) { return pql::pg::state_recv(fcinfo, kind, pql::Times::timestamps); } \
  PQL_DIRECT_FUNCTION(name##_bigint_state_recv) { return pql::pg::state_recv(fcinfo, kind, pql::Times::numbers); }

namespace pql::pg {

// --- memory -------------------------------------------------------------------------------------------------------------

/// The core's Allocate: in the current memory context.
void *allocate(std::size_t n);

[[noreturn]] void only_in_aggregates();

/// The memory of the aggregate that calls; raises when none does, since only an aggregate's state may be changed in place.
inline MemoryContext aggregate_memory(FunctionCallInfo fcinfo) {
  MemoryContext memory;
  if (!AggCheckCallContext(fcinfo, &memory)) only_in_aggregates();
  return memory;
}

/// Raises when no aggregate calls. What AggCheckCallContext does, without the call: these functions run for every row.
inline void require_aggregate(FunctionCallInfo fcinfo) {
  const Node *caller = fcinfo->context;
  if (!caller || !(IsA(caller, AggState) || IsA(caller, WindowAggState))) [[unlikely]] only_in_aggregates();
}

/// Work in the memory of the aggregate that calls. (No scope guard: errors jump.)
template <class F>
auto in_aggregate_memory(FunctionCallInfo fcinfo, F &&f) {
  MemoryContext const before = MemoryContextSwitchTo(aggregate_memory(fcinfo));
  auto r = f();
  MemoryContextSwitchTo(before);
  return r;
}

/// What came and, mostly, goes in that order, for moving forms: in the aggregate's memory, where its functions are to be called.
template <class T>
class Fifo { // zero bytes are an empty one
public:
  bool empty() const noexcept { return head_ == end_; }
  std::size_t size() const noexcept { return end_ - head_; }
  T *begin() const noexcept { return items_ + head_; }
  T *end() const noexcept { return items_ + end_; }
  T &front() const noexcept { return items_[head_]; }
  T &back() const noexcept { return items_[end_ - 1]; }
  void pop() noexcept { head_++; }
  void pop_back() noexcept { end_--; }
  void insert(T *before, const T &item) {
    const auto n = before - begin();
    push(item);
    std::rotate(begin() + n, end() - 1, end());
  }
  void erase(T *item) noexcept {
    if (item == begin()) return pop();
    std::copy(item + 1, end(), item);
    pop_back();
  }
  void push(const T &item) {
    if (end_ == room_) make_room();
    items_[end_++] = item;
  }

private:
  static_assert(std::is_trivially_copyable_v<T>);

  void make_room() {
    if (items_ && head_ > room_ / 2) { // most of it is behind
      std::memmove(items_, items_ + head_, size() * sizeof(T));
      end_ -= head_;
      head_ = 0;
      return;
    }
    room_ = room_ ? room_ * 2 : 16;
    items_ = static_cast<T *>(items_ ? repalloc_huge(items_, room_ * sizeof(T)) : palloc(room_ * sizeof(T)));
  }

  T *items_;
  std::size_t head_, end_, room_;
};

/// The struct that a moving form keeps, made of zero bytes by its first call.
template <class M>
M *moving(FunctionCallInfo fcinfo) {
  if (!PG_ARGISNULL(0)) return reinterpret_cast<M *>(PG_GETARG_POINTER(0));
  return static_cast<M *>(palloc0(sizeof(M)));
}

// --- arguments ----------------------------------------------------------------------------------------------------------

/// A state from anywhere: taken out of its storage and looked at.
const State &state_arg(FunctionCallInfo fcinfo, int n, const StateKind *expected = nullptr);

/// The state of the aggregate that calls, to be changed in place: what the transition function gave before, or null.
template <class S>
S *own_state(FunctionCallInfo fcinfo) {
  require_aggregate(fcinfo);
  return PG_ARGISNULL(0) ? nullptr : reinterpret_cast<S *>(PG_GETARG_POINTER(0));
}

[[noreturn]] void bad_length(const Interval &i, bool fits, const char *name);
[[noreturn]] void bad_number(const char *name);
[[noreturn]] void no_instant(const char *name, Times times);

/// The length of an interval in which a day has 24 hours. Months and what is negative are refused (22023), naming the argument.
inline Micros length_of(const Interval &i, const char *name) {
  Micros length;
  const bool fits = !__builtin_mul_overflow(static_cast<Micros>(i.day), kDay, &length) &&
                    !__builtin_add_overflow(length, static_cast<Micros>(i.time), &length);
  if (i.month != 0 || !fits || length < 0) [[unlikely]] bad_length(i, fits, name);
  return length;
}
/// The same of an argument; or, of times that are numbers, a number.
inline Micros length_arg(FunctionCallInfo fcinfo, int n, const char *name, Times times = Times::instants) {
  if (times != Times::numbers) return length_of(*PG_GETARG_INTERVAL_P(n), name);
  const Micros length = PG_GETARG_INT64(n);
  if (length < 0) [[unlikely]] bad_number(name);
  return length;
}
/// A time that is neither infinite nor a number beyond what timestamps are, or 22023.
inline Micros instant_arg(FunctionCallInfo fcinfo, int n, const char *name, Times times) {
  const Micros t = PG_GETARG_INT64(n); // as all of them are
  if (!is_instant(t)) [[unlikely]] no_instant(name, times);
  return t;
}
/// NULL is refused (22004).
inline void not_null(FunctionCallInfo fcinfo, int n, const char *name) {
  if (PG_ARGISNULL(n)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
}

/// Conditions: booleans from argument n on, or an array of them there. NULL is false.
struct Conditions {
  std::uint32_t mask;
  int count;
};
inline constexpr int kMaxConditions = 32;
inline Conditions conditions(FunctionCallInfo fcinfo, int n) {
  const int count = PG_NARGS() - n;
  std::uint32_t mask = 0;
  for (int i = 0; i < count; i++) mask |= static_cast<std::uint32_t>(!PG_ARGISNULL(n + i) && PG_GETARG_BOOL(n + i)) << i;
  return {mask, count};
}
/// Not told from the other by the call's expression, which isn't known everywhere: an array has functions of its own.
Conditions conditions_in_array(FunctionCallInfo fcinfo, int n);

// --- results and errors -------------------------------------------------------------------------------------------------

inline Datum null_result(FunctionCallInfo fcinfo) {
  fcinfo->isnull = true;
  return 0;
}
inline Datum state_result(const State *s) { return PointerGetDatum(s); }
/// The state unchanged, which may be none.
inline Datum same_state(FunctionCallInfo fcinfo) { return PG_ARGISNULL(0) ? null_result(fcinfo) : PG_GETARG_DATUM(0); }

/// An interval or, of times that are numbers, a bigint.
Datum length_result(Micros length, Times times);

[[noreturn]] void out_of_range(const StateKind &k, Times times = Times::instants);
/// A row that says another setting ("half-life") than those before it.
[[noreturn]] void setting_changed(const char *setting);

/// What a type's input and receive functions do.
Datum state_in(FunctionCallInfo fcinfo, const StateKind &k, Times times = Times::instants);
Datum state_recv(FunctionCallInfo fcinfo, const StateKind &k, Times times = Times::instants);

} // namespace pql::pg
