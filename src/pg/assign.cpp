#include <array>

#include <nlohmann/json.hpp>

#include "core/qualify/qualify.hpp"
#include "core/qualify/route.hpp"
#include "core/route/timing.hpp"
#include "pg/assign.hpp"
#include "pg/calendar.hpp"
#include "pg/definitions.hpp"
#include "pg/packet.hpp"
#include "pg/real.hpp"

namespace pql::pg {
namespace {

// A row of pql.rep_load.
struct Load {
  int open = 0, this_week = 0;
  std::int32_t week = 0;
  double deficit = 0;
  std::int64_t seed = 0;
  bool there = false, changed = false;
};

// A pending row.
struct Pending {
  std::string home, motion, account, owner, attributes, last, signal, breached_by, escalated_to;
  std::vector<std::string> declined;
  std::int64_t id = 0;
  int program = 0, version = 0, motion_rank = -1, score = 0;
  Micros signal_at = 0, state_since = 0, contact_after = 0, contact_by = kNever, undelayed = 0;
};

// How long those who have got a rep count for a threshold that follows capacity.
constexpr Micros kRecent = 7 * kDay;

// Whose the account of a routing row r is: by name, or because he has another row of it.
#define ACCOUNT_REP \
  "coalesce((SELECT o.rep_id FROM pql.account_owner AS o WHERE o.account_id = r.account_id)," \
  " (SELECT x.owner FROM pql.routing AS x WHERE x.home = r.home AND x.account_id = r.account_id AND x.owner IS NOT NULL" \
  "  AND x.state IN ('pending', 'ready', 'claimed', 'accepted', 'touched') ORDER BY x.routing_id DESC LIMIT 1))"
// Whether it waits for a rep.
#define WAITS \
  "r.state = 'pending' AND r.owner IS NULL AND r.blocked_by IS NULL AND r.snoozed_until IS NULL AND pql._needs_rep(r.motion)"
// Whether it is below the threshold t of its program, which is one unless there are places for all.
#define IS_LOW "t.program = r.program AND t.taken + t.free < t.arrivals AND r.score < t.threshold"

std::int32_t week_of(const Calendar &c, Micros t) noexcept {
  const Micros days = c.local(t) / kDay - (c.local(t) % kDay < 0);
  return static_cast<std::int32_t>(days - ((days + 5) % 7 + 7) % 7); // its Monday
}

class Assigner {
public:
  Assigner(Micros as_of, int most) : as_of_(as_of), most_(most), staff_(current_staff()), plan_(current_definitions()) {}

  std::int64_t run() {
    set_thresholds();
    if (!thresholds_.empty()) cut(0);
    for (std::vector<Pending> rows = first(); !rows.empty() && assigned_ < most_ && looked_ < 50 * std::int64_t{most_}; rows = next()) {
      for (const Pending &p : rows) {
        if (assigned_ < most_) assign(p);
      }
      write(); // the next ones may be of accounts that have got a rep by these
    }
    for (std::size_t i = 0; i < loads_.size(); i++) write_load(i);
    spi_.finish();
    return assigned_;
  }

private:
  // Nobody's load is locked as long as nothing is to be given. What of a row is looked at depends on who there is.
  std::vector<Pending> first() {
    std::vector<Pending> rows = next();
    if (rows.empty() || !loads_.empty()) return rows;
    const std::shared_ptr<const Staff> before = staff_;
    lock_loads();
    if (staff_ == before) return rows;
    if (staff_->reps.empty()) return {};
    last_by_ = kAlways;
    last_id_ = 0;
    return next();
  }

