#include "pg/spi.hpp"

#include "pg/store.hpp"

#include <unistd.h>

extern "C" {
#include "optimizer/cost.h"
#include "utils/array.h"
}

namespace pql::pg {
namespace {

Datum datum_of(const Arg &a) {
  switch (a.type) {
  case TEXTOID: return PointerGetDatum(cstring_to_text_with_len(a.text.data(), static_cast<int>(a.text.size())));
  case BYTEAOID: return PointerGetDatum(cstring_to_text_with_len(a.text.data(), static_cast<int>(a.text.size())));
  case INT4OID: return Int32GetDatum(static_cast<int32>(a.number));
  case BOOLOID: return BoolGetDatum(a.number != 0);
  case TEXTARRAYOID: {
    auto *items = static_cast<Datum *>(palloc(sizeof(Datum) * (a.texts->size() + 1)));
    for (std::size_t i = 0; i < a.texts->size(); i++) {
      const std::string &s = (*a.texts)[i];
      items[i] = PointerGetDatum(cstring_to_text_with_len(s.data(), static_cast<int>(s.size())));
    }
    return PointerGetDatum(construct_array(items, static_cast<int>(a.texts->size()), TEXTOID, -1, false, TYPALIGN_INT));
  }
  default: return Int64GetDatum(a.number);
  }
}

} // namespace

Oid extension_owner() {
  return call([] {
    HeapTuple t = SearchSysCache1(RELOID, ObjectIdGetDatum(own_relation("state")));
    if (!HeapTupleIsValid(t)) elog(ERROR, "cache lookup failed for pql.state");
    const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(t))->relowner;
    ReleaseSysCache(t);
    return owner;
  });
}

Spi::Spi() {
  const Oid owner = extension_owner();
  call([&] {
    GetUserIdAndSecContext(&user_, &security_);
    SetUserIdAndSecContext(owner, security_ | SECURITY_LOCAL_USERID_CHANGE);
    guc_level_ = NewGUCNestLevel();
    (void)set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                            false);
    SPI_connect();
  });
}

void Spi::finish() {
  call([&] {
    SPI_finish();
    AtEOXact_GUC(true, guc_level_);
    SetUserIdAndSecContext(user_, security_);
  });
}

namespace {

struct Arguments {
  static constexpr int kMost = 32;
  Oid types[kMost];
  Datum values[kMost];
  char nulls[kMost];
  int n = 0;

  explicit Arguments(std::initializer_list<Arg> args) {
    if (args.size() > kMost) elog(ERROR, "too many arguments of an internal query");
    for (const Arg &a : args) {
      types[n] = a.type;
      nulls[n] = a.null ? 'n' : ' ';
      values[n] = a.null ? Datum{0} : datum_of(a);
      n++;
    }
  }
};

// Plans by the address of their text, which is a literal: prepared once per backend.
std::unordered_map<const char *, SPIPlanPtr> &kept_plans() {
  static auto &plans = *new std::unordered_map<const char *, SPIPlanPtr>; // never destroyed
  return plans;
}

std::uint64_t checked(int rc) {
  if (rc < 0) elog(ERROR, "an internal query failed: %s", SPI_result_code_string(rc));
  return SPI_processed;
}

Snapshot shown = nullptr, one_latest = nullptr;

} // namespace

AsOfActiveSnapshot::AsOfActiveSnapshot() : outer_(shown) {
  shown = call([] { return GetActiveSnapshot(); });
}
AsOfActiveSnapshot::~AsOfActiveSnapshot() { shown = outer_; }

Snapshot snapshot_shown() noexcept { return shown; }

OneLatest::OneLatest(Snapshot given) : outer_(one_latest) {
  if (!given) given = taken_ = call([] { return RegisterSnapshot(IsInParallelMode() ? GetActiveSnapshot() : GetLatestSnapshot()); });
  one_latest = given;
}
OneLatest::~OneLatest() {
  one_latest = outer_;
  if (taken_) UnregisterSnapshot(taken_);
}

std::uint64_t Spi::run(const char *sql, std::initializer_list<Arg> args, bool latest) {
  if (latest && one_latest) return run_at(one_latest, sql, args);
  if (latest && !IsInParallelMode()) { // there every query sees that
    Snapshot now = call([] { return RegisterSnapshot(GetLatestSnapshot()); });
    const std::uint64_t n = run_at(now, sql, args);
    call([&] { UnregisterSnapshot(now); });
    return n;
  }
  SPIPlanPtr &plan = kept_plans()[sql];
  return call([&] {
    Arguments a(args);
    if (!plan) {
      SPIPlanPtr fresh = SPI_prepare(sql, a.n, a.types);
      if (!fresh) elog(ERROR, "could not prepare an internal query: %s", SPI_result_code_string(SPI_result));
      SPI_keepplan(fresh);
      plan = fresh;
    }
    if (shown) return checked(SPI_execute_snapshot(plan, a.values, a.nulls, shown, InvalidSnapshot, true, false, 0));
    return checked(SPI_execute_plan(plan, a.values, a.nulls, false, 0));
  });
}

