// What is kept, as rows: behind pql.members, pql.milestones, pql.subjects, pql.sources, pql.activation, pql.verify and pql.state_digest.
#include <map>

#include "pg/packet.hpp"
#include "pg/read.hpp"
#include "pg/spi.hpp"
#include "pg/srf.hpp"

namespace pql::pg {
namespace {

// A stored row of pql.state, decoded.
Home home_of(Arena &arena, std::string_view key, std::string_view body) {
  return read_home(arena, key, key.size() < 2 ? std::string_view{} : body); // too short a key is damage as well
}

// Calls f(unit, account id or empty, subject) for each subject of a row.
template <class F>
void each_subject(std::string_view key, Home &h, F &&f) {
  const Unit unit = unit_of_home(key);
  const std::string_view id = home_id(key);
  if (h.head) f(unit, unit == Unit::account ? id : std::string_view{}, h.owner);
  for (Subject &s : h.members) f(Unit::user, id, s);
}

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// A subject's state, field by field, as verify compares it.
class Fields {
public:
  Fields(const Definitions &plan, ResultRows &rows) : plan_(plan), rows_(rows) {}

  void add(std::string_view home, Unit unit, const Subject &s) {
    begin(home, unit, s);
    if (s.events) {
      put("first_seen", print_instant(s.first_seen));
      put("last_seen", print_instant(s.last_seen));
      put("events", std::to_string(s.events));
    }
    put_milestones(s);
    for (const DecayedSum &d : s.decays) {
      const Tracker &t = plan_.trackers()[d.tracker];
      std::string value = std::to_string(d.sum.read(t.half_life, d.newest)) + " at " + print_instant(d.newest) + " " +
                          event_id_text(d.event.view()) + " [" + std::to_string(d.sum.top);
      for (const Wide &w : d.sum.sum) {
        unsigned char b[16];
        std::memcpy(b, &w.lo, 8);
        std::memcpy(b + 8, &w.hi, 8);
        value += " " + hex({reinterpret_cast<const char *>(b), 16});
      }
      put(name("decay", d.tracker), value + "]");
    }
    for (const FunnelState &f : s.funnels) {
      const FunnelLevel l = f.funnel.read(plan_.trackers()[f.tracker].funnel);
      if (l.level)
        put(name("funnel", f.tracker),
            std::to_string(l.level) + " from " + print_instant(l.started) + " to " + print_instant(l.reached));
    }
    for (const MarksState &m : s.marks) {
      const Marks &x = m.marks;
      char digest[17];
      snprintf(digest, sizeof digest, "%016llx", static_cast<unsigned long long>(x.digest()));
      put(name(std::string(name_of(plan_.trackers()[m.tracker].kind)).c_str(), m.tracker),
          std::to_string(x.all.size) + " to " + print_instant(x.newest) + " " + evidence(m) + " [" + digest + "]");
    }
  }

  void add_milestones(std::string_view home, Unit unit, const Subject &s) {
    begin(home, unit, s);
    put_milestones(s);
  }

private:
  void begin(std::string_view home, Unit unit, const Subject &s) {
    home_ = home;
    unit_ = unit;
    subject_ = s.id.view();
  }
  void put_milestones(const Subject &s) {
    for (const FirstTime &m : s.milestones)
      put(name("milestone", m.tracker), print_instant(m.at) + " " + event_id_text(m.event()));
  }
  std::string evidence(const MarksState &m) const {
    const std::string_view event = m.marks.event.view();
    return m.tracker == plan_.account_tracker() ? std::string(event) : event_id_text(event);
  }
  std::string name(const char *kind, TrackerId t) const {
    const TrackerInfo *info = plan_.info(t);
    std::string out = std::string(kind) + " ";
    if (!info) return out + std::to_string(t);
    if (!info->spec.name.empty()) return out + info->spec.name;
    for (std::size_t i = 0; i < info->spec.events.size(); i++) out += (i ? ", " : "") + info->spec.events[i];
    return out + " (" + std::to_string(t) + ")";
  }
  void put(const std::string &what, const std::string &value) {
    rows_.add({Cell::of(home_), Cell::of(name_of(unit_)), Cell::of(what), Cell::of(subject_), Cell::of(value)});
  }