  // The most urgent rows after those that were looked at, which nobody holds. Of those below a threshold only whom the account's own rep
  // may take: there may be very many others, and they were cut.
  std::vector<Pending> next() {
    const std::uint64_t n = spi_.run(
        "SELECT r.home, r.routing_id, r.motion, coalesce(r.account_id, ''), p.program_id, r.version, coalesce(r.motion_rank, -1), r.signal_at,"
        " r.state_since, r.contact_after, r.contact_by,"
        " " ACCOUNT_REP ","
        " (SELECT coalesce(array_agg(d.rep), '{}') FROM pql.declined AS d WHERE d.home = r.home AND d.episode = r.episode),"
        " CASE WHEN $4 THEN coalesce((SELECT a.body FROM pql.attribute AS a WHERE a.home = 'u:' || r.user_id), '{}')"
        "  || coalesce((SELECT a.body FROM pql.attribute AS a WHERE a.home = 'a:' || r.account_id), '{}') END,"
        " (SELECT d.candidates::text FROM pql.route_decision AS d WHERE d.home = r.home AND d.routing_id = r.routing_id"
        "   AND d.at >= r.state_since ORDER BY d.decision_id DESC LIMIT 1), r.score,"
        " coalesce(r.context #>> '{timing,signal}', (SELECT h.context #>> '{timing,signal}' FROM pql.scoring_packet AS h"
        " WHERE h.home = r.home AND h.routing_id = r.routing_id)), coalesce((pql._delay_of(r) ->> 'after')::timestamptz, r.contact_after), r.sla_breached_by, r.escalated_to"
        " FROM pql.routing AS r LEFT JOIN pql.program AS p ON p.program = r.program AND p.version = r.version"
        " WHERE " WAITS " AND (coalesce(r.contact_by, 'infinity'), r.routing_id) > ($1, $2)"
        "  AND (NOT EXISTS (SELECT FROM pql.capacity_threshold AS t WHERE " IS_LOW ") OR " ACCOUNT_REP " IS NOT NULL)"
        " ORDER BY coalesce(r.contact_by, 'infinity'), r.routing_id LIMIT $3 FOR UPDATE OF r SKIP LOCKED",
        {Arg::time(last_by_), Arg::of(last_id_), Arg::of(std::min(most_, 1000)), Arg::of(staff_->uses_attributes)});
    std::vector<Pending> rows;
    for (std::uint64_t i = 0; i < n; i++) {
      Pending p{spi_.text(i, 1), spi_.text(i, 3), spi_.text(i, 4), spi_.text(i, 12), spi_.text(i, 14), spi_.text(i, 15), spi_.text(i, 17), spi_.text(i, 19), spi_.text(i, 20), spi_.texts(i, 13)};
      p.id = spi_.number(i, 2);
      p.program = static_cast<int>(spi_.number(i, 5));
      p.version = static_cast<int>(spi_.number(i, 6));
      p.motion_rank = static_cast<int>(spi_.number(i, 7));
      p.signal_at = spi_.number(i, 8);
      p.state_since = spi_.number(i, 9);
      p.contact_after = spi_.number(i, 10);
      if (!spi_.is_null(i, 11)) p.contact_by = spi_.number(i, 11);
      p.score = static_cast<int>(spi_.number(i, 16));
      p.undelayed = spi_.number(i, 18);
      rows.push_back(std::move(p));
    }
    if (!rows.empty()) {
      last_by_ = rows.back().contact_by;
      last_id_ = rows.back().id;
    }
    looked_ += static_cast<std::int64_t>(n);
    return rows;
  }

  // Whoever changed reps while we waited for the locks is heard.
  void lock_loads() {
    spi_.run("SELECT pql._begin_loads()");
    const std::uint64_t n = spi_.run("SELECT l.rep_id, l.open, l.taken_this_week, l.week_start - date '2000-01-01', l.deficit, l.seed"
                                     " FROM pql.rep_load AS l ORDER BY l.rep_id FOR NO KEY UPDATE");
    call([] { AcceptInvalidationMessages(); });
    staff_ = current_staff();
    loads_.resize(staff_->reps.size());
    std::unordered_map<std::string_view, std::size_t> at;
    for (std::size_t i = 0; i < staff_->reps.size(); i++) at[staff_->reps[i].id] = i;
    for (std::uint64_t i = 0; i < n; i++) {
      const auto found = at.find(spi_.text(i, 1));
      if (found == at.end()) continue;
      const std::int32_t week = week_of(staff_->reps[found->second].calendar, as_of_);
      Load &l = loads_[found->second];
      l = {static_cast<int>(spi_.number(i, 2)), static_cast<int>(spi_.number(i, 3)), static_cast<std::int32_t>(spi_.number(i, 4)), real_at(spi_, i, 5), spi_.number(i, 6), true};
      if (l.week < week) l = {l.open, 0, week, l.deficit, l.seed, true};
    }
  }

