// float8 in queries of our own, as the bits that a Datum has.
#pragma once

#include <bit>

#include "pg/spi.hpp"

namespace pql::pg {

static_assert(FLOAT8PASSBYVAL);

inline double real_at(const Spi &spi, std::uint64_t row, int column) { return std::bit_cast<double>(spi.number(row, column)); }
inline Arg real_arg(double v) { return {FLOAT8OID, false, std::bit_cast<std::int64_t>(v), {}, nullptr}; }

} // namespace pql::pg
