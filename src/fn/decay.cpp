// pql.decay_agg and what is read from its states; pql.decay_sum, which reads them at once.
#include <cmath>

#include "pg/aggregate.hpp"

namespace pql::pg {
namespace {

[[noreturn]] void bad_half_life(Times times) {
  if (times == Times::numbers)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("half_life is out of range"),
                    errhint("Use 1 to " INT64_FORMAT ", in the unit of the times.", kMaxNumberHalfLife)));
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("half_life is out of range"),
                  errhint("Use one second to 100 years, for example interval '7 days'.")));
}

[[noreturn]] void bad_value() {
  ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("value is out of range"),
                  errhint("Use values between -16777216 and 16777216, or scale them down, for example to thousands.")));
}

// A row as decay_agg gets it: (state, half_life, ts[, v]).
struct Row {
  Micros half_life, t;
  double v;
};

// Whether the row counts.
inline bool read_row(FunctionCallInfo fcinfo, Times times, Row *r) {
  const bool has_value = PG_NARGS() > 3;
  if (PG_ARGISNULL(2) || (has_value && PG_ARGISNULL(3))) return false;
  not_null(fcinfo, 1, "half_life");
  r->half_life = length_arg(fcinfo, 1, "half_life", times);
  r->t = instant_arg(fcinfo, 2, "ts", times);
  r->v = has_value ? PG_GETARG_FLOAT8(3) : 1;
  if (!(std::abs(r->v) < kMaxDecayValue)) bad_value(); // NaN as well
  return true;
}

void require_half_life(Micros half_life, Times times) {
  if (!is_half_life(half_life, times)) bad_half_life(times);
}

// The half-life of these rows, kept for the next row: it is a constant, as a rule.
const HalfLife &prepared(FunctionCallInfo fcinfo, Micros half_life, Times times) {
  FmgrInfo *f = fcinfo->flinfo;
  auto *known = static_cast<HalfLife *>(f->fn_extra);
  if (known && known->length() == half_life) [[likely]] return *known;
  require_half_life(half_life, times);
  if (!known) f->fn_extra = known = static_cast<HalfLife *>(MemoryContextAlloc(f->fn_mcxt, sizeof(HalfLife)));
  return *new (known) HalfLife(half_life);
}

// The moving form: all blocks of the rows in the frame, in the order of time; what the rows weigh, since that costs more to work
// out than to remember until they leave; and the times among which the newest is.
struct Moving {
  struct Block : DecayState::Block {
    std::int64_t number;
  };
  struct Weighed {
    Micros t;
    Weight weight;
  };
  Fifo<Block> blocks;
  Fifo<Weighed> rows;
  Fifo<Micros> newest; // never rising; those that were before a newer one and will leave before it are left out
  HalfLife half_life;
  Times times;

  Block *block(std::int64_t number) const {
    if (!blocks.empty() && blocks.back().number == number) return &blocks.back();
    return std::lower_bound(blocks.begin(), blocks.end(), number, [](const Block &b, std::int64_t n) { return b.number < n; });
  }

  void change(const Weight &weight, double v, int sign) {
    Block *b = block(weight.block());
    if (b == blocks.end() || b->number != weight.block()) {
      const auto at = b - blocks.begin();
      blocks.insert(b, Block{{}, weight.block()});
      b = blocks.begin() + at;
    }
    if (!b->add(weight, v, sign)) out_of_range(kDecayState, times);
    if (b->count == Wide{}) blocks.erase(b);
  }

  void add(const Row &r, const HalfLife &h) {
    if (blocks.empty()) half_life = h;
    if (half_life.length() != h.length()) setting_changed("half_life");
    rows.push({r.t, Weight(h, r.t)});
    change(rows.back().weight, r.v, 1);
    while (!newest.empty() && newest.back() < r.t) newest.pop_back();
    newest.push(r.t);
  }

  void remove(const Row &r) {
    const Weighed &oldest = rows.front(); // rows leave in the order in which they came
    change(oldest.t == r.t ? oldest.weight : Weight(half_life, r.t), r.v, -1);
    rows.pop();
    if (newest.front() == r.t) newest.pop();
  }

  // Of the blocks that count, which are as many as a state keeps. None is empty.
  const Block *oldest() const {
    const std::int64_t top = blocks.back().number;
    const Block *b = blocks.end() - 1;
    while (b > blocks.begin() && top - b[-1].number < Decay::kBlocks) b--;
    return b;
  }

  // As DecayState::sum_at has it, to the bit, as of the newest row.
  double sum() const {
    double total = 0;
    for (const Block *b = blocks.end(), *first = oldest(); b-- > first;) total += decayed(b->sum.value(), b->number, half_life, newest.front());
    return total;
  }

