#include "pg/guard.hpp"

extern "C" {
#include "utils/resowner.h"
}

namespace pql::pg {

bool guarded_by(void (*f)(void *), void *arg, bool (*forgive)(int), ErrorData **error) {
  MemoryContext const memory = CurrentMemoryContext, home = error_home;
  ResourceOwner const owner = CurrentResourceOwner;
  const uint32 hold = InterruptHoldoffCount;
  BeginInternalSubTransaction(nullptr);
  MemoryContextSwitchTo(memory);
  volatile bool ok = true;
  PG_TRY();
  {
    enter([&] { f(arg); }); // a C++ exception, too, ends the subtransaction
    ReleaseCurrentSubTransaction();
    MemoryContextSwitchTo(memory);
    CurrentResourceOwner = owner;
  }
  PG_CATCH();
  {
    MemoryContextSwitchTo(memory);
    ErrorData *e = CopyErrorData();
    FlushErrorState();
    InterruptHoldoffCount = hold; // raising has set it to 0
    RollbackAndReleaseCurrentSubTransaction();
    MemoryContextSwitchTo(memory);
    CurrentResourceOwner = owner;
    error_home = home;
    if (!forgive(e->sqlerrcode)) ReThrowError(e);
    if (error) *error = e;
    else FreeErrorData(e);
    ok = false;
  }
  PG_END_TRY();
  return ok;
}

bool trapped_by(void (*f)(void *), void *arg, bool (*forgive)(int), ErrorData **error) {
  MemoryContext const memory = CurrentMemoryContext, home = error_home;
  const uint32 hold = InterruptHoldoffCount;
  volatile bool ok = true;
  PG_TRY();
  { enter([&] { f(arg); }); }
  PG_CATCH();
  {
    error_home = home;
    MemoryContextSwitchTo(memory);
    ErrorData *const e = CopyErrorData();
    if (!forgive(e->sqlerrcode)) PG_RE_THROW();
    FlushErrorState();
    InterruptHoldoffCount = hold;
    if (error) *error = e;
    else FreeErrorData(e);
    ok = false;
  }
  PG_END_TRY();
  return ok;
}

} // namespace pql::pg
