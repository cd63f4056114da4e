#include <nlohmann/json.hpp>

#include "core/base/instant.hpp"
#include "pg/timing.hpp"

#include "pg/calendar.hpp"
#include "pg/read.hpp"
#include "pg/spi.hpp"

namespace pql::pg {

std::string QuietHours::zone_of(const ProgramDef &p, std::string_view said) {
  if (!p.quiet_hours) return {};
  for (const std::string &zone : {std::string(said), p.quiet_hours->default_zone}) {
    if (!zone.empty() && !known_zone_changes(zone).empty()) return zone;
  }
  return {};
}

const Calendar *QuietHours::awake(const ProgramDef &p, const std::string &zone) {
  if (!p.quiet_hours || zone.empty()) return nullptr;
  std::unique_ptr<const Calendar> &c = all_[{&*p.quiet_hours, zone}];
  if (!c) c = std::make_unique<const Calendar>(CalendarDef{p.quiet_hours->week(), known_zone_changes(zone), {}, {}});
  return c.get();
}

Micros barred_until(const Definitions &plan, const Program &p, const MotionDef &motion, const Subject &s) noexcept {
  Micros until = kAlways;
  for (const NotWithinDef &n : motion.not_within) {
    const MilestoneDef *const m = p.def.milestone(n.milestone);
    if (!m) continue;
    const TrackerSpec spec = milestone_spec(*m, p.def.unit);
    for (const FirstTime &f : s.milestones) {
      const TrackerInfo *const info = plan.info(f.tracker);
      if (info && info->spec == spec) until = std::max(until, f.at + n.length);
    }
  }
  return until;
}

namespace {

// A row whose contact rests on more than its motion's after and by.
struct Timed {
  std::string home, unit, subject, owner, motion, signal, zone;
  std::int64_t id;
  int program, version, rank;
  bool ready, startable; ///< the latter: it would become ready, were it due
  ContactWindow contact, undelayed;
  Micros held; ///< until when it was held before
};

class Delayer {
public:
  explicit Delayer(Micros as_of) : as_of_(as_of), plan_(current_definitions()), scratch_("pql timing"), reads_as_of_(as_of) {
    for (const SourceInfo &s : plan_->sources()) reads_as_of_ = std::max(reads_as_of_, s.sealed_before); // older ones can't be asked
  }

  std::int64_t run() {
    for (const Timed &t : rows()) look_at(t);
    spi_.finish();
    return moved_;
  }

private:
  // Those whose time has come but for delays, and those that are ready. Most stay as they are, so none is locked yet.
  std::vector<Timed> rows() {
    const std::uint64_t n = spi_.run(
        "SELECT r.home, r.unit, r.subject_id, r.owner, r.motion, coalesce(r.context #>> '{timing,signal}', (SELECT h.context #>> '{timing,signal}' FROM pql.scoring_packet AS h"
        " WHERE h.home = r.home AND h.routing_id = r.routing_id)), r.context #>> '{timing,zone}', r.routing_id,"
        " p.program_id, r.version, r.motion_rank, r.state = 'ready', r.contact_after, r.contact_by, u.at,"
        " CASE WHEN u.delay IS NULL THEN r.contact_by ELSE (u.delay ->> 'by')::timestamptz END, (u.delay ->> 'held')::timestamptz,"
        " r.owner IS NOT NULL OR NOT pql._needs_rep(r.motion) OR NOT EXISTS (SELECT FROM pql.reps)"
        " FROM pql.routing AS r JOIN pql.program AS p ON p.program = r.program AND p.version = r.version,"
        " LATERAL (SELECT d.delay, coalesce((d.delay ->> 'after')::timestamptz, r.contact_after) AS at FROM (SELECT pql._delay_of(r) AS delay) AS d) AS u"
        " WHERE r.context ? 'timing' AND r.state IN ('pending', 'ready') AND r.snoozed_until IS NULL AND r.first_touch_at IS NULL"
        "  AND (r.state = 'ready' OR u.at <= $1) ORDER BY r.routing_id",
        {Arg::time(as_of_)});
    const auto time = [&](std::uint64_t i, int column, Micros otherwise) { return spi_.is_null(i, column) ? otherwise : spi_.number(i, column); };
    std::vector<Timed> all;
    for (std::uint64_t i = 0; i < n; i++) {
      all.push_back({spi_.text(i, 1), spi_.text(i, 2), spi_.text(i, 3), spi_.text(i, 4), spi_.text(i, 5), spi_.text(i, 6), spi_.text(i, 7),
                     spi_.number(i, 8), static_cast<int>(spi_.number(i, 9)), static_cast<int>(spi_.number(i, 10)), static_cast<int>(spi_.number(i, 11)),
                     spi_.number(i, 12) != 0, spi_.number(i, 18) != 0, {spi_.number(i, 13), time(i, 14, kNever)}, {spi_.number(i, 15), time(i, 16, kNever)}, time(i, 17, kAlways)});
    }
    return all;
  }

