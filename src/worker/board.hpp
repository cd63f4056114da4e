// What the launcher, its workers and whoever asks know of each other: a piece of shared memory, with a place for each database that
// wants a worker. Law: no pointers in it, and nothing of it outlives a crash; whoever finds it empty begins anew.
#pragma once

#include "pg/boundary.hpp"

namespace pql::worker {

constexpr int kPlaces = 128;          ///< databases that can have a worker
constexpr int kErrors = 16;           ///< different errors that are remembered of each
constexpr int kErrorLength = 512;
constexpr Micros kForget = kHour;     ///< after this long the same error is worth another line in the log
constexpr Micros kSlowest = 15 * kMinute; ///< between two attempts where one fails after the other, unless the interval is longer

/// A database that wants a worker, and what its workers did.
struct Place {
  Oid database;        ///< InvalidOid: nobody's place
  Oid role;            ///< InvalidOid: the cluster's first superuser
  bool wanted;         ///< its settings say so
  bool lacks_role;     ///< the role that its settings name doesn't exist
  bool reported;       ///< the last worker said how it went
  int pid;             ///< of the worker that is there now
  int failures;        ///< in a row
  std::int64_t ticks;
  TimestampTz next_at; ///< when there is to be a worker again
  TimestampTz ticked_at, failed_at; ///< 0: never
  Micros duration;
  char error[kErrorLength];
  std::uint64_t told[kErrors]; ///< hashes of errors that are in the log
  TimestampTz told_at[kErrors];
};

struct Board {
  bool everywhere;                      ///< pql.worker as the server's own settings have it
  char role_everywhere[NAMEDATALEN];    ///< likewise pql.worker_role
  bool full;                            ///< more databases want a worker than there are places
  Place places[kPlaces];
};

/// Asks for the memory. To be called while libraries are preloaded.
void reserve_board();

/// Null when the library wasn't preloaded.
Board *board() noexcept;

/// Whoever reads or writes a place has this; shared to read.
void lock_board(bool shared = false);
void unlock_board();

/// A database's place, or null. Under the lock.
Place *place_of(Oid database) noexcept;

/// Notes a failure and when to try again, `rest` being the shortest time. Says whether the log doesn't have it yet. Under the lock.
bool note_failure(Place &place, const char *error, TimestampTz now, Micros rest) noexcept;

} // namespace pql::worker
