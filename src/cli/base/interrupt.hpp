// Ctrl-C and SIGTERM: a flag for what loops, and a cancel request for the statement that runs.
#pragma once

struct pg_cancel;

namespace pql::cli {

/// Catches SIGINT and SIGTERM from now on. A second one ends the program at once.
void watch_interrupts();

/// Has the user asked to stop?
bool interrupted() noexcept;

/// Throws Interrupted if they have.
void check_interrupted();

/// Sleeps, but no longer than until an interrupt; gives false if there was one.
bool sleep_for(double seconds);

/// The statement to cancel when an interrupt comes; null when none runs. Gives what was set before.
pg_cancel *cancel_on_interrupt(pg_cancel *cancel) noexcept;

} // namespace pql::cli
