// Stored homes and milestones: hostile bytes are refused; what is read can be looked at, written and read again.
#include "core/state/home.hpp"

#include <cstdint>
#include <cstdlib>
#include <iterator>

#include "core/base/event_id.hpp"

namespace {

using namespace pql;

const Tracker kTrackers[] = {{},
                             {Tracker::Kind::funnel, 0, {3, true, kDay}},
                             {Tracker::Kind::funnel, 0, {2, false, kDay}},
                             {Tracker::Kind::window, 0, {}, {MarksKind::window, 2, kDay, 0}},
                             {Tracker::Kind::days, 0, {}, {MarksKind::days, 1, 20 * kDay, 0}},
                             {Tracker::Kind::users, 0, {}, {MarksKind::users, 1, kDay, 0}},
                             {Tracker::Kind::users, 0, {}, {MarksKind::users, 2, kDay, 0}},
                             {Tracker::Kind::sessions, 0, {}, {MarksKind::sessions, 1, kDay, kHour}},
                             {Tracker::Kind::latest, 0, {}, {}}};

void require(bool holds) {
  if (!holds) std::abort();
}

void look_at(Arena &a, const Subject &s) {
  Subject c = copy_of(a, s);
  for (MarksState &m : c.marks) m.marks.stored = {}; // as if something had been added
  (void)c.settle(a, kTrackers);
  for (const FunnelState &f : c.funnels) {
    if (f.tracker < std::size(kTrackers)) (void)f.funnel.read(kTrackers[f.tracker].funnel);
  }
  for (const MarksState &m : c.marks) {
    if (m.tracker >= std::size(kTrackers)) continue;
    const MarksSpec &spec = kTrackers[m.tracker].marks;
    (void)m.marks.read(spec, earlier(m.marks.newest, spec.window), m.marks.newest);
    (void)m.marks.streak(kTrackers[4].marks, m.marks.newest);
    m.marks.each_turn(spec, [](Micros) {});
    (void)m.marks.digest();
  }
  for (const DecayedSum &d : c.decays) (void)d.sum.read(kHour, d.newest);
  for (const FirstTime &m : c.milestones) require(c.known.has(m.tracker) && m.at <= c.newest_known);
  (void)canonical(a, c);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  Arena a;
  const std::string_view bytes(reinterpret_cast<const char *>(data), size);
  if (const auto milestones = decode_milestones(a, bytes)) {
    for (const FirstTime &m : *milestones) (void)event_id_text(m.event());
    const std::string_view written = encode_milestones(a, *milestones);
    const auto again = decode_milestones(a, written);
    require(again && encode_milestones(a, *again) == written);
  }
  if (auto dozing = decode(a, bytes, Members::asleep)) {
    const std::string_view written = encode(a, *dozing, Milestones::apart); // as it lies: nothing was read
    require(dozing->members.empty() || decode(a, written, Members::asleep).has_value());
    for (Subject &s : dozing->members) {
      if (wake(a, s)) look_at(a, s);
    }
  }
  const auto home = decode(a, bytes);
  if (!home) return 0;
  look_at(a, home->owner);
  for (const Subject &s : home->members) look_at(a, s);
  for (const Milestones where : {Milestones::inside, Milestones::apart}) {
    const std::string_view written = encode(a, *home, where);
    const auto again = decode(a, written);
    require(again && encode(a, *again, where) == written);
  }
  return 0;
}
