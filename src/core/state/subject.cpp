#include "core/state/subject.hpp"

namespace pql {
namespace {

template <class T>
T *find(const Vec<T> &v, TrackerId t) noexcept {
  for (T &x : v) {
    if (x.tracker == t) return &x;
  }
  return nullptr;
}

template <class T>
Vec<T> copy_of(Arena &a, const Vec<T> &v) {
  Vec<T> out;
  out.reserve(a, v.size);
  for (const T &x : v) out.push(a, x);
  return out;
}

} // namespace

Subject copy_of(Arena &a, const Subject &s) {
  Subject c = s;
  c.milestones = copy_of(a, s.milestones);
  c.decays = copy_of(a, s.decays);
  c.funnels = copy_of(a, s.funnels);
  c.open = copy_of(a, s.open);
  for (FirstTime &m : c.milestones) m.event = Bytes::borrow(m.event.view());
  for (DecayedSum &d : c.decays) d.event = Bytes::borrow(d.event.view());
  for (FunnelState &f : c.funnels) {
    f.funnel.sweep = copy_of(a, f.funnel.sweep);
    f.funnel.kept = copy_of(a, f.funnel.kept);
  }
  return c;
}

void Subject::fold_milestone(Arena &a, TrackerId t, Micros at, std::string_view event) {
  FirstTime *m = find(milestones, t);
  if (!m) {
    m = &milestones.push(a, {at, {}, t});
    m->event.assign(a, event);
    return;
  }
  if (at > m->at || (at == m->at && event >= m->event.view())) return;
  m->at = at;
  m->event.assign(a, event);
}

void Subject::fold_decay(Arena &a, TrackerId t, Micros half_life, Micros at, double value, std::string_view event) {
  DecayedSum *d = find(decays, t);
  if (!d) d = &decays.push(a, {{}, kAlways, {}, t});
  d->sum.add(half_life, at, value);
  if (at < d->newest || (at == d->newest && event <= d->event.view())) return;
  d->newest = at;
  d->event.assign(a, event);
}

void Subject::fold_steps(Arena &a, TrackerId t, const FunnelSpec &spec, Micros at, std::uint32_t steps) {
  FunnelState *f = find(funnels, t);
  if (!f) f = &funnels.push(a, {{}, t});
  f->funnel.add(a, spec, at, steps);
}

bool Subject::merge(Arena &a, Trackers trackers, const Subject &o) {
  if (o.first_seen < first_seen) first_seen = o.first_seen;
  if (o.last_seen > last_seen) last_seen = o.last_seen;
  events += o.events;
  for (const FirstTime &m : o.milestones) fold_milestone(a, m.tracker, m.at, m.event.view());
  for (const DecayedSum &d : o.decays) {
    DecayedSum *mine = find(decays, d.tracker);
    if (!mine) mine = &decays.push(a, {{}, kAlways, {}, d.tracker});
    mine->sum.merge(d.sum);
    if (d.newest < mine->newest || (d.newest == mine->newest && d.event.view() <= mine->event.view())) continue;
    mine->newest = d.newest;
    mine->event.assign(a, d.event.view());
  }
  for (const FunnelState &f : o.funnels) {
    if (f.tracker >= trackers.size() || trackers[f.tracker].kind != Tracker::Kind::funnel) continue;
    FunnelState *mine = find(funnels, f.tracker);
    if (!mine) mine = &funnels.push(a, {{}, f.tracker});
    mine->funnel.merge(a, trackers[f.tracker].funnel, f.funnel);
  }
  return settle(a, trackers);
}

bool Subject::settle(Arena &a, Trackers trackers) {
  bool exact = true;
  for (FunnelState &f : funnels) {
    if (f.tracker < trackers.size()) f.funnel.settle(a, trackers[f.tracker].funnel);
    if (f.funnel.inexact) exact = false;
  }
  return exact;
}

const FirstTime *Subject::milestone(TrackerId t) const noexcept { return find(milestones, t); }
const DecayedSum *Subject::decay(TrackerId t) const noexcept { return find(decays, t); }
const FunnelState *Subject::funnel(TrackerId t) const noexcept { return find(funnels, t); }

bool Subject::is_open(std::int32_t program) const noexcept {
  for (std::int32_t p : open) {
    if (p == program) return true;
  }
  return false;
}

} // namespace pql