  const Definitions &plan_;
  ResultRows &rows_;
  std::string_view home_, subject_;
  Unit unit_ = Unit::user;
};

void add_batch(const Definitions &plan, Batch &batch, Arena &arena, Fields &fields) {
  for (HomeDelta *d : batch.sorted()) {
    each_subject(d->key, d->home, [&](Unit unit, std::string_view, Subject &s) {
      (void)s.settle(arena, plan.trackers());
      fields.add(d->key, unit, s);
    });
  }
}

void add_as_the_events_say(const Definitions &plan, Fields &fields, Micros due) {
  Scratch scratch("pql fields");
  Batch batch(scratch.arena(), plan.trackers());
  scan_events(plan, scratch.arena(), batch, {.due = due});
  add_batch(plan, batch, scratch.arena(), fields);
}

// With what is held and due: it counts for whoever reads.
void add_as_stored(const Definitions &plan, Fields &fields, Micros due) {
  Scratch scratch("pql fields"), shares("pql shares");
  Batch sums(shares.arena(), plan.trackers());
  fold_due(plan, shares.arena(), sums, nullptr, due);
  Store store(Store::Access::read);
  std::set<std::string, std::less<>> shared; // homes whose rows, or what is held of them, add up
  std::map<std::pair<std::string, std::string>, Vec<FirstTime>> due_milestones; // by home and member, as the log has them
  for (HomeDelta *d : sums.sorted()) {
    shared.emplace(d->key);
    const auto take = [&](Subject &s, std::string_view member) {
      if (!s.milestones.empty()) due_milestones[{std::string(d->key), std::string(member)}] = std::exchange(s.milestones, {});
    };
    take(d->home.owner, {});
    for (Subject &m : d->home.members) take(m, m.id.view());
  }
  store.scan([&](std::string_view home, int part, std::string_view) {
    if (part < 0) shared.emplace(home);
  });
  store.scan([&](std::string_view home, int, std::string_view body) {
    scratch.arena().reset();
    std::optional<Home> h = decode(scratch.arena(), body);
    if (!h) return; // damaged: all that it had is missing
    if (shared.contains(home)) sums.add(home, *decode(shares.arena(), shares.arena().copy(body)));
    else each_subject(home, *h, [&](Unit unit, std::string_view, const Subject &s) { fields.add(home, unit, s); });
  });
  add_batch(plan, sums, shares.arena(), fields);
  // Rows of one subject come together.
  std::string home, member;
  Subject s;
  const auto fold = [&](const Vec<FirstTime> &all) {
    for (const FirstTime &f : all) s.fold_milestone(scratch.arena(), f.tracker, f.at, f.event());
  };
  const auto flush = [&] {
    if (const auto due_too = due_milestones.extract({home, member})) fold(due_too.mapped());
    if (s.milestones.empty()) return;
    s.id = Bytes::borrow(member.empty() && home.size() > 2 ? home_id(home) : member);
    fields.add_milestones(home, member.empty() ? unit_of_home(home) : Unit::user, s);
    s = {};
    scratch.arena().reset();
  };
  store.scan_log(Store::Order::of_homes, [&](std::string_view h, std::string_view m, std::string_view body) {
    if (h != home || m != member) {
      flush();
      home = h;
      member = m;
    }
    if (const std::optional<Vec<FirstTime>> all = decode_milestones(scratch.arena(), body)) fold(*all);
  });
  flush();
  while (!due_milestones.empty()) {
    std::tie(home, member) = due_milestones.begin()->first;
    flush();
  }
  store.close();
}

} // namespace
} // namespace pql::pg

// Arguments: home, body.
PQL_FUNCTION(_state_subjects) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  Scratch scratch("pql row");
  const std::string key = text_arg(fcinfo, 0);
  Home h = home_of(scratch.arena(), key, bytes_arg(fcinfo, 1));
  each_subject(key, h, [&](Unit unit, std::string_view account, const Subject &s) {
    if (s.events == 0 || (unit == Unit::user && is_workspace_home(key))) return; // users are told once
    rows.add({Cell::of(name_of(unit)), Cell::of(s.id.view()), account.empty() ? Cell::null() : Cell::of(account),
              unit == Unit::user ? Cell::of(s.id.view()) : Cell::null(), Cell::time(s.first_seen), Cell::time(s.last_seen),
              Cell::of(s.events)});
  });
  return Datum{0};
}