  // Of programs whose threshold follows capacity. Whose doesn't any more has none.
  void set_thresholds() {
    std::vector<std::string> follow;
    for (const Program &p : plan_->programs()) {
      if (!p.live || !p.def.qualify.capacity) continue;
      if (loads_.empty()) lock_loads();
      set_threshold(p);
      follow.push_back(p.def.name);
    }
    spi_.run("DELETE FROM pql.capacity_threshold WHERE program <> ALL ($1)", {Arg::of(follow)});
  }

  // There are places for those who got a rep lately and for as many more as reps can take now. As whoever gets one of these is counted
  // among the former then, the threshold stays what it was; and among the best of so many, as many wait as there are places free.
  void set_threshold(const Program &p) {
    const std::uint64_t n = spi_.run(
        "SELECT a.score, count(*), count(a.owner) FROM ("
        "  SELECT r.score, r.owner FROM pql.routing AS r"
        "   WHERE r.program = $1 AND r.qualified_at > $2 AND r.owner IS NOT NULL AND r.state NOT IN ('expired', 'suppressed')"
        "  UNION ALL SELECT r.score, r.owner FROM pql.routing AS r WHERE r.program = $1 AND " WAITS ") AS a"
        " GROUP BY a.score ORDER BY a.score DESC",
        {Arg::of(p.def.name), Arg::time(as_of_ - kRecent)});
    std::vector<Arrivals> arrivals;
    std::int64_t all = 0, taken = 0;
    for (std::uint64_t i = 0; i < n; i++) {
      arrivals.push_back({static_cast<int>(spi_.number(i, 1)), spi_.number(i, 2)});
      all += arrivals.back().count;
      taken += spi_.number(i, 3);
    }
    const std::optional<std::int64_t> free = free_for(p.def);
    const int enter = p.def.qualify.enter, threshold = free ? capacity_threshold(arrivals, taken + *free, enter) : enter;
    if (free && taken + *free < all) thresholds_[p.id] = threshold;
    spi_.run("INSERT INTO pql.capacity_threshold AS t (program, threshold, arrivals, taken, free, since) VALUES ($1, $2, $3, $4, $5, $6)"
             " ON CONFLICT (program) DO UPDATE SET (threshold, arrivals, taken, free, since)"
             "  = (excluded.threshold, excluded.arrivals, excluded.taken, excluded.free, excluded.since)"
             " WHERE (t.threshold, t.arrivals, t.taken, t.free)"
             "  IS DISTINCT FROM (excluded.threshold, excluded.arrivals, excluded.taken, excluded.free)",
             {Arg::of(p.def.name), Arg::of(threshold), Arg::of(all), Arg::of(taken), free ? Arg::of(*free) : Arg::nothing(INT8OID),
              Arg::time(as_of_)});
  }

  // How many rows the reps can take who could have rows of the program, whatever their subjects; nothing: no matter how many.
  std::optional<std::int64_t> free_for(const ProgramDef &p) const {
    std::int64_t free = 0;
    for (std::size_t i = 0; i < loads_.size(); i++) {
      const Rep &r = staff_->reps[i];
      const Load &l = loads_[i];
      if (!r.active || !l.there || !(r.weight_at(as_of_) > 0) || r.away_until(as_of_) != kAlways || !may_take(r, p)) continue;
      if (r.capacity < 0 && r.weekly_capacity < 0) return {};
      const int now = r.capacity < 0 ? r.weekly_capacity : r.capacity - l.open;
      free += std::max(0, r.weekly_capacity < 0 ? now : std::min(now, r.weekly_capacity - l.this_week));
    }
    return free;
  }

  static bool may_take(const Rep &r, const ProgramDef &p) {
    const auto has = [&](const std::string &s) { return std::find(r.skills.begin(), r.skills.end(), s) != r.skills.end(); };
    return std::any_of(p.motions.begin(), p.motions.end(), [&](const MotionDef &m) {
      return needs_rep(m.motion) && (m.when_nobody == WhenNobody::overflow || std::all_of(m.skills.begin(), m.skills.end(), has));
    });
  }

