#include "pg/background.hpp"

#include "pg/identity.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace pql::pg {
namespace {

constexpr int kMessages = 50; // looked at
constexpr std::size_t kIntents = 5;

// A person's are those of the person, whoever else is at home there.
std::vector<Intent> intents_of(Unit unit, std::string_view key, std::string_view subject, Micros as_of) {
  std::vector<Intent> out;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT i.topic, i.user_id, i.channel, i.quote, i.event_id, i.occurred_at FROM pql.intent AS i"
                                  " WHERE i.home = $1 AND i.occurred_at <= $2 ORDER BY i.occurred_at DESC, i.event_id COLLATE \"C\" DESC, i.topic LIMIT $3",
                                  {Arg::of(key), Arg::time(as_of), Arg::of(kMessages)});
  for (std::uint64_t i = 0; i < n && out.size() < kIntents; i++) {
    Intent x{spi.text(i, 1), canonical_id(Unit::user, spi.text(i, 2)), spi.text(i, 3), spi.text(i, 4), spi.text(i, 5), spi.number(i, 6)};
    if (unit == Unit::user && x.user != subject) continue;
    if (std::ranges::none_of(out, [&](const Intent &o) { return o.topic == x.topic; })) out.push_back(std::move(x));
  }
  spi.finish();
  return out;
}

// Empty for nothing.
std::string value_text(const std::optional<Datum> &body, const std::string &column) {
  if (!body) return {};
  const char *const text = call([&]() -> const char * {
    Jsonb *const j = DatumGetJsonbP(*body);
    JsonbValue v;
    if (!JB_ROOT_IS_OBJECT(j) || !getKeyJsonValueFromContainer(&j->root, column.data(), static_cast<int>(column.size()), &v)) return nullptr;
    switch (v.type) {
    case jbvString: return pnstrdup(v.val.string.val, static_cast<Size>(v.val.string.len));
    case jbvNumeric: return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v.val.numeric)));
    case jbvBool: return v.val.boolean ? "yes" : "no";
    default: return nullptr; // null, or nothing that one says
    }
  });
  return text ? text : std::string{};
}

std::vector<AttributeText> attributes_of(const Definitions &plan, const Program &p, const Facts &facts) {
  std::vector<AttributeText> out;
  for (ToldAttribute &t : attributes_told(plan, p)) {
    std::string value = value_text(t.column.unit == p.def.unit ? facts.attributes : facts.account, t.column.name);
    if (!value.empty()) out.push_back({std::move(t), std::move(value)});
  }
  return out;
}

std::vector<FlagText> flags_of(const Program &p, std::string_view subject, const Facts &facts, Micros as_of) {
  std::vector<FlagText> out;
  if (facts.flags.empty()) return out;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT f.signal, f.reason, f.flag_id FROM pql.flag AS f WHERE f.home = $1 AND f.program = $2 AND f.lifted_at IS NULL"
                                  " AND (f.expires_at IS NULL OR f.expires_at > $3) ORDER BY f.flag_id",
                                  {Arg::of(home_key(p.def.unit, subject)), Arg::of(p.def.name), Arg::time(as_of)});
  for (std::uint64_t i = 0; i < n; i++) out.push_back({spi.text(i, 1), spi.text(i, 2), spi.number(i, 3)});
  spi.finish();
  return out;
}

} // namespace

Background background_of(const Definitions &plan, const Program &p, std::string_view key, const Subject &subject, const Facts &facts,
                         std::span<const std::string_view> known, std::vector<StepShare> shares, Micros as_of) {
  Background b;
  b.attributes = attributes_of(plan, p, facts);
  b.known.assign(known.begin(), known.end());
  b.flags = flags_of(p, subject.id.view(), facts, as_of);
  b.intents = intents_of(p.def.unit, key, subject.id.view(), as_of);
  b.shares = std::move(shares);
  return b;
}

std::vector<StepShare> step_shares_of(const Program &p) {
  std::vector<StepShare> out;
  if (!p.def.activation) return out;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT s.step, s.did, s.converters FROM pql.step_share AS s WHERE s.program = $1", {Arg::of(p.def.name)});
  for (std::uint64_t i = 0; i < n; i++) out.push_back({spi.text(i, 1), spi.number(i, 2), spi.number(i, 3)});
  spi.finish();
  return out;
}

bool has_intents(std::string_view key, Micros as_of) {
  Spi spi;
  const bool has = spi.run("SELECT FROM pql.intent AS i WHERE i.home = $1 AND i.occurred_at <= $2 LIMIT 1", {Arg::of(key), Arg::time(as_of)}) > 0;
  spi.finish();
  return has;
}

} // namespace pql::pg
