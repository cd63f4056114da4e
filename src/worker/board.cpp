#include "worker/board.hpp"

extern "C" {
#include "common/hashfn.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
}

namespace pql::worker {
namespace {

constexpr const char *kName = "pql worker";

Board *shared = nullptr;
LWLock *lock = nullptr;
shmem_request_hook_type next_request = nullptr;
shmem_startup_hook_type next_startup = nullptr;

extern "C" {

static void request_memory() {
  if (next_request) next_request();
  RequestAddinShmemSpace(MAXALIGN(sizeof(Board)));
  RequestNamedLWLockTranche(kName, 1);
}

static void begin_memory() {
  if (next_startup) next_startup();
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  bool found;
  shared = static_cast<Board *>(ShmemInitStruct(kName, sizeof(Board), &found));
  if (!found) std::memset(static_cast<void *>(shared), 0, sizeof(Board));
  lock = &GetNamedLWLockTranche(kName)->lock;
  LWLockRelease(AddinShmemInitLock);
}
}

} // namespace

void reserve_board() {
  next_request = shmem_request_hook;
  shmem_request_hook = request_memory;
  next_startup = shmem_startup_hook;
  shmem_startup_hook = begin_memory;
}

Board *board() noexcept { return shared; }

void lock_board(bool shared_only) { LWLockAcquire(lock, shared_only ? LW_SHARED : LW_EXCLUSIVE); }

void unlock_board() { LWLockRelease(lock); }

Place *place_of(Oid database) noexcept {
  for (Place &p : shared->places) {
    if (p.database == database) return &p;
  }
  return nullptr;
}

bool note_failure(Place &place, const char *error, TimestampTz now, Micros rest) noexcept {
  place.failures++;
  place.failed_at = now;
  place.next_at = now + std::max(rest, std::min(kSlowest, rest << std::min(place.failures - 1, 20)));
  strlcpy(place.error, error, kErrorLength);
  const std::uint64_t hash = hash_bytes_extended(reinterpret_cast<const unsigned char *>(error), static_cast<int>(std::strlen(error)), 0);
  int oldest = 0;
  for (int i = 0; i < kErrors; i++) {
    if (place.told[i] == hash && place.told_at[i] > now - kForget) return false;
    if (place.told_at[i] < place.told_at[oldest]) oldest = i;
  }
  place.told[oldest] = hash;
  place.told_at[oldest] = now;
  return true;
}

} // namespace pql::worker
