#include "pg/srf.hpp"

extern "C" {
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
}

namespace pql::pg {
namespace {

Datum text_datum(std::string_view s) {
  return PointerGetDatum(cstring_to_text_with_len(s.data(), static_cast<int>(s.size())));
}

Datum datum_of(const Cell &c) {
  switch (c.type) {
  case Cell::Type::null: return Datum{0};
  case Cell::Type::ready: return static_cast<Datum>(c.number);
  case Cell::Type::text:
  case Cell::Type::bytes: return text_datum(c.text);
  case Cell::Type::jsonb: return DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(c.text.data(), c.text.size())));
  case Cell::Type::int2: return Int16GetDatum(static_cast<int16>(c.number));
  case Cell::Type::int4: return Int32GetDatum(static_cast<int32>(c.number));
  case Cell::Type::int8:
  case Cell::Type::time: return Int64GetDatum(c.number);
  case Cell::Type::boolean: return BoolGetDatum(c.number != 0);
  case Cell::Type::float8: return Float8GetDatum(c.real);
  case Cell::Type::numbers: return jsonb_of(*c.numbers);
  case Cell::Type::length: {
    auto *i = static_cast<Interval *>(palloc0(sizeof(Interval)));
    i->day = static_cast<int32>(c.number / kDay);
    i->time = c.number % kDay;
    return PointerGetDatum(i);
  }
  case Cell::Type::texts: {
    auto *items = static_cast<Datum *>(palloc(sizeof(Datum) * (c.list->size() + 1)));
    for (std::size_t i = 0; i < c.list->size(); i++) items[i] = text_datum((*c.list)[i]);
    return PointerGetDatum(construct_array(items, static_cast<int>(c.list->size()), TEXTOID, -1, false, TYPALIGN_INT));
  }
  }
  return Datum{0};
}

} // namespace

ResultRows::ResultRows(FunctionCallInfo fcinfo) : info_(reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo)) {
  memory_ = call([&] {
    InitMaterializedSRF(fcinfo, 0);
    return AllocSetContextCreateInternal(CurrentMemoryContext, "pql result row", ALLOCSET_DEFAULT_SIZES);
  });
}

void ResultRows::add(std::initializer_list<Cell> cells) {
  call([&] {
    constexpr int kMost = 32;
    Datum values[kMost];
    bool nulls[kMost];
    MemoryContext before = MemoryContextSwitchTo(memory_);
    int n = 0;
    for (const Cell &c : cells) {
      values[n] = datum_of(c);
      nulls[n++] = c.type == Cell::Type::null;
    }
    tuplestore_putvalues(info_->setResult, info_->setDesc, values, nulls);
    MemoryContextSwitchTo(before);
    MemoryContextReset(memory_);
  });
}

Datum jsonb_of(const NamedNumbers &all) {
  JsonbParseState *state = nullptr;
  pushJsonbValue(&state, WJB_BEGIN_OBJECT, nullptr);
  for (const auto &[name, number] : all) {
    JsonbValue v;
    v.type = jbvString;
    v.val.string = {static_cast<int>(name.size()), const_cast<char *>(name.data())};
    pushJsonbValue(&state, WJB_KEY, &v);
    v.type = jbvNumeric;
    v.val.numeric = int64_to_numeric(number);
    pushJsonbValue(&state, WJB_VALUE, &v);
  }
  return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, nullptr)));
}

std::string text_arg(FunctionCallInfo fcinfo, int n) {
  const text *t = call([&] { return PG_GETARG_TEXT_PP(n); });
  return {VARDATA_ANY(t), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(t))};
}

std::string jsonb_arg(FunctionCallInfo fcinfo, int n) {
  const char *s = call([&] { return DatumGetCString(DirectFunctionCall1(jsonb_out, PG_GETARG_DATUM(n))); });
  return s;
}

std::string_view bytes_arg(FunctionCallInfo fcinfo, int n) {
  const bytea *b = call([&] { return PG_GETARG_BYTEA_PP(n); });
  return {VARDATA_ANY(b), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(b))};
}

namespace {

std::vector<std::string_view> array_arg(FunctionCallInfo fcinfo, int n, Oid type) {
  Datum *elements = nullptr;
  bool *nulls = nullptr;
  int count = 0;
  call([&] {
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), type, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
    for (int i = 0; i < count; i++) {
      if (!nulls[i]) elements[i] = PointerGetDatum(PG_DETOAST_DATUM_PACKED(elements[i]));
    }
  });
  std::vector<std::string_view> out;
  for (int i = 0; i < count; i++) {
    if (nulls[i]) continue;
    const auto *const b = reinterpret_cast<const bytea *>(DatumGetPointer(elements[i]));
    out.emplace_back(VARDATA_ANY(b), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(b)));
  }
  return out;
}

} // namespace

std::vector<std::string_view> bytes_array_arg(FunctionCallInfo fcinfo, int n) { return array_arg(fcinfo, n, BYTEAOID); }
std::vector<std::string_view> text_array_arg(FunctionCallInfo fcinfo, int n) { return array_arg(fcinfo, n, TEXTOID); }

} // namespace pql::pg
