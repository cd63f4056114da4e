#include "core/qualify/route.hpp"

#include <algorithm>
#include <cmath>

namespace pql {
namespace {

// FNV-1a, then mixed. Who is held out must stay so: never to be changed.
std::uint64_t lot_of(std::string_view program, std::string_view subject) noexcept {
  std::uint64_t h = 0xcbf29ce484222325ull;
  const auto add = [&](std::string_view s) {
    for (char c : s) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  };
  add(program);
  add({"\0", 1});
  add(subject);
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ull;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ull;
  return h ^ h >> 32;
}

} // namespace

bool may_block(const ProgramDef &p) noexcept {
  const auto waits = [](const MotionDef &m) { return !m.accept_when.empty() || !m.channel.empty() || m.floor > 0; };
  const auto derives = [](const MotionDef &m) { return needs_rep(m.motion) && m.next_best_action.empty(); };
  return !p.guardrails.empty() || std::any_of(p.motions.begin(), p.motions.end(), waits) ||
         (std::any_of(p.motions.begin(), p.motions.end(), derives) && !std::all_of(p.signals.begin(), p.signals.end(), may_be_spoken_of));
}

int obstacle(const ProgramDef &p, int motion, std::uint32_t accepted, bool speaks) noexcept {
  const MotionDef &m = p.motions[static_cast<std::size_t>(motion)];
  if (!(accepted >> motion & 1)) return kNotAccepted + motion;
  return !speaks && needs_rep(m.motion) && m.next_best_action.empty() ? kNoAction : -1;
}

RowState row_state(std::string_view state) noexcept {
  if (state == "pending" || state == "ready") return RowState::waiting;
  if (state == "blocked") return RowState::blocked;
  if (state == "claimed" || state == "accepted") return RowState::taken;
  return state == "suppressed" ? RowState::final_ : RowState::done;
}

Turn turn_of(const RoutingRow &row, int motion, std::string_view blocked_by) noexcept {
  const bool rises = motion < row.motion, was = row.state == RowState::blocked, is = !blocked_by.empty();
  switch (row.state) {
  case RowState::taken:
  case RowState::final_: return {};
  case RowState::done: return rises ? Turn{Turn::Kind::follows, true, false} : Turn{};
  default: break;
  }
  if (!rises && was == is && (!is || row.blocked_by == blocked_by)) return {};
  return {Turn::Kind::changes, rises, was && !is};
}

bool is_held_out(const ProgramDef &p, std::string_view subject) noexcept {
  return std::ldexp(static_cast<double>(lot_of(p.name, subject) >> 11), -53) < p.holdout;
}

} // namespace pql