  void write_load(std::size_t i) {
    const Load &l = loads_[i];
    if (!l.changed) return;
    spi_.run("UPDATE pql.rep_load SET open = $2, taken_this_week = $3, week_start = date '2000-01-01' + $4, deficit = $5 WHERE rep_id = $1",
             {Arg::of(staff_->reps[i].id), Arg::of(l.open), Arg::of(l.this_week), Arg::of(static_cast<int>(l.week)), real_arg(l.deficit)});
  }

  // What the row's version of the program says; of one that is no more, only which motion it was.
  MotionDef motion_of(const Pending &p, bool &known) const {
    const Program *const program = plan_->version(p.program, p.version);
    known = false;
    if (program) {
      const std::vector<MotionDef> &all = program->def.motions;
      if (p.motion_rank >= 0 && p.motion_rank < static_cast<int>(all.size()) && all[static_cast<std::size_t>(p.motion_rank)].motion == p.motion) {
        known = true;
        return timed(all[static_cast<std::size_t>(p.motion_rank)], program->def, p.signal);
      }
      for (const MotionDef &m : all) {
        known = m.motion == p.motion;
        if (known) return m;
      }
    }
    MotionDef m;
    m.motion = p.motion;
    return m;
  }

  static MotionDef timed(const MotionDef &m, const ProgramDef &p, const std::string &signal) {
    const auto s = std::find_if(p.signals.begin(), p.signals.end(), [&](const SignalDef &d) { return d.name == signal; });
    return signal.empty() || s == p.signals.end() ? m : timed_by(m, s->contact);
  }

  const Territory *territory_of(const nlohmann::json &attributes) const {
    for (const Territory &t : staff_->territories) {
      if (std::find(t.values.begin(), t.values.end(), attribute(attributes, t.attribute)) != t.values.end()) return &t;
    }
    return nullptr;
  }

  static std::string attribute(const nlohmann::json &attributes, const std::string &name) {
    const auto at = attributes.find(name);
    if (at == attributes.end() || at->is_null()) return {};
    return at->is_string() ? at->get<std::string>() : at->dump();
  }

  // Of a row that is escalated to "rep max", "team leads" or "skill closing".
  static bool is_meant(const std::string &whom, const Rep &r) {
    if (whom.empty()) return false;
    return whom == "rep " + r.id || whom == "team " + r.team ||
           std::any_of(r.skills.begin(), r.skills.end(), [&](const std::string &s) { return whom == "skill " + s; });
  }

  std::vector<Candidate> candidates(const Pending &p, const MotionDef &m) const {
    const nlohmann::json attributes = p.attributes.empty() ? nlohmann::json::object() : nlohmann::json::parse(p.attributes, nullptr, false);
    const Territory *const territory = attributes.is_object() ? territory_of(attributes) : nullptr;
    const std::string segment = attributes.is_object() ? attribute(attributes, "segment") : std::string();
    const auto has = [](const std::vector<std::string> &all, const std::string &x) { return std::find(all.begin(), all.end(), x) != all.end(); };
    const Micros from = std::max(p.contact_after, as_of_);
    std::vector<Candidate> all;
    for (std::size_t i = 0; i < loads_.size(); i++) {
      const Rep &r = staff_->reps[i];
      const Load &l = loads_[i];
      Candidate &c = all.emplace_back();
      c.rep = r.id;
      c.active = r.active && l.there;
      c.declined = has(p.declined, r.id);
      c.breached = p.breached_by == r.id;
      c.escalated = is_meant(p.escalated_to, r);
      c.in_segment = r.segments.empty() || has(r.segments, segment);
      c.in_territory = !territory || (territory->rep.empty() ? territory->team == r.team : territory->rep == r.id);
      const auto lacks = std::find_if(m.skills.begin(), m.skills.end(), [&](const std::string &s) { return !has(r.skills, s); });
      if (lacks != m.skills.end()) c.missing_skill = *lacks;
      c.away_until = r.away_until(from);
      c.at_work_from = r.calendar.next_open(from);
      c.late = p.contact_by != kNever && m.by_in == Counted::always && p.contact_by > as_of_ && c.at_work_from > p.contact_by;
      c.open = l.open;
      c.capacity = r.capacity;
      c.this_week = l.this_week;
      c.weekly_capacity = r.weekly_capacity;
      c.weight = r.weight_at(as_of_);
      c.deficit = l.deficit;
      c.seed = l.seed;
    }
    return all;
  }