std::uint64_t Spi::run_once(const std::string &sql, std::initializer_list<Arg> args) {
  return call([&] {
    Arguments a(args);
    return checked(SPI_execute_with_args(sql.c_str(), a.n, a.types, a.values, a.nulls, false, 0));
  });
}

namespace {

// How many workers help, of those that are allowed: what they do takes processors and nothing else, and the process that asks has one.
int worth_starting() {
  return static_cast<int>(std::clamp<long>(sysconf(_SC_NPROCESSORS_ONLN) - 1, 0, max_parallel_workers_per_gather));
}

} // namespace

void Spi::run_into(DestReceiver *to, const char *sql, std::initializer_list<Arg> args, bool parallel) {
  call([&] {
    const auto set = [](const char *name, const char *value) {
      (void)set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    };
    set("jit", "off"); // it is one call a row
    char workers[12];
    (void)snprintf(workers, sizeof workers, "%d", worth_starting());
    if (parallel) set("max_parallel_workers_per_gather", workers);
    Arguments a(args);
    SPIPlanPtr plan = SPI_prepare_cursor(sql, a.n, a.types, parallel ? CURSOR_OPT_PARALLEL_OK : 0);
    if (!plan) elog(ERROR, "could not prepare an internal query: %s", SPI_result_code_string(SPI_result));
    SPIExecuteOptions options{};
    options.params = makeParamList(a.n);
    for (int i = 0; i < a.n; i++) options.params->params[i] = {a.values[i], a.nulls[i] == 'n', PARAM_FLAG_CONST, a.types[i]};
    options.dest = to;
    (void)checked(SPI_execute_plan_extended(plan, &options));
  });
}

std::uint64_t Spi::run_at(Snapshot snapshot, const char *sql, std::initializer_list<Arg> args, bool writes) {
  return call([&] {
    Arguments a(args);
    SPIPlanPtr plan = SPI_prepare(sql, a.n, a.types);
    if (!plan) elog(ERROR, "could not prepare an internal query: %s", SPI_result_code_string(SPI_result));
    return checked(SPI_execute_snapshot(plan, a.values, a.nulls, snapshot, InvalidSnapshot, !writes, false, 0));
  });
}

void Spi::forget_rows() {
  call([] { SPI_freetuptable(SPI_tuptable); });
}

Datum Spi::datum(std::uint64_t row, int column, bool *isnull) const {
  return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

bool Spi::is_null(std::uint64_t row, int column) const {
  bool isnull;
  datum(row, column, &isnull);
  return isnull;
}

std::string Spi::text(std::uint64_t row, int column) const {
  const char *s = call([&] { return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column); });
  return s ? std::string(s) : std::string();
}

std::int64_t Spi::number(std::uint64_t row, int column) const {
  bool isnull;
  const Datum d = datum(row, column, &isnull);
  if (isnull) return 0;
  switch (SPI_gettypeid(SPI_tuptable->tupdesc, column)) {
  case INT2OID: return DatumGetInt16(d);
  case INT4OID: return DatumGetInt32(d);
  case OIDOID:
  case REGCLASSOID: return static_cast<std::int64_t>(DatumGetObjectId(d));
  case BOOLOID: return DatumGetBool(d);
  default: return DatumGetInt64(d);
  }
}

std::string_view Spi::bytes(Arena &a, std::uint64_t row, int column) const {
  const std::string_view stored = call([&]() -> std::string_view {
    bool isnull;
    const Datum d = datum(row, column, &isnull);
    if (isnull) return {};
    const bytea *b = DatumGetByteaPP(d);
    return {VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b)};
  });
  return a.copy(stored);
}

std::vector<std::string> Spi::texts(std::uint64_t row, int column) const {
  struct Items {
    Datum *items;
    int n;
  };
  const Items all = call([&]() -> Items {
    bool isnull;
    const Datum d = datum(row, column, &isnull);
    Items r{nullptr, 0};
    if (isnull) return r;
    bool *nulls;
    deconstruct_array(DatumGetArrayTypeP(d), TEXTOID, -1, false, TYPALIGN_INT, &r.items, &nulls, &r.n);
    for (int i = 0; i < r.n; i++) {
      r.items[i] = nulls[i] ? Datum{0} : PointerGetDatum(PG_DETOAST_DATUM_PACKED(r.items[i]));
    }
    return r;
  });
  std::vector<std::string> out;
  for (int i = 0; i < all.n; i++) {
    const auto *t = reinterpret_cast<const struct varlena *>(DatumGetPointer(all.items[i]));
    out.emplace_back(t ? std::string(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)) : std::string());
  }
  return out;
}

} // namespace pql::pg