  void look_at(const Timed &t) {
    const Program *const p = plan_->version(t.program, t.version);
    if (!p || t.rank < 0 || t.rank >= static_cast<int>(p->def.motions.size())) return;
    const MotionDef &first = p->def.motions[static_cast<std::size_t>(t.rank)];
    const bool downgraded = first.motion != t.motion; // and timed as what it is now, but by the same quiet hours
    const int place = downgraded ? motion_named(p->def, t.motion) : t.rank;
    const MotionDef told = place < 0 ? MotionDef{} : p->def.motions[static_cast<std::size_t>(place)];
    if (t.ready && told.not_within.empty()) return; // what is ready stays so, but for fresh milestones
    const MotionDef m = downgraded ? told : timed_by(told, contact_of(p->def, t.signal));
    const std::shared_ptr<const Staff> staff = current_staff();
    const Calendar *const work = calendar_of(*staff, t.owner);
    Delays d{kAlways, kAlways, quiet_.awake(p->def, t.zone), work};
    scratch_.arena().reset();
    std::optional<Subject> s;
    if (!m.not_within.empty() || !m.hold.empty()) s = subject_at(*plan_, scratch_.arena(), p->def.unit, t.subject, reads_as_of_);
    if (s) d.barred_until = barred_until(*plan_, *p, m, *s);
    if (t.ready && d.barred_until <= as_of_) return;
    const Calendar &calendar = work ? *work : staff->calendar;
    const char *held_by = "it is in the middle of something";
    if (!t.ready && !m.hold.empty()) {
      d.held_until = t.held;
      if (s && delayed(t.undelayed, d, m, calendar).contact.after <= as_of_) hold(*p, m, *s, d, held_by);
    }
    Delayed now = delayed(t.undelayed, d, m, calendar);
    if (now.contact.after <= as_of_ && !t.ready && t.startable && in_quiet_hours(d)) {
      // It is late, and must not begin now: it begins anew when they are over.
      const Micros by = t.undelayed.by == kNever ? kNever : t.undelayed.by + (as_of_ - t.undelayed.after);
      now = delayed({as_of_, by}, {kAlways, kAlways, d.awake, d.work}, m, calendar);
      Timed anew = t;
      anew.undelayed = now.contact;
      return write(anew, now, {}, held_by);
    }
    if (now.contact.after == t.contact.after && now.contact.by == t.contact.by) return;
    write(t, now, d, held_by);
  }

  bool in_quiet_hours(const Delays &d) const {
    return d.awake && d.awake->next_open(as_of_) != kNever && !d.awake->is_open(as_of_);
  }

  static ContactDef contact_of(const ProgramDef &p, const std::string &signal) {
    for (const SignalDef &s : p.signals) {
      if (s.name == signal) return s.contact;
    }
    return {};
  }

