// What is learned from outcomes: models, the chances that they give, evidence that fades, and how good chances were.
#include <nlohmann/json.hpp>

#include <cmath>

#include "core/learn/fading.hpp"
#include "core/learn/learner.hpp"
#include "core/learn/metrics.hpp"
#include "pg/srf.hpp"
#include "pg/study.hpp"

extern "C" {
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
}

namespace pql::pg {
namespace {

using nlohmann::json;

Datum jsonb_result(const json &j) {
  const std::string text = j.dump(-1, ' ', false, json::error_handler_t::replace);
  return call([&] { return DirectFunctionCall1(jsonb_in, CStringGetDatum(text.c_str())); });
}

// A number as JSON has it: what is none, is null.
json number_or_null(double x) { return std::isfinite(x) ? json(x) : json(nullptr); }

// Of an array argument; nulls are left out.
std::vector<Datum> elements(FunctionCallInfo fcinfo, int n, Oid type, int length, bool by_value, char align) {
  Datum *values = nullptr;
  bool *nulls = nullptr;
  int count = 0;
  call([&] { deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), type, length, by_value, align, &values, &nulls, &count); });
  std::vector<Datum> out;
  for (int i = 0; i < count; i++) {
    if (!nulls[i]) out.push_back(values[i]);
  }
  return out;
}

std::vector<double> numbers_arg(FunctionCallInfo fcinfo, int n) {
  std::vector<double> out;
  for (const Datum d : elements(fcinfo, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)) out.push_back(DatumGetFloat8(d));
  return out;
}

std::vector<Judged> judged_args(FunctionCallInfo fcinfo) {
  const std::vector<double> chances = numbers_arg(fcinfo, 0);
  const std::vector<Datum> converted = elements(fcinfo, 1, BOOLOID, 1, true, TYPALIGN_CHAR);
  if (chances.size() != converted.size()) fail(ERRCODE_INVALID_PARAMETER_VALUE, "chances and labels must be as many");
  std::vector<Judged> out;
  for (std::size_t i = 0; i < chances.size(); i++) {
    if (!(chances[i] >= 0 && chances[i] <= 1)) fail(ERRCODE_INVALID_PARAMETER_VALUE, "a chance must be between 0 and 1");
    out.push_back({chances[i], DatumGetBool(converted[i])});
  }
  return out;
}

Cell number_cell(double x) { return std::isfinite(x) ? Cell::of(x) : Cell::null(); }

// How often something converted, of final labels.
struct Tally {
  std::int64_t all = 0, converted = 0;
  void add(bool is_converted) {
    all++;
    converted += is_converted;
  }
  json as_json() const { return {{"hand_offs", all}, {"converted", converted}}; }
};
struct Compared {
  Tally with, without;
  json as_json() const { return {{"with", with.as_json()}, {"without", without.as_json()}}; }
};

void require_labels(const Study &s, const std::string &program) {
  std::size_t converted = 0, other = 0;
  for (const HandOff &h : s.hand_offs) {
    if (s.as_of - h.at >= s.horizon) (h.converted ? converted : other)++;
  }
  if (converted >= kLeastOfEach && other >= kLeastOfEach) return;
  const std::string least = std::to_string(kLeastOfEach);
  fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "program \"" + program + "\" has too few labels to learn from",
       std::to_string(converted) + " hand-offs have converted, of at least " + least + "; " + std::to_string(other) + " have not within the horizon, of at least " +
           least + ".",
       "Labels become final when the horizon after a hand-off has passed; until then its program's weights are the best that there are.");
}

