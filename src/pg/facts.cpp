#include "pg/facts.hpp"

#include "pg/identity.hpp"
#include "pg/spi.hpp"
#include "pg/srf.hpp"

namespace pql::pg {

FactReader::FactReader(const Definitions &plan, const Program &p, Micros as_of, bool now, Ask ask)
    : plan_(plan), program_(p), needs_(needs_of(plan, p, ask)), asks_account_(needs_.asks_account() || plan.has_internal_domains()), as_of_(as_of), now_(now) {}

void FactReader::look_at(Arena &arena, std::string_view id) {
  looked_ = true;
  if (!looks()) return;
  const bool whole = program_.def.unit != Unit::user;
  std::vector<std::string> homes;
  Store store(Store::Access::read);
  if (whole) {
    homes.push_back(home_key(program_.def.unit, id));
  } else {
    std::vector<std::string_view> keys;
    store.homes_of(arena, id, keys);
    for (std::string_view k : keys) homes.emplace_back(k);
  }
  const auto read = [&](const std::string &home, int part) {
    const StoredRow row = store.fetch(arena, home, part);
    if (!row.found) return Home{};
    const Home h = read_home(arena, home, row.body, Members::asleep);
    take(home, h);
    return h;
  };
  for (const std::string &home : homes) {
    const Home head = read(home, 0);
    for (int i = 1; i <= head.lanes; i++) read(home, -i);
    if (whole) {
      for (int i = 1; head.depth && i <= 1 << head.depth; i++) read(home, i);
    } else if (const int part = static_cast<int>(member_part(id, head.depth))) {
      read(home, part);
    }
  }
  store.close();
  ScanRange range;
  range.homes = &homes;
  if (!whole) range.user = id;
  look_back(arena, range);
}

void FactReader::look_at_all() {
  looked_ = true;
  Scratch scratch("pql facts");
  Arena &arena = scratch.arena();
  Store store(Store::Access::read);
  store.scan([&](std::string_view home, int, std::string_view body) { take(home, read_home(arena, home, body, Members::asleep)); });
  store.close();
  look_back(arena, {});
}

// What is later than the instant is taken out by going back to the events; what is held until then comes in.
void FactReader::look_back(Arena &arena, const ScanRange &range) {
  Batch batch(arena, plan_.trackers());
  if (later_) {
    active_.clear();
    account_of_.clear();
    ScanRange until = range;
    until.until = as_of_;
    scan_events(plan_, arena, batch, until);
  } else {
    fold_due(plan_, arena, batch, range.homes, as_of_);
  }
  take_batch(batch);
}

void FactReader::take_batch(Batch &batch) {
  for (HomeDelta *d : batch.sorted()) take(d->key, d->home);
}

void FactReader::take(std::string_view home, const Home &row) {
  if (unit_of_home(home) != (program_.def.unit == Unit::workspace ? Unit::workspace : Unit::account)) return;
  const std::string account(home_id(home)); // or the workspace
  for (const Subject &s : row.members) {
    if (!s.events) continue;
    later_ |= s.last_seen > as_of_;
    if (!asks_account_) continue;
    Seen &seen = account_of_.try_emplace(std::string(s.id.view()), Seen{kAlways, {}}).first->second;
    if (s.last_seen > seen.at || (s.last_seen == seen.at && account < seen.account)) seen = {s.last_seen, account};
  }
  if (needs_.users) active_.try_emplace(account, as_of_).first->second.add(row);
}

Facts FactReader::of(const Subject &s, const Home *row) {
  const std::string_view id = s.id.view();
  Facts f;
  if (!row && !looked_ && looks()) look_at_all();
  if (row) f.users_active = needs_.users ? active_members(*row, as_of_) : 0;
  else if (program_.def.unit == Unit::user) f.users_active = s.events && is_active(s.last_seen, as_of_);
  else if (const auto a = active_.find(id); a != active_.end()) f.users_active = a->second.count();
  const auto at = account_of_.find(id);
  const std::string_view account = program_.def.unit == Unit::workspace ? plan_.account_of(s)
                                   : at == account_of_.end()            ? std::string_view{}
                                                                        : std::string_view(at->second.account);
  outside_.add(f, plan_, program_, needs_, id, account, as_of_, now_, call([] { return GetActiveSnapshot(); }));
  return f;
}

Asked::Asked(FunctionCallInfo fcinfo, int instant) {
  require_read_access();
  flush_pending();
  plan = current_definitions();
  program = PG_ARGISNULL(0) ? nullptr : &program_named(*plan, text_arg(fcinfo, 0));
  as_of = instant_arg(*plan, fcinfo, instant);
  now = PG_ARGISNULL(instant) || as_of >= GetCurrentStatementStartTimestamp();
}

bool takes_unseen(const Definitions &plan, const Program &p) {
  const RuleNeeds needs = needs_of(plan, p);
  if (!needs.attributes && !needs.flags) return false;
  return most_score(p, plan.trackers(), Subject{}, 0) >= std::min(p.def.qualify.enter, p.def.qualify.leave);
}

namespace {

// Of whom there are events.
class Seen {
public:
  Seen(const Definitions &plan, Unit unit, Micros as_of) : plan_(plan), unit_(unit), as_of_(as_of) {
    Spi spi;
    const std::uint64_t n = spi.run("SELECT h.home FROM pql.held_event AS h UNION SELECT 'u:' || h.user_id FROM pql.held_event AS h");
    for (std::uint64_t i = 0; i < n; i++) held_.insert(spi.text(i, 1));
    spi.finish();
  }
  bool has(std::string_view id) {
    scratch_.arena().reset();
    return (is_stored(id) || held_.contains(home_key(unit_, id))) && subject_at(plan_, scratch_.arena(), unit_, id, as_of_);
  }
  void close() { store_.close(); }

private:
  bool is_stored(std::string_view id) {
    if (unit_ != Unit::user) return store_.fetch(scratch_.arena(), home_key(unit_, id), 0).found;
    store_.homes_of(scratch_.arena(), id, homes_);
    return !homes_.empty();
  }

