#include "core/topic/filter.hpp"

#include <algorithm>
#include <utility>

namespace pql::topic {
namespace {

constexpr std::uint32_t kDead = 0, kAnywhere = 1, kAtBoundary = 2; // states: nothing any more; before a character; after a mark
constexpr std::size_t kMostStates = 1 << 16, kMostInPool = 1 << 22; // then the automaton is made anew
constexpr std::size_t kMostPlaces = 10'000; // looked at for the candidates in a part of a text: then whatever is asked for is there
constexpr std::uint32_t kNone = UINT32_MAX;

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

} // namespace

// --------------------------------------------------------------------------------------------------------------- phrases

// Many patterns need the same.
Filter::Id Filter::phrase(std::vector<Step> steps) {
  std::string key(reinterpret_cast<const char *>(steps.data()), steps.size() * sizeof(Step));
  const auto [at, is_new] = known_.try_emplace(std::move(key), static_cast<Id>(begins_.size()));
  if (is_new) {
    begins_.push_back(static_cast<std::uint32_t>(steps_.size()));
    steps_.insert(steps_.end(), steps.begin(), steps.end());
    ways_of_.emplace_back();
    is_neighbour_.push_back(false);
  }
  return at->second;
}

Filter::Neighbour Filter::neighbour(Phrase &p, long reach) {
  const Id id = phrase(std::move(p.steps));
  is_neighbour_[id] = true;
  return {id, static_cast<int>(std::min<long>(reach, kFar))};
}

void Filter::add(unsigned group, std::size_t entry, Needed needed) {
  if (needed.empty()) return always_.emplace_back(group, entry), void();
  const auto rarest = std::ranges::min_element(needed, {}, &Phrase::chance);
  Way way{group, entry, {}, {}};
  long reach = 0;
  for (auto p = rarest; p != needed.begin();) {
    reach += p->before;
    p--;
    way.before.push_back(neighbour(*p, reach));
    reach += p->most;
  }
  reach = 0;
  for (auto p = rarest + 1; p != needed.end(); p++) {
    reach += p->before;
    way.behind.push_back(neighbour(*p, reach));
    reach += p->most;
  }
  ways_of_[phrase(std::move(rarest->steps))].push_back(static_cast<std::uint32_t>(ways_.size()));
  ways_.push_back(std::move(way));
}

// ------------------------------------------------------------------------------------------------------------- automaton

void Filter::begin() {
  whole_ = false;
  followed_.clear();
  waiting_.clear();
  ended_.clear();
  known_ = {};
  places_of_.assign(begins_.size(), {round_, kNone});
  seen_.assign(steps_.size(), false);
  states_.assign(kAtBoundary + 1, {});
  first_.assign(kAtBoundary + 1, {});
  pool_.clear();
  edges_.assign(1 << 12, {});
  shift_ = 32 - 12;
  edges_count_ = 0;
  for (std::uint32_t b : begins_) follow(b, false);
  std::vector<std::uint32_t> anywhere = waiting_;
  std::sort(anywhere.begin(), anywhere.end());
  states_[kAnywhere] = states_[keep()];
  for (std::uint32_t b : begins_) follow(b, true);
  std::erase_if(waiting_, [&](std::uint32_t s) { return std::binary_search(anywhere.begin(), anywhere.end(), s); }); // found there
  states_[kAtBoundary] = states_[keep()];
  whole_ = true;
}

// Adds what may come after a step, without a byte between.
void Filter::follow(std::uint32_t at, bool boundary) {
  for (;; at++) {
    if (seen_[at]) return;
    seen_[at] = true;
    followed_.push_back(at);
    const Step s = steps_[at];
    switch (s.kind) {
    case Step::byte: waiting_.push_back(at); return;
    case Step::boundary:
      if (boundary) break;
      waiting_.push_back(at);
      return;
    case Step::fork: follow(at + s.over, boundary); break;
    case Step::jump: at += s.over - 1; break;
    case Step::end: ended_.push_back(static_cast<Id>(std::ranges::upper_bound(begins_, at) - begins_.begin() - 1)); return;
    }
  }
}

// A mark lets boundaries pass; what waits for a byte doesn't mind it.
std::uint32_t Filter::make(std::uint32_t from, unsigned char byte) {
  const bool mark = is_mark(static_cast<char>(byte));
  for (std::uint32_t i = states_[from].steps; i < states_[from].ends; i++) {
    const std::uint32_t at = pool_[i];
    const Step s = steps_[at];
    if (mark) follow(at, true);
    else if (s.kind == Step::byte && s.value == byte) follow(at + 1, false);
  }
  return keep();
}

// The state of what was followed.
std::uint32_t Filter::keep() {
  for (std::uint32_t s : followed_) seen_[s] = false;
  followed_.clear();
  std::uint32_t id = kDead;
  if (!waiting_.empty() || !ended_.empty()) {
    const auto here = [&] { return static_cast<std::uint32_t>(pool_.size()); };
    State s;
    s.steps = here();
    pool_.insert(pool_.end(), waiting_.begin(), waiting_.end());
    s.ends = here();
    std::ranges::copy_if(ended_, std::back_inserter(pool_), [&](Id e) { return is_neighbour_[e]; });
    s.ways = here();
    for (Id e : ended_) pool_.insert(pool_.end(), ways_of_[e].begin(), ways_of_[e].end());
    s.until = here();
    id = static_cast<std::uint32_t>(states_.size()) | (s.ends != s.until ? kEnds : 0);
    states_.push_back(s);
    first_.push_back({});
  }
  waiting_.clear();
  ended_.clear();
  return id;
}

// Where the edge of a key is, or belongs.
inline std::size_t Filter::slot(std::uint32_t key) const noexcept {
  std::size_t i = (key * 0x9E3779B1u) >> shift_;
  while (edges_[i].key != key && edges_[i].key != 0) i = (i + 1) & (edges_.size() - 1);
  return i;
}

void Filter::put(Edge e) {
  if (++edges_count_ * 2 > edges_.size()) {
    const std::vector<Edge> old = std::exchange(edges_, std::vector<Edge>(edges_.size() * 2));
    shift_--;
    for (const Edge &o : old) edges_[slot(o.key)] = o;
  }
  edges_[slot(e.key)] = e;
}

inline std::uint32_t Filter::next(std::uint32_t state, unsigned char byte) {
  const std::uint32_t key = state << 8 | byte; // never 0: nothing goes on from kDead
  if (first_[state].key == key) return first_[state].to;
  const Edge &known = edges_[slot(key)];
  if (known.key == key) return known.to;
  whole_ = false;
  const Edge e{key, make(state, byte)};
  if (first_[state].key == 0) first_[state] = e;
  else put(e);
  whole_ = true;
  return e.to;
}

void Filter::run(std::uint32_t state, std::size_t begin) {
  for (std::size_t at = begin; at < text_.size(); at++) {
    const char c = text_[at];
    const std::uint32_t to = next(state, static_cast<unsigned char>(c == '\n' ? ' ' : c));
    if (to == kDead) return;
    state = to & ~kEnds;
    if (to & kEnds) hits_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at + 1), state});
  }
}

