#include "pg/calendar.hpp"

#include "core/calendar/hours.hpp"
#include "pg/real.hpp"
#include "pg/store.hpp"

extern "C" {
#include "pgtime.h"
}

namespace pql::pg {
namespace {

constexpr char kUsualHours[] = R"({"mon": ["09:00-17:00"], "tue": ["09:00-17:00"], "wed": ["09:00-17:00"], "thu": ["09:00-17:00"], "fri": ["09:00-17:00"]})";

std::shared_ptr<const Staff> in_force;
bool valid = false;
Oid watched[4];

extern "C" void staff_changed(Datum, Oid relation) {
  if (!OidIsValid(relation)) valid = false;
  for (const Oid w : watched) valid &= w != relation;
}

void watch() {
  static bool watching = false;
  call([] {
    int n = 0;
    for (const char *name : {"reps", "team", "holidays", "territories"}) watched[n++] = pql_relation(name);
    if (!watching) CacheRegisterRelcacheCallback(staff_changed, Datum{0});
  });
  watching = true;
}

// What was right when it was written may not be known any more, after an upgrade or a restore: it must fail nobody's insert.
void pass_over(const char *what, const std::string &value) {
  call([&] {
    ereport(WARNING, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s \"%s\" of pql.reps or pql.team not recognized", what, value.c_str()),
                      errdetail("What holds without it is used instead.")));
  });
}

struct Hours {
  std::string name, zone, hours;
};
struct Holiday {
  std::string calendar;
  std::int32_t day;
};

// What calendars are made of, besides what a rep says himself.
struct Common {
  std::vector<Hours> teams;
  std::vector<Holiday> holidays;

  const Hours &team(const std::string &name) const {
    static const auto &usual = *new Hours{"default", "UTC", kUsualHours};
    for (const Hours &t : teams) {
      if (t.name == name) return t;
    }
    return name == "default" ? usual : team("default");
  }

  CalendarDef calendar(const Hours &own) const {
    const Hours &of_team = team(own.name), &rest = team("default");
    CalendarDef def;
    std::string zone, hours;
    for (const std::string &z : {own.zone, of_team.zone, rest.zone, std::string("UTC")}) {
      if (z.empty() || z == zone) continue;
      def.zone = known_zone_changes(zone = z);
      if (!def.zone.empty()) break;
      pass_over("time zone", z);
    }
    for (const std::string &h : {own.hours, of_team.hours, rest.hours, std::string(kUsualHours)}) {
      if (h.empty() || h == hours) continue;
      HoursProblem problem;
      def.week = parse_hours(hours = h, problem);
      if (problem.problem.empty()) break;
      pass_over("working hours", h);
    }
    for (const Holiday &h : holidays) {
      if (h.calendar.empty() || h.calendar == own.name || h.calendar == zone) def.holidays.push_back(h.day);
    }
    std::sort(def.holidays.begin(), def.holidays.end());
    def.holidays.erase(std::unique(def.holidays.begin(), def.holidays.end()), def.holidays.end());
    return def;
  }
};

Common load_common(Spi &spi) {
  Common c;
  std::uint64_t n = spi.run("SELECT t.team, t.zone, t.working_hours FROM pql.team AS t", {}, true);
  for (std::uint64_t i = 0; i < n; i++) c.teams.push_back({spi.text(i, 1), spi.text(i, 2), spi.text(i, 3)});
  n = spi.run("SELECT h.calendar, h.day - date '2000-01-01' FROM pql.holidays AS h", {}, true);
  for (std::uint64_t i = 0; i < n; i++) c.holidays.push_back({spi.text(i, 1), static_cast<std::int32_t>(spi.number(i, 2))});
  return c;
}

Span span_at(const Spi &spi, std::uint64_t row, int column) {
  return {spi.is_null(row, column) ? kAlways : spi.number(row, column), spi.is_null(row, column + 1) ? kNever : spi.number(row, column + 1)};
}

