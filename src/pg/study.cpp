#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>

#include "pg/study.hpp"

extern "C" {
#include "executor/spi.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
}

namespace pql::pg {
namespace {

using nlohmann::json;

constexpr const char *kOf[] = {"one", "signal", "present", "bin", "pair", "segment", "treated"};

// A name that PostgreSQL's memory has.
struct Name {
  const char *data;
  int size;
};

// The points of an array of reasons, by signal; false where some are of a signal without a name. Call inside call().
bool read_points(Jsonb *reasons, const Name *names, int n, int *points) {
  JsonbContainer *const all = &reasons->root;
  bool whole = true;
  if (!JsonContainerIsArray(all)) return whole;
  const int count = JsonContainerSize(all);
  for (int i = 0; i < count; i++) {
    JsonbValue *const reason = getIthJsonbValueFromContainer(all, static_cast<uint32>(i));
    if (!reason || reason->type != jbvBinary || !JsonContainerIsObject(reason->val.binary.data)) continue;
    JsonbValue name, value;
    if (!getKeyJsonValueFromContainer(reason->val.binary.data, "signal", 6, &name)) continue;
    whole &= name.type != jbvNull;
    if (name.type != jbvString) continue;
    if (!getKeyJsonValueFromContainer(reason->val.binary.data, "points", 6, &value) || value.type != jbvNumeric) continue;
    for (int j = 0; j < n; j++) {
      if (names[j].size != name.val.string.len || memcmp(names[j].data, name.val.string.val, static_cast<size_t>(names[j].size)) != 0) continue;
      points[j] += DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(value.val.numeric)));
      break;
    }
    pfree(reason);
  }
  return whole;
}

int index_of(const std::vector<std::string> &all, const std::string &name) {
  const auto at = std::find(all.begin(), all.end(), name);
  return at == all.end() ? -1 : static_cast<int>(at - all.begin());
}

} // namespace

