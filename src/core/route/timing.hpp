// What delays a contact besides its motion's "after": fresh milestones, what the subject is in the middle of, and its quiet hours.
// Law: a delayed contact is never sooner than an undelayed one, is outside quiet hours, and has as much time as was promised; a hold lasts no
// longer than until the contact was due at the latest.
#pragma once

#include "core/route/route.hpp"
#include "core/score/score.hpp"

namespace pql {

/// What speaks for waiting, as instants until which it does; kAlways: nothing.
struct Delays {
  Micros held_until = kAlways;   ///< a session is running, or an activation is progressing
  Micros barred_until = kAlways; ///< a milestone is fresh
  const Calendar *awake = nullptr; ///< the subject's time outside of quiet hours; null: always
  const Calendar *work = nullptr;  ///< the rep's; null: none is chosen
};

/// What became of a contact.
struct Delayed {
  ContactWindow contact;
  enum class Why : unsigned char { nothing, held, barred, quiet } why = Why::nothing; ///< what decided the instant
};

/// When contact is to be made instead. `calendar` is the one that the motion's "by" is counted in.
Delayed delayed(const ContactWindow &undelayed, const Delays &d, const MotionDef &motion, const Calendar &calendar) noexcept;

/// That in words, for people: "waits: quiet hours". `held_by` is what the subject is in the middle of.
std::string reason_of(Delayed::Why why, std::string_view held_by = {});

/// The place of a program's first motion of a name; -1: it has none.
int motion_named(const ProgramDef &p, std::string_view name) noexcept;

/// A motion as a signal would have it.
MotionDef timed_by(const MotionDef &motion, const ContactDef &contact);

/// The signal whose event is the newest among those with points, the first of several; null where no event gave any.
const SignalDef *newest_signal(const Program &p, std::span<const Reason> reasons) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