  const State *state(Times times) const {
    const std::int64_t top = blocks.back().number;
    const Block *const oldest = this->oldest();
    DecayState *s = DecayState::make(half_life.length(), newest.front(), top, static_cast<int>(top - oldest->number + 1), allocate);
    s->set_times(times);
    for (const Block *b = oldest; b < blocks.end(); b++) s->blocks()[top - b->number] = *b;
    return s;
  }
};

} // namespace
} // namespace pql::pg

PQL_TIMED_STATE(decay, pql::kDecayState)

PQL_TIMED_DIRECT_FUNCTION(_decay_add) {
  using namespace pql::pg;
  auto *s = own_state<pql::DecayState>(fcinfo);
  Row r;
  if (!read_row(fcinfo, times, &r)) return same_state(fcinfo);
  if (!s) {
    require_half_life(r.half_life, times);
    s = pql::DecayState::make(r.half_life, r.t, 1, allocate);
    s->set_times(times);
  } else if (s->half_life != r.half_life) {
    setting_changed("half_life");
  }
  s = s->add(r.t, pql::Weight(prepared(fcinfo, r.half_life, times), r.t), r.v, 1, allocate);
  if (!s) out_of_range(pql::kDecayState, times);
  return state_result(s);
}

PQL_TIMED_DIRECT_FUNCTION(_decay_move) {
  using namespace pql::pg;
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    auto *m = moving<Moving>(fcinfo);
    m->times = times;
    Row r;
    if (read_row(fcinfo, times, &r)) m->add(r, prepared(fcinfo, r.half_life, times));
    return m;
  }));
}

PQL_TIMED_DIRECT_FUNCTION(_decay_unmove) {
  using namespace pql::pg;
  return PointerGetDatum(in_aggregate_memory(fcinfo, [&] {
    auto *m = reinterpret_cast<Moving *>(PG_GETARG_POINTER(0));
    Row r;
    if (read_row(fcinfo, times, &r)) m->remove(r);
    return m;
  }));
}

PQL_TIMED_DIRECT_FUNCTION(_decay_moved) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  const auto *m = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<const Moving *>(PG_GETARG_POINTER(0));
  return m && !m->blocks.empty() ? state_result(m->state(times)) : null_result(fcinfo);
}

// Of pql.decay_sum.
PQL_DIRECT_FUNCTION(_decay_sum_final) {
  using namespace pql::pg;
  const auto *s = own_state<pql::DecayState>(fcinfo);
  return s ? Float8GetDatum(s->sum_at(s->newest)) : null_result(fcinfo);
}

PQL_DIRECT_FUNCTION(_decay_sum_moved) {
  using namespace pql::pg;
  require_aggregate(fcinfo);
  const auto *m = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<const Moving *>(PG_GETARG_POINTER(0));
  return m && !m->blocks.empty() ? Float8GetDatum(m->sum()) : null_result(fcinfo);
}

PQL_DIRECT_FUNCTION(decay_score) {
  using namespace pql::pg;
  const auto &s = static_cast<const pql::DecayState &>(state_arg(fcinfo, 0, &pql::kDecayState));
  return Float8GetDatum(s.sum_at(instant_arg(fcinfo, 1, "as_of", s.times())));
}

PQL_DIRECT_FUNCTION(decay_count) {
  using namespace pql::pg;
  const auto &s = static_cast<const pql::DecayState &>(state_arg(fcinfo, 0, &pql::kDecayState));
  return Float8GetDatum(s.count_at(instant_arg(fcinfo, 1, "as_of", s.times())));
}

// The weights' quotient is the same at all instants; at the newest row's nothing is too small.
PQL_DIRECT_FUNCTION(decay_avg) {
  using namespace pql::pg;
  const auto &s = static_cast<const pql::DecayState &>(state_arg(fcinfo, 0, &pql::kDecayState));
  const double count = s.count_at(s.newest);
  return count > 0 ? Float8GetDatum(s.sum_at(s.newest) / count) : null_result(fcinfo);
}

PQL_DIRECT_FUNCTION(last_seen) {
  using namespace pql::pg;
  return TimestampTzGetDatum(static_cast<const pql::DecayState &>(state_arg(fcinfo, 0, &pql::kDecayState)).newest);
}

// The half-life that goes with a time constant: weights e^(-t/x) are 2^(-t/(x·ln 2)).
PQL_DIRECT_FUNCTION(half_life) {
  using namespace pql::pg;
  const pql::Micros x = length_arg(fcinfo, 0, "time_constant");
  return length_result(static_cast<pql::Micros>(std::round(static_cast<double>(x) * 0.69314718055994530942)), pql::Times::instants);
}