// Arguments: home, member, body.
PQL_FUNCTION(_logged_milestones) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  Scratch scratch("pql row");
  const std::string key = text_arg(fcinfo, 0), member = text_arg(fcinfo, 1);
  const Unit unit = member.empty() ? unit_of_home(key) : Unit::user;
  Subject s;
  fold_milestones(scratch.arena(), key, bytes_arg(fcinfo, 2), s);
  for (const FirstTime &m : s.milestones) {
    const std::string event = event_id_text(m.event());
    rows.add({Cell::of(name_of(unit)), Cell::of(member.empty() ? home_id(key) : member), Cell::small(m.tracker), Cell::time(m.at),
              event.empty() ? Cell::null() : Cell::of(event), Cell::bytes(m.event())});
  }
  return Datum{0};
}

// Arguments: home, the bodies of its rows.
PQL_FUNCTION(_state_canonical) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  const std::shared_ptr<const Definitions> plan = current_definitions();
  Scratch scratch("pql home");
  const std::string key = text_arg(fcinfo, 0);
  Batch sum(scratch.arena(), plan->trackers());
  for (std::string_view body : bytes_array_arg(fcinfo, 1)) sum.add(key, home_of(scratch.arena(), key, body));
  for (HomeDelta *d : sum.sorted()) {
    each_subject(key, d->home, [&](Unit unit, std::string_view, Subject &s) {
      (void)s.settle(scratch.arena(), plan->trackers());
      if (s.exists()) rows.add({Cell::of(name_of(unit)), Cell::of(s.id.view()), Cell::bytes(canonical(scratch.arena(), s))});
    });
  }
  return Datum{0};
}

// Brings views up to date within a transaction that has changes pending.
PQL_FUNCTION(_flush) {
  using namespace pql::pg;
  flush_pending();
  return Datum{0};
}

// Whether the columns of a source are there.
PQL_FUNCTION(_readable) {
  using namespace pql::pg;
  const std::shared_ptr<const Definitions> plan = current_definitions();
  const SourceInfo *source = plan->source(PG_GETARG_INT32(0));
  return BoolGetDatum(source && source_readable(*source));
}

PQL_FUNCTION(activation) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  if (PG_ARGISNULL(0)) return Datum{0};
  require_read_access();
  flush_pending();
  const std::shared_ptr<const Definitions> plan = current_definitions();
  const std::string name = text_arg(fcinfo, 0);
  const Program &p = program_named(*plan, name);
  if (!p.def.activation)
    fail(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "program \"" + p.def.name + "\" has no activation", {},
         "Add \"activation\" with its steps to the document and publish it.");
  const Micros as_of = instant_arg(*plan, fcinfo, 2);
  const FunnelSpec &spec = plan->trackers()[p.activation_tracker].funnel;
  const auto add = [&](const Subject &s, const Home * = nullptr) {
    const auto [level, next, skipped] = activation_state(*plan, p, s, as_of);
    std::string list = "[";
    for (const std::string &step : skipped) list += (list.size() > 1 ? ", \"" : "\"") + step + "\"";
    list += "]";
    rows.add({Cell::of(s.id.view()), Cell::of(level.level), Cell::of(spec.steps), Cell::of(level.level == spec.steps),
              level.level ? Cell::time(level.started) : Cell::null(), level.level ? Cell::time(level.reached) : Cell::null(),
              next.empty() ? Cell::null() : Cell::of(next), Cell::json(list)});
  };
  Scratch scratch("pql activation");
  if (PG_ARGISNULL(1)) {
    subjects_at(*plan, scratch.arena(), p.def.unit, as_of, {.all = true}, add);
  } else if (const auto s = subject_at(*plan, scratch.arena(), p.def.unit, text_arg(fcinfo, 1), as_of)) {
    add(*s);
  }
  return Datum{0};
}

// Arguments: whether as it is stored, or as the events say; the instant after which events are held.
PQL_FUNCTION(_state_fields) {
  using namespace pql;
  using namespace pql::pg;
  ResultRows rows(fcinfo);
  flush_pending();
  const AsOfActiveSnapshot one;
  const DefinitionsAsOf plan(snapshot_shown()); // what was defined since has no state there
  require_readable(*plan);
  Fields fields(*plan, rows);
  const Micros due = PG_GETARG_TIMESTAMPTZ(1);
  if (PG_GETARG_BOOL(0)) add_as_stored(*plan, fields, due);
  else add_as_the_events_say(*plan, fields, due);
  return Datum{0};
}