void load_reps(Spi &spi, Staff &staff, const Common &common) {
  std::map<std::string, std::vector<Span>> away;
  std::uint64_t n = spi.run("SELECT r.rep_id, lower(a), upper(a) FROM pql.reps AS r, unnest(r.away) AS a", {}, true);
  for (std::uint64_t i = 0; i < n; i++) away[spi.text(i, 1)].push_back(span_at(spi, i, 2));
  n = spi.run("SELECT r.rep_id, r.team, r.zone, r.working_hours, r.skills, r.segments, r.active, coalesce(r.capacity, -1),"
              " coalesce(r.weekly_capacity, -1), r.weight, r.ramp_from, (extract(epoch FROM r.ramp_for) * 1000000)::bigint"
              " FROM pql.reps AS r ORDER BY r.rep_id COLLATE \"C\"",
              {}, true);
  for (std::uint64_t i = 0; i < n; i++) {
    Rep r;
    r.id = spi.text(i, 1);
    r.team = spi.text(i, 2);
    CalendarDef def = common.calendar({r.team, spi.text(i, 3), spi.text(i, 4)});
    def.away = r.away = away[r.id];
    r.calendar = Calendar(def);
    r.skills = spi.texts(i, 5);
    r.segments = spi.texts(i, 6);
    r.active = spi.number(i, 7) != 0;
    r.capacity = static_cast<int>(spi.number(i, 8));
    r.weekly_capacity = static_cast<int>(spi.number(i, 9));
    r.weight = real_at(spi, i, 10);
    if (!spi.is_null(i, 11)) r.ramp_from = spi.number(i, 11);
    r.ramp_for = spi.number(i, 12);
    staff.uses_attributes |= !r.segments.empty();
    staff.reps.push_back(std::move(r));
  }
}

std::shared_ptr<const Staff> load_staff() {
  watch();
  auto staff = std::make_shared<Staff>();
  Spi spi;
  const Common common = load_common(spi);
  staff->calendar = Calendar(common.calendar({"default", "", ""}));
  load_reps(spi, *staff, common);
  const std::uint64_t n = spi.run("SELECT t.attribute, t.rep_id, t.team, t.\"values\" FROM pql.territories AS t ORDER BY t.priority, t.territory_id", {}, true);
  for (std::uint64_t i = 0; i < n; i++) staff->territories.push_back({spi.text(i, 1), spi.text(i, 2), spi.text(i, 3), spi.texts(i, 4)});
  staff->uses_attributes |= !staff->territories.empty();
  spi.finish();
  return staff;
}

} // namespace

double Rep::weight_at(Micros t) const noexcept {
  if (ramp_for <= 0 || ramp_from == kAlways || t >= ramp_from + ramp_for) return weight;
  return weight * std::max(0.05, static_cast<double>(t - ramp_from) / static_cast<double>(ramp_for));
}

Micros Rep::away_until(Micros t) const noexcept {
  for (const Span &s : away) {
    if (s.from <= t && t < s.until) return s.until;
  }
  return kAlways;
}

std::vector<ZoneChange> known_zone_changes(const std::string &zone) {
  struct Found {
    ZoneChange *all;
    int n;
  };
  constexpr pg_time_t kEpoch = static_cast<pg_time_t>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
  const Found found = call([&]() -> Found {
    pg_tz *const tz = zone.size() <= TZ_STRLEN_MAX ? pg_tzset(zone.c_str()) : nullptr;
    if (!tz || !pg_tz_acceptable(tz)) return {nullptr, 0};
    constexpr int kMost = 400;
    auto *all = static_cast<ZoneChange *>(palloc(sizeof(ZoneChange) * kMost));
    pg_time_t at = GetCurrentTimestamp() / USECS_PER_SEC + kEpoch - static_cast<pg_time_t>(30) * 365 * SECS_PER_DAY;
    const pg_time_t end = at + static_cast<pg_time_t>(45) * 365 * SECS_PER_DAY;
    long before, after;
    int before_dst, after_dst, n = 0;
    pg_time_t boundary;
    for (; n < kMost; at = boundary) {
      const int more = pg_next_dst_boundary(&at, &before, &before_dst, &boundary, &after, &after_dst, tz);
      if (n == 0) all[n++] = {0, before * kSecond};
      if (more <= 0 || boundary > end) break;
      if (after != all[n - 1].offset / kSecond) all[n++] = {(boundary - kEpoch) * kSecond, after * kSecond};
    }
    return {all, n};
  });
  return {found.all, found.all + found.n};
}

std::vector<ZoneChange> zone_changes(const std::string &zone) {
  std::vector<ZoneChange> changes = known_zone_changes(zone);
  if (changes.empty())
    fail(ERRCODE_INVALID_PARAMETER_VALUE, "time zone \"" + zone + "\" not recognized", {},
         "Name one of pg_timezone_names, such as Europe/Berlin or America/New_York.");
  return changes;
}

std::vector<WorkBlock> working_hours(const std::string &json) {
  HoursProblem problem;
  std::vector<WorkBlock> week = parse_hours(json, problem);
  if (!problem.problem.empty()) fail(ERRCODE_INVALID_PARAMETER_VALUE, problem.problem, {}, problem.hint);
  return week;
}

std::shared_ptr<const Staff> current_staff() {
  for (int attempt = 0; attempt < 3 && !(valid && in_force); attempt++) {
    valid = true; // before reading: what changes while we read makes it invalid again
    try {
      in_force = load_staff();
    } catch (...) {
      valid = false;
      throw;
    }
  }
  return in_force;
}

} // namespace pql::pg