json signals_json(const LabelledStudy &s, const Learned &l, const std::vector<int> &proposed) {
  std::vector<Compared> seen(s.points.size());
  std::map<std::string, Compared> kinds;
  for (const std::string &k : s.signals.kinds) kinds.emplace(k, Compared{});
  for (std::size_t i = 0; i < s.hand_offs.size(); i++) {
    const HandOff &h = s.hand_offs[i];
    if (s.as_of - h.at < s.horizon) continue;
    const double *u = s.shares_of(i);
    std::set<std::string> there;
    for (std::size_t j = 0; j < s.points.size(); j++) {
      (u[j] > 0 ? seen[j].with : seen[j].without).add(h.converted);
      if (u[j] > 0) there.insert(s.signals.kinds[j]);
    }
    for (auto &[kind, c] : kinds) (there.contains(kind) ? c.with : c.without).add(h.converted);
  }
  json out = {{"signals", json::array()}, {"kinds", json::object()}};
  for (std::size_t j = 0; j < s.points.size(); j++) {
    const SignalWeight &w = l.signals[j];
    json one = seen[j].as_json();
    one.update({{"signal", s.signals.names[j]}, {"kind", s.signals.kinds[j]}, {"points", s.points[j]}, {"proposed", proposed[j]}, {"weight", w.weight},
                {"low", w.low}, {"high", w.high}, {"prior", w.prior}, {"proven", w.proven()}, {"open", w.is_open()}, {"population", l.population[j]}});
    out["signals"].push_back(std::move(one));
  }
  for (const auto &[kind, c] : kinds) out["kinds"][kind] = c.as_json();
  return out;
}

json quality_json(const Quality &q) {
  json bins = json::array();
  for (const Bin &b : q.bins) bins.push_back({{"count", b.count}, {"predicted", b.predicted}, {"observed", b.observed}});
  return {{"brier", number_or_null(q.brier)}, {"log_loss", number_or_null(q.log_loss)}, {"auc", number_or_null(q.area)}, {"ece", number_or_null(q.error)}, {"bins", bins}};
}

// The score by new points that corresponds to one by old ones, and how many of the last hand-offs reach it.
json threshold_json(const LabelledStudy &s, const std::vector<int> &proposed, double enter) {
  constexpr std::size_t kLast = 1000;
  const std::size_t n = s.points.size(), skip = s.hand_offs.size() > kLast ? s.hand_offs.size() - kLast : 0;
  Study last;
  last.points = s.points;
  last.hand_offs.assign(s.hand_offs.begin() + static_cast<std::ptrdiff_t>(skip), s.hand_offs.end());
  last.shares.assign(s.shares.begin() + static_cast<std::ptrdiff_t>(skip * n), s.shares.end());
  const int to = std::max(1, static_cast<int>(std::lround(corresponding_score(last, proposed, enter))));
  int reach = 0;
  for (std::size_t i = 0; i < last.hand_offs.size(); i++) {
    double score = 0;
    for (std::size_t j = 0; j < n; j++) score += proposed[j] * last.shares_of(i)[j];
    reach += std::floor(score + 0.5) >= to;
  }
  return {{"enter", to}, {"last", last.hand_offs.size()}, {"reach", reach}};
}

// What a chance is computed with, kept for the rows of one query.
struct Chances {
  std::map<std::int64_t, ReadModel> models;
  std::map<std::string, std::int64_t> newest; // by program; 0: none
  std::vector<double> shares;

  const ReadModel *model(Spi &spi, std::int64_t id) {
    const auto known = models.find(id);
    if (known != models.end()) return &known->second;
    if (spi.run("SELECT m.program, m.version, m.body::text FROM pql.model AS m WHERE m.model_id = $1", {Arg::of(id)}) == 0)
      fail(ERRCODE_UNDEFINED_OBJECT, "model " + std::to_string(id) + " does not exist", {}, "Table pql.model has those that do.");
    const std::string of = spi.text(0, 1), body = spi.text(0, 3);
    const int version = static_cast<int>(spi.number(0, 2));
    return &models.emplace(id, read_model(spi, of, version, body)).first->second;
  }

  std::int64_t newest_of(Spi &spi, const std::string &program) {
    const auto known = newest.find(program);
    if (known != newest.end()) return known->second;
    const bool any = spi.run("SELECT m.model_id FROM pql.model AS m WHERE m.program = $1 ORDER BY m.as_of DESC, m.model_id DESC LIMIT 1", {Arg::of(program)}) > 0;
    return newest[program] = any ? spi.number(0, 1) : 0;
  }
};

