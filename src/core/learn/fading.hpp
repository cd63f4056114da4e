// Counts that fade: each label counts 2^((t - as_of)/half_life), kept as whole numbers by block of time.
// Law: units are whole numbers, so any order of adding and taking away the same labels gives the same sums (pql.evidence keeps them).
// Source: forward decay (Cormode, Shkapenyuk, Srivastava, Xu, ICDE 2009), on the absolute grid of core/decay.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/decay/decay.hpp"

namespace pql {

/// How long it takes until a label counts half as evidence.
inline constexpr Micros kEvidenceHalfLife = 180 * kDay;

/// What one label weighs at its time: its block of the grid, and whole units of 2^-40 within it.
struct FadingWeight {
  std::int64_t block;
  __int128 units;
};
FadingWeight fading_weight(Micros half_life, Micros t) noexcept;

/// A whole number of units as text, and back; nothing for what is none.
std::string print_units(__int128 units);
bool parse_units(std::string_view text, __int128 &units) noexcept;

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