void expect_many() {
  call([] {
    for (const char *setting : {"enable_nestloop", "jit"})
      (void)set_config_option(setting, "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  });
}

ScoredSignals ScoredSignals::of(Spi &spi, const std::string &program, int version) {
  ScoredSignals out;
  out.version = version;
  const std::uint64_t n = spi.run("SELECT s.signals, s.kinds FROM pql._scored_signals($1, $2) AS s", {Arg::of(program), Arg::of(version)});
  if (n == 0) return out;
  out.names = spi.texts(0, 1);
  out.kinds = spi.texts(0, 2);
  const std::uint64_t versions = spi.run("SELECT v.version, v.points::text[] FROM pql._points_by_version($1, $2) AS v", {Arg::of(program), Arg::of(version)});
  for (std::uint64_t i = 0; i < versions; i++) {
    std::vector<int> &points = out.points[static_cast<int>(spi.number(i, 1))];
    for (const std::string &p : spi.texts(i, 2)) points.push_back(std::atoi(p.c_str()));
  }
  return out;
}

ScoredSignals::Told ScoredSignals::shares(Datum reasons, int of_version, std::vector<double> &out) const {
  const auto known = points.find(of_version);
  if (known == points.end() || known->second.size() != names.size()) return Told::nothing;
  constexpr int kMost = static_cast<int>(kMaxSignals);
  Name at[kMost];
  int got[kMost] = {};
  const int n = std::min<int>(kMost, static_cast<int>(names.size()));
  for (int j = 0; j < n; j++) at[j] = {names[static_cast<std::size_t>(j)].data(), static_cast<int>(names[static_cast<std::size_t>(j)].size())};
  const bool whole = call([&] {
    Jsonb *j = DatumGetJsonbP(reasons);
    const bool all = read_points(j, at, n, got);
    if (PointerGetDatum(j) != reasons) pfree(j);
    return all;
  });
  out.resize(names.size());
  for (std::size_t j = 0; j < out.size(); j++) {
    const int most = known->second[j];
    out[j] = most == 0 || j >= static_cast<std::size_t>(n) ? std::numeric_limits<double>::quiet_NaN() : std::clamp(static_cast<double>(got[j]) / most, 0.0, 1.0);
  }
  return whole ? Told::all : Told::some;
}

namespace {

// What isn't known of a row is taken for what it is on average.
void fill_in(Study &s) {
  const std::size_t n = s.points.size();
  for (std::size_t j = 0; j < n; j++) {
    double sum = 0, known = 0;
    for (std::size_t i = j; i < s.shares.size(); i += n) {
      if (std::isnan(s.shares[i])) continue;
      sum += s.shares[i];
      known++;
    }
    for (std::size_t i = j; i < s.shares.size(); i += n) {
      if (std::isnan(s.shares[i])) s.shares[i] = known > 0 ? sum / known : 0;
    }
  }
}

constexpr const char *kRows =
    "SELECT l.qualified_at, l.converted_at, l.treated, l.segment, l.version, coalesce(p.reasons, r.reasons)"
    " FROM (SELECT x.home, x.routing_id, x.qualified_at, x.converted_at, x.treated, x.segment, CASE x.program WHEN $1 THEN x.version ELSE -x.version END AS version"
    "   FROM pql.labels($3, (SELECT min(y) FROM pql._programs_of($1) AS y HAVING count(*) = 1)) AS x" // null, of all, where there were pilots
    "   WHERE x.program IN (SELECT y FROM pql._programs_of($1) AS y) AND x.follows IS NULL AND x.matures_at - x.qualified_at = (SELECT v.horizon FROM pql.outcome_rules AS v WHERE v.program = $1 AND v.version = $2)"
    "   ORDER BY x.qualified_at DESC, x.routing_id DESC LIMIT $4) AS l"
    "   JOIN pql.routing AS r ON r.home = l.home AND r.routing_id = l.routing_id"
    "   LEFT JOIN pql.scoring_packet AS p ON p.home = r.home AND p.routing_id = r.routing_id"
    " ORDER BY l.qualified_at, l.routing_id";

// They are read a few at a time: packets are wide, and there may be millions.
Portal open_rows(const std::string &program, int version, Micros as_of, std::size_t most) {
  return call([&] {
    Oid types[] = {TEXTOID, INT4OID, TIMESTAMPTZOID, INT8OID};
    Datum values[] = {PointerGetDatum(cstring_to_text_with_len(program.data(), static_cast<int>(program.size()))), Int32GetDatum(version),
                      TimestampTzGetDatum(as_of), Int64GetDatum(static_cast<int64>(most))};
    Portal rows = SPI_cursor_open_with_args(nullptr, kRows, 4, types, values, nullptr, false, CURSOR_OPT_NO_SCROLL);
    if (!rows) elog(ERROR, "could not open an internal query: %s", SPI_result_code_string(SPI_result));
    return rows;
  });
}

// Of what was read, a row.
void take_row(const Spi &spi, std::uint64_t i, std::vector<double> &shares, LabelledStudy &s) {
  bool null;
  const Datum reasons = spi.datum(i, 6, &null);
  if (null || s.signals.shares(reasons, static_cast<int>(spi.number(i, 5)), shares) == ScoredSignals::Told::nothing) return;
  HandOff h;
  h.at = spi.number(i, 1);
  h.converted = !spi.is_null(i, 2);
  if (h.converted) h.converted_at = spi.number(i, 2);
  h.treated = spi.number(i, 3) != 0;
  if (!spi.is_null(i, 4)) {
    const std::string segment = spi.text(i, 4);
    h.segment = index_of(s.segment_names, segment);
    constexpr std::size_t kMostSegments = 24;
    if (h.segment < 0 && s.segment_names.size() < kMostSegments) {
      h.segment = static_cast<int>(s.segment_names.size());
      s.segment_names.push_back(segment);
    }
  }
  s.hand_offs.push_back(h);
  s.shares.insert(s.shares.end(), shares.begin(), shares.end());
}

} // namespace

LabelledStudy read_study(Spi &spi, const std::string &program, int version, Micros as_of) {
  LabelledStudy s;
  s.signals = ScoredSignals::of(spi, program, version);
  if (s.signals.names.empty()) return s;
  s.points = s.signals.current();
  s.as_of = as_of;
  s.pause = [] {
    if (InterruptPending) call([] { CHECK_FOR_INTERRUPTS(); });
  };
  (void)spi.run("SELECT (extract(epoch FROM v.horizon) * 1000000)::int8 FROM pql.outcome_rules AS v WHERE v.program = $1 AND v.version = $2",
                {Arg::of(program), Arg::of(version)});
  s.horizon = spi.number(0, 1);
  constexpr std::size_t kMostShares = 15'000'000;
  const std::size_t most = kMostShares / s.points.size();
  const Portal rows = open_rows(program, version, as_of, most);
  constexpr long kAtOnce = 1000;
  std::size_t read = 0;
  std::vector<double> shares;
  while (const std::uint64_t n = call([&] {
           SPI_cursor_fetch(rows, true, kAtOnce);
           return SPI_processed;
         })) {
    for (std::uint64_t i = 0; i < n; i++) take_row(spi, i, shares, s);
    read += n;
    spi.forget_rows();
  }
  if (read >= most)
    call([&] { ereport(NOTICE, (errmsg("only the newest %zu hand-offs of program \"%s\" are learned from", most, program.c_str()))); });
  s.segments = static_cast<int>(s.segment_names.size());
  fill_in(s);
  return s;
}

json write_model(const Learned &l, const ScoredSignals &signals, const std::vector<std::string> &segments) {
  json terms = json::array();
  for (const Term &t : l.terms) {
    json j = {{"of", kOf[static_cast<int>(t.of)]}, {"weight", t.weight}};
    if (t.of == Term::Of::segment) j["segment"] = segments[static_cast<std::size_t>(t.a)];
    else if (t.of != Term::Of::one && t.of != Term::Of::treated) j["signal"] = signals.names[static_cast<std::size_t>(t.a)];
    if (t.of == Term::Of::bin) j["bin"] = t.b;
    if (t.of == Term::Of::pair) j["with"] = signals.names[static_cast<std::size_t>(t.b)];
    terms.push_back(std::move(j));
  }
  json knots = json::array();
  for (const Knot &k : l.calibration.knots) knots.push_back({k.at, k.log_odds});
  return {{"terms", terms}, {"calibration", {{"shift", l.calibration.shift}, {"slope", l.calibration.slope}, {"knots", knots}}}};
}

ReadModel read_model(Spi &spi, const std::string &program, int version, const std::string &body) {
  ReadModel m;
  m.program = program;
  m.signals = ScoredSignals::of(spi, program, version);
  const json j = json::parse(body, nullptr, false);
  if (!j.is_object() || !j.contains("terms") || !j.contains("calibration")) fail(ERRCODE_DATA_CORRUPTED, "the model can't be read");
  for (const json &t : j["terms"]) {
    Term term;
    const std::string of = t.value("of", "");
    const auto kind = std::find(std::begin(kOf), std::end(kOf), of);
    if (kind == std::end(kOf)) fail(ERRCODE_DATA_CORRUPTED, "the model can't be read");
    term.of = static_cast<Term::Of>(kind - std::begin(kOf));
    term.weight = t.value("weight", 0.0);
    if (term.of == Term::Of::segment) {
      term.a = static_cast<int>(m.segments.size());
      m.segments.push_back(t.value("segment", ""));
    } else if (term.of != Term::Of::one && term.of != Term::Of::treated) {
      term.a = index_of(m.signals.names, t.value("signal", ""));
      term.b = term.of == Term::Of::pair ? index_of(m.signals.names, t.value("with", "")) : t.value("bin", 0);
      if (term.a < 0 || term.b < 0) continue;
    }
    m.learned.terms.push_back(term);
  }
  const json &c = j.at("calibration");
  m.learned.calibration.shift = c.value("shift", 0.0);
  m.learned.calibration.slope = c.value("slope", 1.0);
  for (const json &k : c.at("knots")) m.learned.calibration.knots.push_back({k.at(0).get<double>(), k.at(1).get<double>()});
  return m;
}

double ReadModel::chance(std::vector<double> &shares, const std::string &segment, bool treated) const {
  for (double &x : shares) x = std::isnan(x) ? 0 : x;
  return learned.chance(shares.data(), index_of(segments, segment), treated);
}

} // namespace pql::pg
