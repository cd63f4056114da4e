#include "pg/guard.hpp"

extern "C" {
#include "utils/resowner.h"
}

namespace pql::pg {

bool guarded_by(void (*f)(void *), void *arg, bool (*forgive)(int)) {
  MemoryContext const memory = CurrentMemoryContext;
  ResourceOwner const owner = CurrentResourceOwner;
  BeginInternalSubTransaction(nullptr);
  MemoryContextSwitchTo(memory);
  volatile bool ok = true;
  PG_TRY();
  {
    f(arg);
    ReleaseCurrentSubTransaction();
    MemoryContextSwitchTo(memory);
    CurrentResourceOwner = owner;
  }
  PG_CATCH();
  {
    MemoryContextSwitchTo(memory);
    ErrorData *e = CopyErrorData();
    FlushErrorState();
    RollbackAndReleaseCurrentSubTransaction();
    MemoryContextSwitchTo(memory);
    CurrentResourceOwner = owner;
    if (!forgive(e->sqlerrcode)) ReThrowError(e);
    FreeErrorData(e);
    ok = false;
  }
  PG_END_TRY();
  return ok;
}

} // namespace pql::pg