  const Definitions &plan_;
  const Unit unit_;
  const Micros as_of_;
  Scratch scratch_{"pql seen"};
  Store store_{Store::Access::read};
  std::vector<std::string_view> homes_;
  std::set<std::string, std::less<>> held_; ///< homes
};

} // namespace

void unseen_at(const Definitions &plan, const Program &p, Micros as_of, bool now, const std::function<void(const Subject &, const Home *)> &f) {
  if (!takes_unseen(plan, p)) return;
  refresh_identities();
  Scratch scratch("pql unseen");
  std::vector<Reason> reasons(p.def.signals.size());
  FactReader facts(plan, p, as_of, now);
  Seen seen(plan, p.def.unit, as_of);
  for (const std::string_view id : ids_outside(scratch.arena(), p.def.unit, needs_of(plan, p), !now, call([] { return GetActiveSnapshot(); }))) {
    call([] { CHECK_FOR_INTERRUPTS(); });
    if (canonical_id(p.def.unit, id) != id) continue;
    Subject s;
    s.id = Bytes::borrow(id);
    if (assess(plan, p, s, as_of, facts.of(s), reasons, nullptr, Ask::points).score > 0 && !seen.has(id)) f(s, nullptr);
  }
  seen.close();
  facts.close();
}

Assessment assess_one(const Asked &a, Arena &arena, std::string_view id, std::span<Reason> reasons, RuleErrors *errors, Ask ask) {
  const std::optional<Subject> seen = subject_at(*a.plan, arena, a.program->def.unit, id, a.as_of);
  const std::string key = canonical_id(a.program->def.unit, id);
  Subject s = seen.value_or(Subject{});
  s.id = Bytes::borrow(key);
  FactReader reader(*a.plan, *a.program, a.as_of, a.now);
  reader.look_at(arena, key);
  const Facts facts = reader.of(s);
  Assessment out;
  out.in_segment = out.when = out.rule = out.kinds_met = false;
  if (seen || facts.attributes || !facts.flags.empty()) out = assess(*a.plan, *a.program, s, a.as_of, facts, reasons, errors, ask);
  reader.close();
  return out;
}

} // namespace pql::pg