  static const Calendar *calendar_of(const Staff &staff, const std::string &owner) {
    for (const Rep &r : staff.reps) {
      if (!owner.empty() && r.id == owner) return &r.calendar;
    }
    return nullptr;
  }

  // What the subject is in the middle of.
  void hold(const Program &p, const MotionDef &m, const Subject &s, Delays &d, const char *&by) const {
    const auto until = [&](Micros since, Micros length, const char *why) {
      if (!length || !finite(since) || since + length <= std::max(as_of_, d.held_until)) return;
      d.held_until = since + length;
      by = why;
    };
    until(s.last_seen, m.hold.session, "a session is running");
    const FunnelState *const f = m.hold.activation && p.def.activation ? s.funnel(p.activation_tracker) : nullptr;
    if (!f) return;
    const FunnelSpec &spec = plan_->trackers()[p.activation_tracker].funnel;
    const FunnelLevel level = f->funnel.read(spec, as_of_);
    if (level.level > 0 && level.level < spec.steps) until(level.reached, m.hold.activation, "the activation is progressing");
  }

  void write(const Timed &t, const Delayed &now, const Delays &d, const char *held_by) {
    const bool is_delayed = now.why != Delayed::Why::nothing;
    const bool back = t.ready && now.contact.after > as_of_;
    const auto instant = [](Micros at) { return at == kNever ? Arg::nothing(TIMESTAMPTZOID) : Arg::time(at); };
    const std::string reason = reason_of(now.why, held_by);
    nlohmann::ordered_json delay = {{"after", print_instant(t.undelayed.after)}, {"to", print_instant(now.contact.after)}, {"why", reason}};
    if (t.undelayed.by != kNever) delay["by"] = print_instant(t.undelayed.by);
    if (d.held_until != kAlways) delay["held"] = print_instant(d.held_until);
    const std::string text = is_delayed ? delay.dump() : std::string();
    moved_ += static_cast<std::int64_t>(spi_.run(
        "WITH was AS (SELECT r.state, greatest($3, r.state_since, (SELECT max(t.at) FROM pql.routing_transition AS t"
        "  WHERE t.home = r.home AND t.routing_id = r.routing_id)) AS at FROM pql.routing AS r"
        "  WHERE r.home = $1 AND r.routing_id = $2 AND r.state = $9 AND r.contact_after = $10 AND r.snoozed_until IS NULL"
        "  FOR NO KEY UPDATE SKIP LOCKED),"
        " moved AS (UPDATE pql.routing AS r SET contact_after = $4, contact_by = $5, delay = $6::jsonb,"
        "  state = CASE WHEN $7 THEN 'pending' ELSE r.state END, state_since = CASE WHEN $7 THEN was.at ELSE r.state_since END"
        "  FROM was WHERE r.home = $1 AND r.routing_id = $2 RETURNING r.home, r.routing_id, was.at, was.state AS before, r.state, r.owner)"
        " INSERT INTO pql.routing_transition (home, routing_id, at, from_state, to_state, actor, reason, rep)"
        " SELECT home, routing_id, at, before, state, 'pql', $8, owner FROM moved",
        {Arg::of(t.home), Arg::of(t.id), Arg::time(as_of_), Arg::time(now.contact.after), instant(now.contact.by),
         text.empty() ? Arg::nothing(TEXTOID) : Arg::of(text), Arg::of(back), Arg::of(reason),
         Arg::of(t.ready ? "ready" : "pending"), Arg::time(t.contact.after)}));
  }

  const Micros as_of_;
  const std::shared_ptr<const Definitions> plan_;
  Scratch scratch_;
  QuietHours quiet_;
  Spi spi_;
  Micros reads_as_of_;
  std::int64_t moved_ = 0;
};

} // namespace

std::int64_t delay_contacts(Micros as_of) { return Delayer(as_of).run(); }

} // namespace pql::pg
