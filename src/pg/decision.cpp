#include "pg/decision.hpp"

#include "pg/spi.hpp"

namespace pql::pg {
namespace {

Arg text_or_null(const std::string &s) { return s.empty() ? Arg::nothing(TEXTOID) : Arg::of(s); }
Arg time_or_null(Micros t) { return finite(t) ? Arg::time(t) : Arg::nothing(TIMESTAMPTZOID); }

// Of what reps don't see all of; else null.
Arg headline_of(const Decision &d) { return d.whole ? Arg::of(d.whole->headline) : Arg::nothing(TEXTOID); }
Arg reasons_of(const Decision &d) { return d.whole ? Arg::of(d.whole->reasons) : Arg::nothing(TEXTOID); }
Arg context_of(const Decision &d) { return d.whole ? Arg::of(d.whole->context) : Arg::nothing(TEXTOID); }

// Takes back an episode of this transaction, with what reps have got of it; an older one ends.
void write_retraction(Spi &spi, const Decision &d) {
  spi.run("SELECT pql._give_back(r, true) FROM pql.episode AS e JOIN pql.routing AS r ON r.home = e.home AND r.episode = e.episode_id"
          " WHERE e.home = $1 AND e.program_id = $2 AND e.subject_id = $3 AND e.left_at IS NULL AND pql._is_own(e.xmin)",
          {Arg::of(d.home), Arg::of(d.program_id), Arg::of(d.subject_id)});
  spi.run("WITH gone AS (DELETE FROM pql.episode AS e WHERE e.home = $1 AND e.program_id = $2 AND e.subject_id = $3"
          "  AND e.left_at IS NULL AND pql._is_own(e.xmin) RETURNING e.home, e.episode_id),"
          " away AS (DELETE FROM pql.routing AS r USING gone WHERE r.home = gone.home AND r.episode = gone.episode_id"
          "  RETURNING r.home, r.routing_id),"
          " why AS (DELETE FROM pql.route_decision AS x USING away WHERE x.home = away.home AND x.routing_id = away.routing_id),"
          " whole AS (DELETE FROM pql.scoring_packet AS x USING away WHERE x.home = away.home AND x.routing_id = away.routing_id)"
          " DELETE FROM pql.routing_transition AS t USING away WHERE t.home = away.home AND t.routing_id = away.routing_id",
          {Arg::of(d.home), Arg::of(d.program_id), Arg::of(d.subject_id)});
}

// Nobody needs what nobody has taken up. A row that somebody is changing at this moment isn't waited for: tick finds it.
void write_end(Spi &spi, const Decision &d) {
  spi.run("WITH gone AS (UPDATE pql.episode SET left_at = greatest($4, entered_at), cools_until = $5"
          "  WHERE home = $1 AND program_id = $2 AND subject_id = $3 AND left_at IS NULL RETURNING home, episode_id, left_at),"
          " was AS (SELECT r.home, r.routing_id, r.state, greatest(gone.left_at, r.state_since) AS at FROM gone"
          "  JOIN pql.routing AS r ON r.home = gone.home AND r.episode = gone.episode_id"
          "  WHERE r.state IN ('pending', 'ready', 'blocked') AND r.first_touch_at IS NULL AND NOT $6 FOR NO KEY UPDATE OF r SKIP LOCKED),"
          " ended AS (UPDATE pql.routing AS r SET state = 'expired', state_since = was.at FROM was"
          "  WHERE r.home = was.home AND r.routing_id = was.routing_id RETURNING was.*)"
          " INSERT INTO pql.routing_transition (home, routing_id, at, from_state, to_state, actor, reason)"
          " SELECT home, routing_id, at, state, 'expired', 'pql', 'the episode ended' FROM ended",
          {Arg::of(d.home), Arg::of(d.program_id), Arg::of(d.subject_id), Arg::time(d.at), time_or_null(d.cools_until), Arg::of(d.continues)});
}

void write_stay(Spi &spi, const Decision &d) {
  spi.run("UPDATE pql.episode SET leaves_at = $4"
          " WHERE home = $1 AND program_id = $2 AND subject_id = $3 AND left_at IS NULL",
          {Arg::of(d.home), Arg::of(d.program_id), Arg::of(d.subject_id), Arg::time(d.leaves_at)});
}

// Has tick look at the subject. Who has locked the episode is about to end it, or looks at this person after us.
void write_fading(Spi &spi, const Decision &d) {
  spi.run("UPDATE pql.episode SET leaves_at = least(leaves_at, $3) WHERE (home, episode_id) IN ("
          " SELECT e.home, e.episode_id FROM pql.episode AS e WHERE e.program_id = $1 AND e.subject_id = $2 AND e.left_at IS NULL"
          " FOR NO KEY UPDATE SKIP LOCKED)",
          {Arg::of(d.program_id), Arg::of(d.subject_id), Arg::time(d.at)});
}

void write_entry(Spi &spi, const Decision &d) {
  // Whoever waited for the home's lock decides as of an instant before that: never one in an episode that ended meanwhile.
  spi.run("WITH earlier AS ("
          " SELECT max(e.left_at) AS left_at, count(*) FILTER (WHERE e.shadow = $7)::int AS episodes"
          " FROM pql.episode AS e WHERE e.program_id = $3 AND e.subject_id = $6),"
          " opened AS ("
          " INSERT INTO pql.episode (home, episode_id, program, program_id, version, unit, subject_id, shadow, number, entered_at,"
          "  score, leaves_at)"
          " SELECT $1, pql.next_id(), $2, $3, $4, $5, $6, $7, earlier.episodes + 1, greatest($8, earlier.left_at), $9, $10 FROM earlier"
          " ON CONFLICT (home, program_id, subject_id) WHERE left_at IS NULL DO NOTHING RETURNING episode_id, entered_at, number),"
          " written AS (INSERT INTO pql.routing (routing_id, home, program, version, unit, subject_id, account_id, user_id, episode,"
          "  signal_at, qualified_at, decided_at, qualification, score, reasons, headline, motion, motion_rank, next_best_action,"
          "  contact_after, contact_by, state, state_since, blocked_by, holdout, holdout_exempt, context)"
          " SELECT pql.next_id(), $1, $2, $4, $5, $6, $11, $12, episode_id, $13, entered_at, entered_at,"
          "  CASE number WHEN 1 THEN 'first' ELSE 'again' END, $9, $14::jsonb, $15, $16, $17, $18,"
          "  greatest($19, entered_at), $20 + (greatest($19, entered_at) - $19),"
          "  CASE WHEN $22 THEN 'suppressed' WHEN $23 IS NULL THEN 'pending' ELSE 'blocked' END, entered_at, $23, $22, $25, $21::jsonb"
          " FROM opened WHERE NOT $7 AND NOT $24 RETURNING home, routing_id)"
          " INSERT INTO pql.scoring_packet (home, routing_id, headline, reasons, context)"
          " SELECT home, routing_id, $26, $27::jsonb, $28::jsonb FROM written WHERE $26 IS NOT NULL",
          {Arg::of(d.home), Arg::of(d.program), Arg::of(d.program_id), Arg::of(d.version), Arg::of(name_of(d.unit)),
           Arg::of(d.subject_id), Arg::of(d.shadow), Arg::time(d.at), Arg::of(d.score), Arg::time(d.leaves_at),
           text_or_null(d.account_id), text_or_null(d.user_id), Arg::time(d.signal_at), Arg::of(d.reasons),
           Arg::of(d.headline), Arg::of(d.motion), Arg::of(d.rank), text_or_null(d.next_best_action), Arg::time(d.contact_after),
           time_or_null(d.contact_by), Arg::of(d.context), Arg::of(d.holdout), text_or_null(d.blocked_by), Arg::of(d.continues), text_or_null(d.exempt),
           headline_of(d), reasons_of(d), context_of(d)});
}

// What reps don't see of a row, as it is now.
void write_whole(Spi &spi, const Decision &d) {
  spi.run("DELETE FROM pql.scoring_packet WHERE home = $1 AND routing_id = $2", {Arg::of(d.home), Arg::of(d.routing_id)});
  if (!d.whole) return;
  spi.run("INSERT INTO pql.scoring_packet (home, routing_id, headline, reasons, context) VALUES ($1, $2, $3, $4::jsonb, $5::jsonb)",
          {Arg::of(d.home), Arg::of(d.routing_id), headline_of(d), reasons_of(d), context_of(d)});
}

// Of a row that is there, if nobody has taken it up. Returns how many that were.
std::uint64_t write_turn(Spi &spi, const Decision &d) {
  const std::uint64_t turned = spi.run(
      "WITH was AS (SELECT r.home, r.routing_id, r.state, greatest($3, r.state_since) AS at FROM pql.routing AS r"
      "  WHERE r.home = $1 AND r.routing_id = $2 AND r.state IN ('pending', 'ready', 'blocked') FOR NO KEY UPDATE SKIP LOCKED),"
      " turned AS (UPDATE pql.routing AS r SET state = CASE WHEN $4 IS NULL THEN 'pending' ELSE 'blocked' END, blocked_by = $4,"
      "  state_since = CASE WHEN was.state = 'blocked' AND $4 IS NOT NULL THEN r.state_since ELSE was.at END,"
      "  decided_at = CASE WHEN $6 IS NULL THEN r.decided_at ELSE was.at END,"
      "  signal_at = CASE WHEN $5 THEN $10 ELSE r.signal_at END, score = CASE WHEN $6 IS NULL THEN r.score ELSE $7 END,"
      "  reasons = coalesce($6::jsonb, r.reasons), headline = coalesce($8, r.headline), context = coalesce($9::jsonb, r.context),"
      "  motion = CASE WHEN $5 THEN $11 ELSE r.motion END, motion_rank = CASE WHEN $5 THEN $12 ELSE r.motion_rank END,"
      "  next_best_action = CASE WHEN $5 OR r.next_best_action IS NULL AND r.motion = $11 THEN $13 ELSE r.next_best_action END,"
      "  contact_after = CASE WHEN $5 THEN $14 WHEN $6 IS NULL THEN r.contact_after ELSE greatest(r.contact_after, was.at) END,"
      "  contact_by = CASE WHEN $5 THEN $15 WHEN $6 IS NULL THEN r.contact_by"
      "   ELSE r.contact_by + (greatest(r.contact_after, was.at) - r.contact_after) END"
      "  FROM was WHERE r.home = was.home AND r.routing_id = was.routing_id"
      "  RETURNING r.home, r.routing_id, was.at, was.state AS before, r.state, r.motion)"
      " INSERT INTO pql.routing_transition (home, routing_id, at, from_state, to_state, actor, reason)"
      " SELECT home, routing_id, at, before, state, 'pql',"
      "  CASE WHEN $5 THEN 'motion ' || motion ELSE coalesce($4, 'nothing blocks it') END FROM turned",
      {Arg::of(d.home), Arg::of(d.routing_id), Arg::time(d.at), text_or_null(d.blocked_by), Arg::of(d.rises), text_or_null(d.reasons),
       Arg::of(d.score), text_or_null(d.headline), text_or_null(d.context), Arg::time(d.signal_at), Arg::of(d.motion), Arg::of(d.rank),
       text_or_null(d.next_best_action), Arg::time(d.contact_after), time_or_null(d.contact_by)});
  if (turned && !d.reasons.empty()) write_whole(spi, d);
  return turned;
}

// What a decision that was acted upon is followed by.
std::uint64_t write_follower(Spi &spi, const Decision &d) {
  return spi.run(
      "WITH before AS (SELECT * FROM pql.routing AS r WHERE r.home = $1 AND r.routing_id = $2"
      "  AND r.state NOT IN ('pending', 'ready', 'blocked', 'claimed', 'accepted', 'suppressed') FOR NO KEY UPDATE SKIP LOCKED),"
      " written AS (INSERT INTO pql.routing (routing_id, home, program, version, unit, subject_id, account_id, user_id, episode, follows,"
      "  signal_at, qualified_at, decided_at, qualification, score, reasons, headline, motion, motion_rank, next_best_action,"
      "  contact_after, contact_by, state, state_since, blocked_by, context)"
      " SELECT pql.next_id(), b.home, b.program, b.version, b.unit, b.subject_id, b.account_id, b.user_id, b.episode, b.routing_id,"
      "  $3, b.qualified_at, $4, b.qualification, $5, $6::jsonb, $7, $8, $9, $10, $11, $12,"
      "  CASE WHEN $13 IS NULL THEN 'pending' ELSE 'blocked' END, $4, $13, $14::jsonb FROM before AS b"
      " WHERE NOT EXISTS (SELECT FROM pql.routing AS o WHERE o.home = b.home AND o.episode = b.episode"
      "  AND o.state IN ('pending', 'ready', 'blocked', 'claimed', 'accepted')) RETURNING home, routing_id),"
      " whole AS (INSERT INTO pql.scoring_packet (home, routing_id, headline, reasons, context)"
      "  SELECT home, routing_id, $15, $16::jsonb, $17::jsonb FROM written WHERE $15 IS NOT NULL)"
      " SELECT FROM written",
      {Arg::of(d.home), Arg::of(d.routing_id), Arg::time(d.signal_at), Arg::time(d.at), Arg::of(d.score), Arg::of(d.reasons),
       Arg::of(d.headline), Arg::of(d.motion), Arg::of(d.rank), text_or_null(d.next_best_action), Arg::time(d.contact_after),
       time_or_null(d.contact_by), text_or_null(d.blocked_by), Arg::of(d.context), headline_of(d), reasons_of(d), context_of(d)});
}

void write_down(Spi &spi, const Decision &d) {
  using Kind = Decision::Kind;
  switch (d.kind) {
  case Kind::enters: return write_entry(spi, d);
  case Kind::stays: return write_stay(spi, d);
  case Kind::fades: return write_fading(spi, d);
  case Kind::retracts: write_retraction(spi, d); [[fallthrough]];
  case Kind::leaves: return write_end(spi, d);
  // Nobody's insert waits for people: who has the row may take it up, or give it back. Then tick decides.
  case Kind::turns: return write_turn(spi, d) ? void() : write_fading(spi, d);
  case Kind::follows: return write_follower(spi, d) ? void() : write_fading(spi, d);
  }
}

} // namespace

void write_down(const std::vector<Decision> &decisions) {
  if (decisions.empty()) return;
  Spi spi;
  for (const Decision &d : decisions) write_down(spi, d);
  spi.finish();
}

} // namespace pql::pg
