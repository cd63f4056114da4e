// Whether a share is above a limit that it mustn't exceed: what guardrails ask, at every look.
// Law: a pure function of its arguments.
#pragma once

namespace pql::pilot {

/// The p-value of "the share is at most `limit`" after `k` of `n`, that holds at every look, exactly: likelihood ratios, mixed over the shares above the limit
/// by a beta law whose mean is three times the limit, or evenly for limits above a sixth (Robbins 1970; Wald 1945, "Sequential Tests of Statistical Hypotheses",
/// Ann. Math. Statist. 16, for weight functions). For shares below the limit it errs to the safe side, since the ratios only fall.
double above_limit_p(double k, double n, double limit) noexcept;

} // namespace pql::pilot

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