// A routing row as the caller sees it.
struct Frozen {
  bool found;
  char *program, *segment; // null: none
  int version;
  Datum reasons;
};

Frozen frozen_row(std::int64_t id) {
  static SPIPlanPtr plan = nullptr;
  return call([&] {
    Frozen row{};
    MemoryContext const outside = CurrentMemoryContext;
    Datum value = Int64GetDatum(id);
    SPI_connect();
    if (!plan) {
      Oid type = INT8OID;
      plan = SPI_prepare("SELECT r.program, r.version, r.segment, coalesce(p.reasons, r.reasons) FROM pql.routing AS r"
                         " LEFT JOIN pql.scoring_packet AS p ON p.home OPERATOR(pg_catalog.=) r.home AND p.routing_id OPERATOR(pg_catalog.=) r.routing_id"
                         " WHERE r.routing_id OPERATOR(pg_catalog.=) $1",
                         1, &type);
      if (!plan) elog(ERROR, "could not prepare an internal query: %s", SPI_result_code_string(SPI_result));
      SPI_keepplan(plan);
    }
    if (SPI_execute_plan(plan, &value, nullptr, true, 1) == SPI_OK_SELECT && SPI_processed > 0) {
      HeapTuple const t = SPI_tuptable->vals[0];
      TupleDesc const d = SPI_tuptable->tupdesc;
      bool null;
      row.found = true;
      row.version = DatumGetInt32(SPI_getbinval(t, d, 2, &null));
      const Datum reasons = SPI_getbinval(t, d, 4, &null);
      MemoryContext const inside = MemoryContextSwitchTo(outside);
      row.program = SPI_getvalue(t, d, 1);
      row.segment = SPI_getvalue(t, d, 3);
      row.reasons = PointerGetDatum(PG_DETOAST_DATUM_COPY(reasons));
      MemoryContextSwitchTo(inside);
    }
    SPI_finish();
    return row;
  });
}

void destroy_chances(void *p) noexcept { delete static_cast<Chances *>(p); }

Chances &chances_of(FunctionCallInfo fcinfo) {
  FmgrInfo *f = fcinfo->flinfo;
  if (f->fn_extra) return *static_cast<Chances *>(f->fn_extra);
  auto fresh = std::make_unique<Chances>();
  call([&] {
    auto *callback = static_cast<MemoryContextCallback *>(MemoryContextAllocZero(f->fn_mcxt, sizeof(MemoryContextCallback)));
    callback->func = destroy_chances;
    callback->arg = fresh.get();
    MemoryContextRegisterResetCallback(f->fn_mcxt, callback);
  });
  Chances &all = *fresh.release();
  f->fn_extra = &all;
  return all;
}

// The chance of a row, by a model or (0) its program's newest; nothing without one, or where it rests on what the reader may not see.
std::optional<double> chance(FunctionCallInfo fcinfo, std::int64_t model, const std::string &program, int version, const std::string &segment, Datum reasons,
                             bool treated) {
  Chances &all = chances_of(fcinfo);
  const ReadModel *m = nullptr;
  const auto newest = all.newest.find(program);
  if (const std::int64_t id = model != 0 ? model : newest != all.newest.end() ? newest->second : -1; id == 0 || all.models.contains(id)) {
    m = id == 0 ? nullptr : &all.models.at(id);
  } else {
    Spi spi;
    const std::int64_t asked = model != 0 ? model : all.newest_of(spi, program);
    if (asked != 0) m = all.model(spi, asked);
    spi.finish();
  }
  if (m && m->program != program)
    fail(ERRCODE_INVALID_PARAMETER_VALUE, "model " + std::to_string(model) + " is of program \"" + m->program + "\", not of \"" + program + "\"");
  if (!m || m->signals.shares(reasons, version, all.shares) != ScoredSignals::Told::all) return std::nullopt;
  return m->chance(all.shares, segment, treated);
}

