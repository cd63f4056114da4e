// When contact is made besides what motions say: by signals, by what the subject is in the middle of, and in whose night.
// Law: what rows wait for is told in their history; a row that people hold is passed over.
#pragma once

#include <map>
#include <memory>

#include "core/route/timing.hpp"
#include "pg/definitions.hpp"

namespace pql::pg {

/// The time outside of quiet hours, by zone. For the length of one operation.
class QuietHours {
public:
  /// The zone that counts for a subject which says that it is in one: that, if it is known, else the default; empty: no quiet hours.
  static std::string zone_of(const ProgramDef &p, std::string_view said);
  /// Null without quiet hours, and for an empty zone.
  const Calendar *awake(const ProgramDef &p, const std::string &zone);

private:
  std::map<std::pair<const QuietDef *, std::string>, std::unique_ptr<const Calendar>> all_;
};

/// Until when the milestones of a motion bar contact; kAlways: they don't.
Micros barred_until(const Definitions &plan, const Program &p, const MotionDef &motion, const Subject &s) noexcept;

/// Looks at rows that nobody has taken up, whether their contact has to wait, or no longer; returns how many were moved.
std::int64_t delay_contacts(Micros as_of);

} // namespace pql::pg
