#include "core/state/subject.hpp"

#include <algorithm>

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

bool TrackerSet::includes(const TrackerSet &o) const noexcept {
  for (std::size_t i = 0; i < o.bits.size; i++) {
    const std::size_t at = o.first + i - first; // wraps below the first
    const int mine = at < bits.size ? bits.data[at] : 0;
    if (o.bits.data[i] & ~mine) return false;
  }
  return true;
}

void TrackerSet::add(Arena &a, TrackerId t) {
  const std::size_t byte = t / 8u;
  if (byte - first >= bits.size || bits.capacity == 0) { // a run of whole words, so that it hardly ever grows
    const std::size_t low = (bits.empty() ? byte : std::min<std::size_t>(byte, first)) & ~std::size_t{7};
    const std::size_t end = std::max<std::size_t>(byte + 1, bits.empty() ? 0 : first + bits.size);
    const std::size_t size = (end - low + 7) & ~std::size_t{7};
    char *const wider = static_cast<char *>(a.allocate(size));
    std::memset(wider, 0, size);
    if (!bits.empty()) std::memcpy(wider + (first - low), bits.data, bits.size);
    bits = {wider, static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(size)};
    first = static_cast<std::uint16_t>(low);
  }
  char &in = bits.data[byte - first];
  in = static_cast<char>(static_cast<unsigned char>(in) | 1u << t % 8);
}

void TrackerSet::add(Arena &a, const TrackerSet &o) {
  for (std::size_t i = 0; i < o.bits.size * 8; i++) {
    const auto t = static_cast<TrackerId>(o.first * 8u + i);
    if (o.has(t) && !has(t)) add(a, t);
  }
}

Subject copy_of(Arena &a, const Subject &s) {
  Subject c = s;
  c.milestones = copy_of(a, s.milestones);
  c.decays = copy_of(a, s.decays);
  c.funnels = copy_of(a, s.funnels);
  c.standings = copy_of(a, s.standings);
  c.known.bits = Bytes::borrow(s.known.bits.view());
  c.marks = copy_of(a, s.marks);
  for (DecayedSum &d : c.decays) d.event = Bytes::borrow(d.event.view());
  for (MarksState &m : c.marks) {
    m.marks.all = copy_of(a, m.marks.all);
    m.marks.event = Bytes::borrow(m.marks.event.view());
  }
  for (FunnelState &f : c.funnels) {
    f.funnel.sweep = copy_of(a, f.funnel.sweep);
    f.funnel.kept = copy_of(a, f.funnel.kept);
  }
  return c;
}

FirstTime *Subject::news_of(Arena &a, TrackerId t, Micros at, std::string_view event) {
  if (knows(t, at)) return nullptr;
  FirstTime *m = known.has(t) ? find(milestones, t) : nullptr;
  if (m && !FirstTime::of(t, at, event).before(*m)) return nullptr;
  note(a, t, at);
  return m ? m : &milestones.push(a, {});
}

void Subject::fold_milestone(Arena &a, TrackerId t, Micros at, std::string_view event) {
  FirstTime *const m = news_of(a, t, at, event);
  if (m) *m = FirstTime::of(t, at, a.copy(event));
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

void Subject::fold_mark(Arena &a, TrackerId t, const MarksSpec &spec, Micros at, std::uint64_t key, double value, std::string_view event) {
  MarksState *m = find(marks, t);
  if (!m) m = &marks.push(a, {{}, t});
  m->marks.add(a, spec, at, key, value, event);
}

void Subject::note(Arena &a, TrackerId t, Micros at) {
  if (!known.has(t)) known.add(a, t);
  newest_known = std::max(newest_known, at);
}

bool Subject::merge(Arena &a, Trackers trackers, const Subject &o) {
  learn(a, o);
  return merge_but_milestones(a, trackers, o);
}

void Subject::learn(Arena &a, const Subject &o) {
  for (const FirstTime &m : o.milestones) fold_milestone(a, m.tracker, m.at, m.event());
  known.add(a, o.known);
  newest_known = std::max(newest_known, o.newest_known);
}

bool Subject::merge_but_milestones(Arena &a, Trackers trackers, const Subject &o) {
  absorb(a, trackers, o);
  return settle(a, trackers);
}

void Subject::absorb(Arena &a, Trackers trackers, const Subject &o) {
  if (o.first_seen < first_seen) first_seen = o.first_seen;
  if (o.last_seen > last_seen) last_seen = o.last_seen;
  events += o.events;
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
  for (const MarksState &m : o.marks) {
    if (m.tracker >= trackers.size() || !trackers[m.tracker].keeps_marks()) continue;
    MarksState *mine = find(marks, m.tracker);
    if (!mine) mine = &marks.push(a, {{}, m.tracker});
    mine->marks.merge(a, trackers[m.tracker].marks, m.marks);
  }
}

bool Subject::settle(Arena &a, Trackers trackers) {
  bool exact = true;
  for (FunnelState &f : funnels) {
    if (f.tracker < trackers.size()) f.funnel.settle(a, trackers[f.tracker].funnel);
    if (f.funnel.inexact) exact = false;
  }
  for (MarksState &m : marks) {
    if (m.tracker < trackers.size() && trackers[m.tracker].keeps_marks()) m.marks.settle(trackers[m.tracker].marks);
  }
  return exact;
}

const FirstTime *Subject::milestone(TrackerId t) const noexcept { return find(milestones, t); }
const DecayedSum *Subject::decay(TrackerId t) const noexcept { return find(decays, t); }
const FunnelState *Subject::funnel(TrackerId t) const noexcept { return find(funnels, t); }

const Marks *Subject::marks_of(TrackerId t) const noexcept {
  const MarksState *const m = find(marks, t);
  return m ? &m->marks : nullptr;
}

Standing *Subject::standing(std::int32_t program) const noexcept {
  Standing *found = nullptr;
  for (Standing &x : standings) {
    if (x.program != program || (found && found->open)) continue;
    if (!found || x.open || x.since > found->since) found = &x;
  }
  return found;
}

bool Subject::is_open(std::int32_t program) const noexcept {
  const Standing *const s = standing(program);
  return s && s->open;
}

} // namespace pql