Datum float8_or_null(FunctionCallInfo fcinfo, const std::optional<double> &x) {
  if (x) return Float8GetDatum(*x);
  fcinfo->isnull = true;
  return Datum{0};
}

} // namespace
} // namespace pql::pg

PQL_FUNCTION(likelihood) {
  using namespace pql::pg;
  const Frozen row = PG_ARGISNULL(0) ? Frozen{} : frozen_row(PG_GETARG_INT64(0));
  if (!row.found) return float8_or_null(fcinfo, std::nullopt);
  return float8_or_null(fcinfo, chance(fcinfo, PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1), row.program, row.version, row.segment ? row.segment : "", row.reasons, true));
}

PQL_FUNCTION(_chance) {
  using namespace pql::pg;
  for (const int n : {1, 2, 3, 5}) {
    if (PG_ARGISNULL(n)) return float8_or_null(fcinfo, std::nullopt);
  }
  const std::string segment = PG_ARGISNULL(4) ? std::string() : text_arg(fcinfo, 4);
  return float8_or_null(fcinfo, chance(fcinfo, PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0), text_arg(fcinfo, 1), PG_GETARG_INT32(2), segment, PG_GETARG_DATUM(3),
                                      PG_GETARG_BOOL(5)));
}

PQL_FUNCTION(_learn) {
  using namespace pql;
  using namespace pql::pg;
  const std::string program = text_arg(fcinfo, 0);
  const int version = PG_GETARG_INT32(1);
  Spi spi;
  expect_many();
  const LabelledStudy s = read_study(spi, program, version, PG_GETARG_TIMESTAMPTZ(2));
  spi.finish();
  if (s.points.empty())
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "program \"" + program + "\" has no signals that score", {}, "What could be learned is how much each of them weighs.");
  require_labels(s, program);
  const Learned l = learn(s);
  const std::vector<int> proposed = propose_points(s.points, l.signals);
  json out = signals_json(s, l, proposed);
  out.update({{"body", write_model(l, s.signals, s.segment_names)},
              {"labels", static_cast<std::int64_t>(l.labels)},
              {"converted", static_cast<std::int64_t>(l.converted)},
              {"open", static_cast<std::int64_t>(l.open)},
              {"counted", l.counted},
              {"richer", l.richer},
              {"half_life_days", l.half_life / kDay},
              {"threshold", threshold_json(s, proposed, PG_GETARG_INT32(3))},
              {"quality", quality_json(l.quality)}});
  return jsonb_result(out);
}

PQL_FUNCTION(refresh_evidence) {
  using namespace pql::pg;
  const Arg program = PG_ARGISNULL(0) ? Arg::nothing(TEXTOID) : Arg::of(bytes_arg(fcinfo, 0)); // a text is laid out as a bytea is
  Spi spi;
  expect_many();
  spi.run("SELECT pql._refresh_evidence($1, $2)", {program, PG_ARGISNULL(1) ? Arg::nothing(TIMESTAMPTZOID) : Arg::time(PG_GETARG_TIMESTAMPTZ(1))});
  const std::int64_t changed = spi.number(0, 1);
  spi.finish();
  return Int64GetDatum(changed);
}

PQL_FUNCTION(_bins) {
  using namespace pql;
  using namespace pql::pg;
  ScoredSignals signals;
  for (const std::string_view name : text_array_arg(fcinfo, 1)) signals.names.emplace_back(name);
  for (const Datum d : elements(fcinfo, 2, INT4OID, sizeof(int32), true, TYPALIGN_INT)) signals.points[0].push_back(DatumGetInt32(d));
  std::vector<double> shares;
  if (signals.names.size() > kMaxSignals) fail(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "there may be at most " + std::to_string(kMaxSignals) + " signals");
  if (signals.points[0].size() != signals.names.size()) fail(ERRCODE_INVALID_PARAMETER_VALUE, "signals and points must be as many");
  (void)signals.shares(PG_GETARG_DATUM(0), 0, shares);
  std::vector<Datum> bins;
  for (const double x : shares) bins.push_back(Int16GetDatum(static_cast<int16>(bin_of(x))));
  return call([&] {
    return PointerGetDatum(construct_array(bins.data(), static_cast<int>(bins.size()), INT2OID, sizeof(int16), true, TYPALIGN_SHORT));
  });
}

