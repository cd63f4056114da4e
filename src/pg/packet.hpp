// What a decision carries: its reasons and the context frozen as of then, as JSON.
// Law: what isn't known isn't told, and what rests on a signal that reps may not see is in what is told to none of them.
#pragma once

#include "core/route/route.hpp"
#include "pg/background.hpp"
#include "pg/decision.hpp"
#include "pg/srf.hpp"

namespace pql::pg {

/// The reasons with points, most points first: [{signal, kind, points, value, why, event_id, at, may_mention}].
std::string reasons_json(const Program &p, std::span<const Reason> reasons);

/// The points by kind, of the kinds of signals that there are.
NamedNumbers points_by_kind(const Program &p, std::span<const Reason> reasons);

/// What one signal's points rest on: {event_id, at}, empty when nothing does. Of a value that isn't exact also {error}, by how much it
/// may be off, or {at_least: true}.
std::string evidence_json(const SignalDef &d, const Reason &r);

/// Where a subject stands in an activation, and what is open.
struct ActivationState {
  FunnelLevel level;
  std::string next;                 ///< the first step that the chain lacks; empty when it is complete
  std::vector<std::string> skipped; ///< steps never reached, though later ones were
};
ActivationState activation_state(const Definitions &plan, const Program &p, const Subject &s, Micros as_of = kNever);

/// What a contact's instants rest on besides the motion.
struct TimingNote {
  std::string signal, zone;  ///< whose contact counts; the subject's, where there are quiet hours
  ContactWindow undelayed;   ///< as it would be without what it waits for
  Micros delayed_to = 0;
  std::string why;
};

/// What a packet is made of, as of an instant. `home` has all members.
struct PacketSource {
  const Definitions &plan;
  const Program &p;
  const Subject &subject;
  const Home &home;
  const MotionDef &motion;
  std::span<const Reason> reasons;
  const TimingNote *timing; ///< null: contact rests on the motion alone
  const Background &background;
  int score;
  Micros as_of;
};

/// The parts that count in its completeness.
enum class ContextPart : unsigned char { tried, milestones, time, activation, members, segment, intents };

struct Packet {
  PacketText shown;                ///< to reps
  std::optional<PacketText> whole; ///< where that is more
  double completeness = 0;         ///< of what is shown
  std::string missing;             ///< the parts that it lacks: "time, intents"
  int lacking = 0;                 ///< and a bit for each
};
Packet make_packet(const PacketSource &from);

/// Those of the parts, a bit for each, that rest on a subject's state and reasons alone. Looks at nobody else.
int parts_of_state(const PacketSource &from);

/// What of the context the motion alone says: {play, offer}, as far as it has them.
std::string play_json(const MotionDef &motion);

/// What a person does first: as the motion says, or else what the reason is with the most points of which they may speak. Empty where the
/// motion needs nobody, and where there is none.
std::string next_best_action(const Program &p, const MotionDef &motion, std::span<const Reason> reasons);


} // namespace pql::pg