void Filter::look(std::string_view text) {
  if (!whole_ || states_.size() > kMostStates || pool_.size() > kMostInPool) begin();
  text_ = text;
  hits_.clear();
  for (std::size_t at = 0; at < text.size(); at++) {
    if (is_mark(text[at])) run(kAtBoundary, at + 1);
    else if (!continues(text[at])) run(kAnywhere, at);
  }
}

// ------------------------------------------------------------------------------------------------------------ candidates

void Filter::candidates(unsigned group, std::size_t from, std::size_t until, std::vector<std::size_t> &out) {
  out.clear();
  for (const auto &[g, entry] : always_) {
    if (g == group) out.push_back(entry);
  }
  const auto first = std::ranges::lower_bound(hits_, from, {}, &Hit::begin), last = std::ranges::lower_bound(hits_, until, {}, &Hit::begin);
  const std::span<const Hit> hits(first, last);
  bool ready = false; // only where a rarest phrase is
  round_++;
  places_looked_at_ = 0;
  for (const Hit &h : hits) {
    const State &s = states_[h.state];
    for (std::uint32_t i = s.ways; i < s.until; i++) {
      Way &w = ways_[pool_[i]];
      if (w.group != group || w.round == round_ || h.end > until) continue;
      if (!std::exchange(ready, true)) find_places(hits);
      if (!is_there(w, h)) continue;
      w.round = round_;
      out.push_back(w.entry);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

void Filter::find_places(std::span<const Hit> hits) {
  places_.clear();
  for (const Hit &h : hits) {
    const State &s = states_[h.state];
    for (std::uint32_t i = s.ends; i < s.ways; i++) {
      Places &of = places_of_[pool_[i]];
      if (of.round != round_) of = {round_, kNone};
      places_.push_back({static_cast<std::uint32_t>(&h - hits_.data()), of.first});
      of.first = static_cast<std::uint32_t>(places_.size() - 1);
    }
  }
}

template <class F> bool Filter::any_place(Id phrase, F &&f) {
  if (places_of_[phrase].round != round_) return false;
  for (std::uint32_t i = places_of_[phrase].first; i != kNone; i = places_[i].next) {
    if (places_looked_at_++ >= kMostPlaces || f(hits_[places_[i].hit])) return true;
  }
  return false;
}

// Whether the others of a way stand on their sides of its rarest phrase, near enough.
bool Filter::is_there(const Way &w, const Hit &h) {
  const auto before = [&](const Neighbour &n) {
    return any_place(n.phrase, [&](const Hit &o) { return o.end <= h.begin && is_within(o.end, h.begin, n.reach); });
  };
  const auto behind = [&](const Neighbour &n) {
    return any_place(n.phrase, [&](const Hit &o) { return o.begin >= h.end && is_within(h.end, o.begin, n.reach); });
  };
  return std::ranges::all_of(w.before, before) && std::ranges::all_of(w.behind, behind);
}

bool Filter::is_within(std::size_t from, std::size_t until, int reach) const {
  for (std::size_t i = from; i < until; i++) {
    if (static_cast<std::size_t>(reach) >= until - i) return true;
    if (!continues(text_[i]) && !is_mark(text_[i]) && reach-- == 0) return false;
  }
  return true;
}

} // namespace pql::topic