PQL_FUNCTION(_fading_block) {
  return Int64GetDatum(pql::fading_weight(pql::kEvidenceHalfLife, PG_GETARG_TIMESTAMPTZ(0)).block);
}

PQL_FUNCTION(_fading_units) {
  using namespace pql::pg;
  const std::string units = pql::print_units(pql::fading_weight(pql::kEvidenceHalfLife, PG_GETARG_TIMESTAMPTZ(0)).units);
  return call([&] { return DirectFunctionCall3(numeric_in, CStringGetDatum(units.c_str()), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)); });
}

PQL_FUNCTION(_faded) {
  using namespace pql;
  using namespace pql::pg;
  const std::string_view text = call([&] { return std::string_view(DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(0)))); });
  __int128 units = 0;
  if (!parse_units(text, units)) fail(ERRCODE_DATA_CORRUPTED, "a count of evidence can't be read");
  return Float8GetDatum(decayed(units, PG_GETARG_INT64(1), kEvidenceHalfLife, PG_GETARG_TIMESTAMPTZ(2)));
}

PQL_FUNCTION(_weigh) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  for (int i = 0; i < 7; i++) {
    if (!(PG_GETARG_FLOAT8(i) >= 0)) fail(ERRCODE_INVALID_PARAMETER_VALUE, "counts of evidence must not be negative");
  }
  const Evidence e = evidence_of({PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1)}, {PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3)},
                                 {PG_GETARG_FLOAT8(4), PG_GETARG_FLOAT8(5)}, PG_GETARG_FLOAT8(6));
  rows.add({Cell::of(e.weight), Cell::of(e.low), Cell::of(e.high), Cell::of(e.shares.converted), Cell::of(e.shares.other)});
  return Datum{0};
}

PQL_FUNCTION(_prior_strength) {
  using namespace pql;
  using namespace pql::pg;
  const std::vector<double> in_bin = numbers_arg(fcinfo, 0), labels = numbers_arg(fcinfo, 1), expected = numbers_arg(fcinfo, 2);
  if (in_bin.size() != labels.size() || in_bin.size() != expected.size()) fail(ERRCODE_INVALID_PARAMETER_VALUE, "counts and shares must be as many");
  std::vector<Spread> groups;
  for (std::size_t i = 0; i < in_bin.size(); i++) groups.push_back({in_bin[i], labels[i], expected[i]});
  return Float8GetDatum(prior_strength(groups));
}

PQL_FUNCTION(_quality) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  const std::vector<Judged> all = judged_args(fcinfo);
  constexpr std::size_t kQualityBins = 10;
  rows.add({number_cell(brier_score(all)), number_cell(log_loss(all)), number_cell(area_under_curve(all)), number_cell(calibration_error(bins_of(all, kQualityBins))),
            number_cell(lift_at(all, 0.1))});
  return Datum{0};
}

PQL_FUNCTION(_calibration_bins) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  for (const Bin &b : bins_of(judged_args(fcinfo), static_cast<std::size_t>(std::max(1, PG_GETARG_INT32(2)))))
    rows.add({Cell::of(static_cast<std::int64_t>(b.count)), Cell::of(b.predicted), Cell::of(b.observed)});
  return Datum{0};
}

PQL_FUNCTION(_stability) {
  using namespace pql;
  using namespace pql::pg;
  const std::vector<double> expected = numbers_arg(fcinfo, 0), actual = numbers_arg(fcinfo, 1);
  if (expected.size() != actual.size()) fail(ERRCODE_INVALID_PARAMETER_VALUE, "both counts must be of the same bins");
  return Float8GetDatum(stability_index(expected, actual));
}
