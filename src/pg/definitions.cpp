#include "pg/definitions.hpp"

#include <bit>

#include "pg/attached_facts.hpp"
#include "pg/spi.hpp"
#include "pg/store.hpp"

extern "C" {
#include "utils/inval.h"
}

namespace pql::pg {
namespace {

constexpr RuleVariable kEventVariables[] = {
    {"props", JSONBOID}, {"event", TEXTOID}, {"occurred_at", TIMESTAMPTZOID}, {"as_of", TIMESTAMPTZOID}};

std::shared_ptr<const Definitions> in_force;
bool valid = false;
std::uint64_t generation = 0;
std::vector<Oid> watched; // relations whose change makes the plan stale

extern "C" void relation_changed(Datum, Oid relation) {
  if (!OidIsValid(relation)) {
    valid = false;
    return;
  }
  for (Oid w : watched) {
    if (w == relation) valid = false;
  }
}

// Jobs whose history isn't folded yet.
std::vector<std::int32_t> unfinished_now() {
  std::vector<std::int32_t> jobs;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT job_id FROM pql.backfill_job WHERE finished_at IS NULL ORDER BY job_id", {}, true);
  for (std::uint64_t i = 0; i < n; i++) jobs.push_back(static_cast<std::int32_t>(spi.number(i, 1)));
  spi.finish();
  return jobs;
}

} // namespace

Unit unit_named(std::string_view name) noexcept {
  for (Unit u : {Unit::account, Unit::workspace}) {
    if (name == name_of(u)) return u;
  }
  return Unit::user;
}

const EventPlan *EventTable::find(std::string_view name) const noexcept {
  if (slots_.empty()) return others();
  const std::uint64_t hash = hash_of(name, 0);
  for (std::uint64_t i = hash;; i++) {
    const Named *const e = slots_[i & (slots_.size() - 1)];
    if (!e) return others();
    if (e->hash == hash && e->name == name) return &e->plan;
  }
}

EventPlan &EventTable::of(std::string_view name) {
  if (const EventPlan *const there = find(name); there && there != &any_) return const_cast<EventPlan &>(*there);
  all_.push_back({std::string(name), hash_of(name, 0), any_});
  if (all_.size() * 4 <= slots_.size()) {
    place(all_.back());
    return all_.back().plan;
  }
  slots_.assign(std::bit_ceil(all_.size() * 8), nullptr);
  for (const Named &e : all_) place(e);
  return all_.back().plan;
}

void EventTable::place(const Named &e) noexcept {
  std::uint64_t i = e.hash;
  while (slots_[i & (slots_.size() - 1)]) i++;
  slots_[i & (slots_.size() - 1)] = &e;
}

bool EventTable::needs_properties() const noexcept {
  return any_.needs_properties() || std::any_of(all_.begin(), all_.end(), [](const Named &e) { return e.plan.needs_properties(); });
}

Complaint *check_event_rule(const char *text, Oid wanted, const char *path) {
  return check_rule(text, kEventVariables, std::size(kEventVariables), wanted, path);
}

void watch_definitions() { CacheRegisterRelcacheCallback(relation_changed, Datum{0}); }

void watch_relation(Oid relation) {
  if (std::find(watched.begin(), watched.end(), relation) == watched.end()) watched.push_back(relation);
}

std::uint64_t definitions_generation() { return generation; }

std::shared_ptr<const Definitions> current_definitions() {
  if (valid && in_force) return in_force;
  for (int attempt = 0; attempt < 3; attempt++) {
    valid = true; // before reading: what changes while we read makes it invalid again
    try {
      in_force = std::make_shared<const Definitions>();
      generation++;
    } catch (...) {
      valid = false;
      throw;
    }
    if (valid) break;
  }
  return in_force;
}

std::shared_ptr<const Definitions> definitions_now() {
  call([] { AcceptInvalidationMessages(); });
  // What is committed is seen before it is told of: whose history is being folded already must not be unknown.
  if (const std::shared_ptr<const Definitions> known = current_definitions(); known->unfinished_jobs() == unfinished_now()) return known;
  valid = false;
  return current_definitions();
}

DefinitionsAsOf::DefinitionsAsOf(Snapshot as_of) : plan_(std::make_shared<const Definitions>(as_of)) { generation++; }
DefinitionsAsOf::~DefinitionsAsOf() { generation++; }

Definitions::Definitions(Snapshot as_of) {
  call([&] {
    watched.clear();
    for (const char *name : {"tracker", "program", "source", "backfill_job", "attribute_source", "fact_source", "internal_domain", "conversation_source"}) watch_relation(pql_relation(name));
    memory_ = AllocSetContextCreateInternal(CacheMemoryContext, "pql plan", ALLOCSET_DEFAULT_SIZES);
  });
  try {
    const OneLatest one(as_of);
    load_trackers();
    compile_trackers();
    load_programs();
    load_sources();
    load_attributes();
    load_internal_domains();
  } catch (...) {
    MemoryContextDelete(memory_);
    throw;
  }
}

Definitions::Definitions(const std::string &document) {
  memory_ = call([] { return AllocSetContextCreateInternal(CurrentMemoryContext, "pql trial", ALLOCSET_DEFAULT_SIZES); });
  try {
    load_trial(document);
    load_sources();
    load_attributes();
    load_internal_domains();
  } catch (...) {
    MemoryContextDelete(memory_);
    throw;
  }
}

Definitions::~Definitions() { MemoryContextDelete(memory_); }

const TrackerInfo *Definitions::info(TrackerId id) const noexcept {
  for (const TrackerInfo &t : infos_) {
    if (t.id == id) return &t;
  }
  return nullptr;
}

std::vector<TrackerId> Definitions::user_milestones(std::string_view name) const {
  std::vector<TrackerId> found;
  for (const TrackerInfo &t : infos_) {
    if (t.spec.kind == Tracker::Kind::milestone && t.spec.unit == Unit::user && t.spec.name == name) found.push_back(t.id);
  }
  return found;
}

const SourceInfo *Definitions::source(int id) const noexcept {
  for (const SourceInfo &s : sources_) {
    if (s.id == id) return &s;
  }
  return nullptr;
}

const Program *Definitions::version(std::int32_t program, std::int32_t version) const noexcept {
  for (const auto *all : {&programs_, &finishing_}) {
    for (const Program &p : *all) {
      if (p.id == program && p.version == version) return &p;
    }
  }
  return nullptr;
}

const Program *Definitions::program(std::string_view name) const noexcept {
  const Program *found = nullptr;
  for (const Program &p : programs_) {
    if (p.def.name == name && (!found || p.live)) found = &p;
  }
  return found;
}

std::string_view Definitions::account_of(const Subject &workspace) const noexcept {
  const Marks *const newest = keeps_workspaces() ? workspace.marks_of(account_tracker_) : nullptr;
  return newest ? newest->event.view() : std::string_view{};
}

TrackerId Definitions::find(const TrackerSpec &spec) const {
  for (const TrackerInfo &t : infos_) {
    if (t.spec == spec) return t.id;
  }
  fail(ERRCODE_INTERNAL_ERROR, "a tracker of a published program is missing", "The table pql.tracker was changed by hand.");
}

void Definitions::load_trackers() {
  Spi spi;
  const std::uint64_t n = spi.run("SELECT tracker_id, kind, unit, name, events, rules, value_rule,"
                                  " (extract(epoch FROM half_life) * 1000000)::bigint, in_order,"
                                  " (extract(epoch FROM within) * 1000000)::bigint, state = 'active',"
                                  " (extract(epoch FROM window_length) * 1000000)::bigint, spans, (extract(epoch FROM gap) * 1000000)::bigint"
                                  " FROM pql.tracker ORDER BY tracker_id",
                                  {}, true);
  for (std::uint64_t i = 0; i < n; i++) {
    TrackerInfo t;
    t.id = static_cast<TrackerId>(spi.number(i, 1));
    t.spec.kind = tracker_kind(spi.text(i, 2));
    t.spec.unit = unit_named(spi.text(i, 3));
    t.spec.name = spi.text(i, 4);
    t.spec.events = spi.texts(i, 5);
    t.spec.rules = spi.texts(i, 6);
    t.spec.value_rule = spi.text(i, 7);
    t.spec.half_life = spi.number(i, 8);
    t.spec.in_order = spi.number(i, 9) != 0;
    t.spec.within = spi.number(i, 10);
    t.active = spi.number(i, 11) != 0;
    t.spec.window = spi.number(i, 12);
    t.spec.spans = static_cast<int>(spi.number(i, 13));
    t.spec.gap = spi.number(i, 14);
    infos_.push_back(std::move(t));
  }
  spi.finish();
}

void Definitions::compile_trackers() {
  for (const TrackerInfo &t : infos_) {
    if (t.id >= trackers_.size()) trackers_.resize(t.id + 1u);
    trackers_[t.id] = tracker_of(t.spec);
    if (tells_account(t.spec)) account_tracker_ = t.id;
  }
  fill(events_, [](const TrackerInfo &t) { return t.active; });
  has_rules_ = events_.needs_properties();
}

void Definitions::fill(EventTable &table, const std::function<bool(const TrackerInfo &)> &wanted) const {
  for (const bool any : {true, false}) {
    for (const TrackerInfo &t : infos_) {
      for (std::size_t step = 0; wanted(t) && step < t.spec.events.size(); step++) {
        if ((t.spec.events[step] == "*") == any) add_event(table, t, step);
      }
    }
  }
}

void Definitions::add_event(EventTable &table, const TrackerInfo &t, std::size_t step) const {
  const auto rule = [&](std::vector<Rule *> &rules, const std::string &text, Oid type) -> std::int16_t {
    if (text.empty()) return -1;
    for (std::size_t i = 0; i < rules.size(); i++) { // several trackers ask the same of an event
      if (text == rules[i]->text) return static_cast<std::int16_t>(i);
    }
    Rule *r = call([&] {
      return compile_rule(text.c_str(), kEventVariables, std::size(kEventVariables), type, t.spec.name.c_str(), memory_);
    });
    rules.push_back(r);
    return static_cast<std::int16_t>(rules.size() - 1);
  };
  EventPlan &e = table.plan(t.spec.events[step]);
  Action a{t.spec.kind, t.id, 1u << step, -1, -1, tells_account(t.spec)};
  table.of_workspaces |= t.spec.unit == Unit::workspace;
  table.builds_workspaces |= a.account;
  a.rule = rule(e.rules, t.spec.rules[step], BOOLOID);
  a.value = rule(e.values, t.spec.value_rule, FLOAT8OID);
  e.on(t.spec.unit).push_back(a);
}

EventTable Definitions::event_table(const std::vector<TrackerId> &only) const {
  EventTable table;
  fill(table, [&](const TrackerInfo &t) { return std::find(only.begin(), only.end(), t.id) != only.end(); });
  return table;
}

MeasureTrackers Definitions::find(const ProgramDef &p, const MeasureDef &d) const {
  const std::vector<TrackerSpec> specs = measure_specs(p, d);
  MeasureTrackers t;
  if (!specs.empty()) t.main = find(specs[0]);
  if (specs.size() > 1) t.second = find(specs[1]);
  return t;
}

void Definitions::load_programs() {
  struct Row {
    int id, version;
    bool live, finishing, tried;
    std::string document;
  };
  std::vector<Row> rows;
  Spi spi;
  const std::uint64_t n = spi.run("SELECT program_id, version, status = 'live', document, status = 'retired',"
                                  " EXISTS (SELECT FROM pql.pilot AS x WHERE p.program IN (x.program, x.pilot_program))"
                                  " FROM pql.program AS p WHERE status IN ('shadow', 'live') OR finishing ORDER BY program_id, version",
                                  {}, true);
  for (std::uint64_t i = 0; i < n; i++) {
    rows.push_back({static_cast<int>(spi.number(i, 1)), static_cast<int>(spi.number(i, 2)), spi.number(i, 3) != 0,
                    spi.number(i, 5) != 0, spi.number(i, 6) != 0, spi.text(i, 4)});
  }
  spi.finish();
  for (const Row &r : rows) {
    ParsedProgram parsed = parse_program(r.document, Served::published); // what isn't served wasn't published
    if (!parsed.problems.empty()) continue; // published by a version that knew more; health lists it
    Program p;
    p.id = r.id;
    p.version = r.version;
    p.live = r.live;
    p.tried = r.tried;
    add_program(std::move(p), std::move(parsed.program), r.finishing ? finishing_ : programs_);
  }
}

void Definitions::add_program(Program p, ProgramDef def, std::vector<Program> &to) {
  p.def = std::move(def);
  for (const SignalDef &s : p.def.signals) p.signals.push_back(find(p.def, s));
  for (const NamedMeasure &m : p.def.measures) p.measures.push_back(find(p.def, m));
  if (p.def.activation) p.activation_tracker = find(activation_spec(p.def));
  has_unit_[static_cast<int>(p.def.unit)] = true;
  to.push_back(std::move(p));
}

// Of the trackers that are kept those that are wanted, and the others with numbers that nobody has.
void Definitions::try_trackers(const std::vector<TrackerSpec> &wanted) {
  load_trackers();
  TrackerId last = 0;
  for (const TrackerInfo &t : infos_) last = std::max(last, t.id);
  std::erase_if(infos_, [&](const TrackerInfo &t) { return std::find(wanted.begin(), wanted.end(), t.spec) == wanted.end(); });
  for (const TrackerSpec &s : wanted) {
    if (std::any_of(infos_.begin(), infos_.end(), [&](const TrackerInfo &t) { return t.spec == s; })) continue;
    TrackerInfo t;
    t.id = ++last;
    t.spec = s;
    infos_.push_back(std::move(t));
  }
  for (TrackerInfo &t : infos_) t.active = true;
  compile_trackers();
}

void Definitions::load_trial(const std::string &document) {
  ParsedProgram parsed = parse_program(document);
  if (!parsed.problems.empty()) {
    const Problem &x = parsed.problems.front();
    fail(ERRCODE_INVALID_PARAMETER_VALUE, x.path.empty() ? x.problem : x.path + ": " + x.problem, {}, x.hint);
  }
  std::vector<TrackerSpec> wanted = tracker_specs(parsed.program);
  const std::shared_ptr<const Definitions> real = current_definitions();
  const Program *const in_force = real->program(parsed.program.name);
  const bool compared = in_force && in_force->def.unit == parsed.program.unit;
  if (compared) {
    for (TrackerSpec &s : tracker_specs(in_force->def)) wanted.push_back(std::move(s));
  }
  try_trackers(wanted);
  add_program({}, std::move(parsed.program), programs_);
  if (compared) add_program({in_force->id, in_force->version, in_force->live, {}, {}, {}, 0}, in_force->def, programs_);
}

void Definitions::load_sources() {
  Spi spi;
  const std::uint64_t n = spi.run("SELECT source_id, relation::oid, user_id, account_id, event, occurred_at, event_id, properties,"
                            " clock = 'event', dedup IS NOT NULL,"
                            " (extract(epoch FROM max_event_age) * 1000000)::bigint,"
                            " (extract(epoch FROM max_future) * 1000000)::bigint, sealed_before,"
                            " (extract(epoch FROM dedup) * 1000000)::bigint, received_at, workspace, mode = 'deferred' FROM pql.source ORDER BY source_id",
                            {}, true);
  for (std::uint64_t i = 0; i < n; i++) {
    SourceInfo s;
    s.id = static_cast<int>(spi.number(i, 1));
    s.relation = static_cast<Oid>(spi.number(i, 2));
    s.user_id = spi.text(i, 3);
    s.account_id = spi.text(i, 4);
    s.event = spi.text(i, 5);
    s.occurred_at = spi.text(i, 6);
    s.event_id = spi.text(i, 7);
    s.properties = spi.text(i, 8);
    s.event_clock = spi.number(i, 9) != 0;
    s.dedup = spi.number(i, 10) != 0;
    s.max_event_age = spi.number(i, 11);
    s.max_future = spi.number(i, 12);
    s.sealed_before = spi.is_null(i, 13) ? kAlways : spi.number(i, 13);
    s.dedup_for = spi.number(i, 14);
    s.received_at = spi.text(i, 15);
    if (keeps_workspaces()) s.workspace = spi.text(i, 16);
    s.deferred = spi.number(i, 17) != 0;
    defers_ |= s.deferred;
    sources_.push_back(std::move(s));
  }
  spi.finish();
  jobs_ = unfinished_now();
}

void Definitions::load_attributes() {
  for (Unit u : {Unit::user, Unit::account, Unit::workspace}) attributes_[static_cast<int>(u)] = attribute_columns(u);
  facts_ = fact_names();
}

void Definitions::load_internal_domains() {
  Spi spi;
  const std::uint64_t n = spi.run("SELECT domain, kind FROM pql.internal_domain", {}, true);
  for (std::uint64_t i = 0; i < n; i++) {
    const auto kind = std::ranges::find(kDomainKinds, spi.text(i, 2)) - kDomainKinds.begin();
    internal_.emplace(spi.text(i, 1), static_cast<int>(kind));
  }
  spi.finish();
}

int Definitions::internal_domain(std::string_view id, std::string_view account) const {
  for (const std::string_view said : {id, account}) {
    std::string domain(said.substr(said.rfind('@') + 1)); // all of it without one
    for (char &c : domain) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    for (std::string_view rest = domain; !rest.empty();) { // those above it, too
      if (const auto found = internal_.find(std::string(rest)); found != internal_.end()) return found->second;
      const std::size_t dot = rest.find('.');
      rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
    }
  }
  return -1;
}

} // namespace pql::pg