  static std::string quoted(const std::string &s) { return nlohmann::json(s).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

  // Who was told the same stands together: of many candidates nearly all were, and what is written of each would cost the most.
  std::string told(const std::vector<Candidate> &all, const RouteDecision &d, std::string_view owner) {
    for (std::size_t i = names_.size(); i < staff_->reps.size(); i++) names_.push_back(quoted(staff_->reps[i].id));
    std::vector<std::string> groups;
    std::unordered_map<std::string, std::size_t> group_of;
    for (std::size_t i = 0; i < all.size(); i++) {
      std::string reason = reason_of(d.verdicts[i], all[i], all[i].rep == owner);
      const auto [at, is_new] = group_of.try_emplace(std::string(name_of(d.verdicts[i])) + ' ' + reason, groups.size());
      if (is_new) groups.push_back("{\"verdict\": " + quoted(std::string(name_of(d.verdicts[i]))) + ", \"reason\": " + quoted(reason) + ", \"reps\": [");
      else groups[at->second] += ", ";
      groups[at->second] += names_[i];
    }
    std::string out = "[";
    for (const std::string &g : groups) out += (out.size() > 1 ? ", " : "") + g + "]}";
    return out + "]";
  }

  void assign(const Pending &p) {
    const auto t = thresholds_.find(p.program);
    const bool low = t != thresholds_.end() && p.score < t->second;
    bool known;
    const MotionDef m = motion_of(p, known);
    const std::vector<Candidate> all = candidates(p, m);
    const RouteDecision d = choose(all, p.owner, m.when_nobody);
    const bool own = d.chosen >= 0 && d.verdicts[static_cast<std::size_t>(d.chosen)] == Verdict::owner;
    if (low && !own) return cut(p.id);
    const std::string why = told(all, d, p.owner);
    if (d.chosen < 0) return nobody(p, m, why);
    for (std::size_t i = 0; i < all.size(); i++) {
      if (d.gains[i] == 0) continue;
      loads_[i].deficit += d.gains[i];
      loads_[i].changed = true;
    }
    Load &taker = loads_[static_cast<std::size_t>(d.chosen)];
    taker.open++;
    taker.this_week++;
    taker.changed = true;
    const Rep &rep = staff_->reps[static_cast<std::size_t>(d.chosen)];
    const ContactWindow w = window(p, m, known, rep.calendar);
    taken_.add({p.home, std::to_string(p.id), rep.id, std::to_string(w.after), w.by == kNever ? "" : std::to_string(w.by)});
    note(p, p.motion, "assigned", rep.id, why, taker.week);
    assigned_++;
  }

  // In the rep's calendar. What is over before it began begins anew.
  ContactWindow window(const Pending &p, const MotionDef &m, bool known, const Calendar &c) const {
    if (!known) return {p.contact_after, p.contact_by};
    MotionDef rest = m;
    Micros from = p.signal_at;
    if (m.after_in == Counted::always) {
      rest.after = 0;
      from = p.undelayed; // the same in every zone
    }
    ContactWindow w = contact_window(rest, c, from, at_work(c, std::max(from, p.state_since)));
    if (w.by != kNever && w.by <= as_of_) {
      rest.after = 0;
      rest.after_in = Counted::always;
      w = contact_window(rest, c, as_of_, at_work(c, as_of_));
    }
    return w;
  }

  static Micros at_work(const Calendar &c, Micros t) {
    const Micros open = c.next_open(t);
    return open == kNever ? t : open;
  }

  void nobody(const Pending &p, const MotionDef &m, std::string why) {
    const std::string channel = m.when_nobody == WhenNobody::downgrade ? barred_channel(p, m.downgrade_to) : std::string();
    if (!channel.empty())
      why.insert(why.size() - 1, std::string(why == "[]" ? "" : ", ") + "{\"rep\": null, \"verdict\": \"no_consent\", \"reason\": " +
                                     quoted("not downgraded: no consent to " + channel) + "}");
    if (m.when_nobody != WhenNobody::downgrade || !channel.empty()) {
      if (nlohmann::json::parse(why) != nlohmann::json::parse(p.last.empty() ? "null" : p.last)) note(p, p.motion, "waits", {}, why);
      return;
    }
    downgrade(p, m.downgrade_to);
    note(p, m.downgrade_to, "downgraded", {}, why);
    assigned_++;
  }

  // By which channel a motion would be, if nobody has consented to that as the program wants it; empty.
  std::string barred_channel(const Pending &p, const std::string &motion) {
    const Program *const program = plan_->version(p.program, p.version);
    const int place = program ? motion_named(program->def, motion) : -1;
    if (place < 0 || program->def.motions[static_cast<std::size_t>(place)].channel.empty()) return {};
    const std::string &channel = program->def.motions[static_cast<std::size_t>(place)].channel;
    spi_.run("SELECT coalesce(bool_or(NOT w.granted), $4) FROM (SELECT DISTINCT ON (c.unit) c.granted FROM pql.routing AS r JOIN pql.consent AS c"
             "  ON c.unit = r.unit AND c.subject_id = r.subject_id OR c.unit = 'account' AND c.subject_id = r.account_id"
             "  WHERE r.home = $1 AND r.routing_id = $2 AND c.channel IN ($3, '') ORDER BY c.unit, c.at DESC, c.granted) AS w",
             {Arg::of(p.home), Arg::of(p.id), Arg::of(channel), Arg::of(program->def.consent == Consent::opt_in)});
    return spi_.number(0, 1) ? channel : std::string();
  }

  // What is to be done, and when, is the new motion's. Its place among the motions stays that of the one that nobody could do.
  void downgrade(const Pending &p, const std::string &motion) {
    MotionDef m;
    m.motion = motion;
    if (const Program *const program = plan_->version(p.program, p.version)) {
      const int same = motion_named(program->def, motion);
      if (same >= 0) m = program->def.motions[static_cast<std::size_t>(same)];
    }
    const ContactWindow w = contact_window(m, staff_->calendar, p.signal_at, std::max(as_of_, p.state_since));
    spi_.run("WITH turned AS (UPDATE pql.routing AS r SET motion = $3, next_best_action = $4, contact_after = $5, contact_by = $6,"
             "  context = r.context - '{play,offer}'::text[] || $8::jsonb WHERE r.home = $1 AND r.routing_id = $2 RETURNING r.state),"
             " whole AS (UPDATE pql.scoring_packet AS x SET context = x.context - '{play,offer}'::text[] || $8::jsonb WHERE x.home = $1 AND x.routing_id = $2)"
             " INSERT INTO pql.routing_transition (home, routing_id, at, from_state, to_state, actor, reason)"
             " SELECT $1, $2, $7, state, state, 'pql', 'downgraded to ' || $3 FROM turned",
             {Arg::of(p.home), Arg::of(p.id), Arg::of(m.motion), m.next_best_action.empty() ? Arg::nothing(TEXTOID) : Arg::of(m.next_best_action),
              Arg::time(w.after), w.by == kNever ? Arg::nothing(TIMESTAMPTZOID) : Arg::time(w.by), Arg::time(std::max(as_of_, p.state_since)), Arg::of(play_json(m))});
  }

  // Who is below a threshold: all whose account is nobody's, or a row by its id. Noted once, though the threshold may move while it waits.
  void cut(std::int64_t id) {
    spi_.run(
        "INSERT INTO pql.route_decision (home, decision_id, routing_id, at, motion, outcome, candidates)"
        " SELECT r.home, pql.next_id(), r.routing_id, $1, r.motion, 'cut', jsonb_build_array(jsonb_build_object('rep', NULL,"
        "  'verdict', 'below_threshold', 'score', r.score, 'threshold', t.threshold,"
        "  'reason', format('below the capacity threshold of %s, with a score of %s', t.threshold, r.score)))"
        " FROM pql.capacity_threshold AS t JOIN pql.routing AS r ON " IS_LOW
        " WHERE " WAITS " AND CASE WHEN $2 = 0 THEN " ACCOUNT_REP " IS NULL ELSE r.routing_id = $2 END"
        "  AND (SELECT d.outcome FROM pql.route_decision AS d WHERE d.home = r.home AND d.routing_id = r.routing_id"
        "   AND d.at >= r.state_since ORDER BY d.decision_id DESC LIMIT 1) IS DISTINCT FROM 'cut'",
        {Arg::time(as_of_), Arg::of(id)});
  }

  void note(const Pending &p, const std::string &motion, const char *outcome, const std::string &rep, const std::string &why, int week = 0) {
    noted_.add({p.home, std::to_string(p.id), motion, outcome, rep, why, std::to_string(week)});
  }

  // What was decided of a batch, at once: a statement for each row costs as much as all that it does. Empty is null.
  void write() {
    const auto &t = taken_.columns;
    if (!t[0].empty())
      spi_.run("UPDATE pql.routing AS r SET owner = t.owner, contact_after = timestamptz '2000-01-01 UTC' + t.after::bigint * interval '1 microsecond',"
               "  contact_by = timestamptz '2000-01-01 UTC' + nullif(t.by, '')::bigint * interval '1 microsecond'"
               " FROM unnest($1, $2, $3, $4, $5) AS t (home, id, owner, after, by) WHERE r.home = t.home AND r.routing_id = t.id::bigint",
               {Arg::of(t[0]), Arg::of(t[1]), Arg::of(t[2]), Arg::of(t[3]), Arg::of(t[4])});
    taken_ = {};
    const auto &n = noted_.columns;
    if (!n[0].empty())
      spi_.run("INSERT INTO pql.route_decision (home, decision_id, routing_id, at, motion, outcome, chosen, candidates, counts_in)"
               " SELECT t.home, pql.next_id(), t.id::bigint, $1, t.motion, t.outcome, nullif(t.chosen, ''), t.candidates::jsonb,"
               "  CASE WHEN t.chosen <> '' THEN date '2000-01-01' + t.week::int END"
               " FROM unnest($2, $3, $4, $5, $6, $7, $8) AS t (home, id, motion, outcome, chosen, candidates, week)",
               {Arg::time(as_of_), Arg::of(n[0]), Arg::of(n[1]), Arg::of(n[2]), Arg::of(n[3]), Arg::of(n[4]), Arg::of(n[5]), Arg::of(n[6])});
    noted_ = {};
  }

  // Rows to be written, by columns.
  template <std::size_t N>
  struct Rows {
    std::array<std::vector<std::string>, N> columns;
    void add(std::array<std::string, N> row) {
      for (std::size_t i = 0; i < N; i++) columns[i].push_back(std::move(row[i]));
    }
  };

  const Micros as_of_;
  const int most_;
  std::shared_ptr<const Staff> staff_; ///< as of when the loads were locked
  const std::shared_ptr<const Definitions> plan_;
  Spi spi_;
  std::vector<Load> loads_; ///< as staff_->reps
  std::vector<std::string> names_; ///< likewise, as JSON has them
  std::unordered_map<int, int> thresholds_; ///< by program, where there aren't places for all
  Rows<5> taken_; ///< home, id, owner, contact_after, contact_by
  Rows<7> noted_; ///< home, id, motion, outcome, chosen, candidates, week
  std::int64_t assigned_ = 0, looked_ = 0, last_id_ = 0;
  Micros last_by_ = kAlways;
};

#undef ACCOUNT_REP
#undef WAITS
#undef IS_LOW
} // namespace

std::int64_t assign_pending(Micros as_of, int most) {
  if (IsolationUsesXactSnapshot()) return 0;
  if (most <= 0) return 0;
  if (current_staff()->reps.empty()) {
    Spi spi;
    spi.run("DELETE FROM pql.capacity_threshold");
    spi.finish();
    return 0;
  }
  return Assigner(as_of, most).run();
}

} // namespace pql::pg
