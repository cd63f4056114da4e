// pql._worker: what the background worker does in this database, and the setting that bounds a tick.
#include "pg/guc.hpp"
#include "pg/srf.hpp"
#include "pg/store.hpp"
#include "worker/board.hpp"

extern "C" {
#include "utils/acl.h"
}

using namespace pql;
using namespace pql::pg;

namespace {

const char *state_of(const worker::Place *p) {
  if (!worker::board()) return "not preloaded";
  if (!p || !p->wanted) return "off";
  if (p->pid != 0) return "at work";
  return p->failures > 0 ? "failing" : "waiting";
}

Cell time_cell(TimestampTz at) { return at == 0 ? Cell::null() : Cell::time(at); }

} // namespace

PQL_FUNCTION(_worker) {
  call([] { // an error may quote what somebody wrote
    if (pg_class_aclcheck(pql_relation("worker"), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
      ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for view worker")));
  });
  ResultRows result(fcinfo);
  bool there = false;
  worker::Place place{};
  call([&] {
    if (!worker::board()) return;
    worker::lock_board(true);
    if (const worker::Place *const p = worker::place_of(MyDatabaseId)) {
      place = *p;
      there = true;
    }
    worker::unlock_board();
  });
  const bool ticked = place.ticks > 0;
  result.add({Cell::of(state_of(there ? &place : nullptr)), place.pid == 0 ? Cell::null() : Cell::of(place.pid),
              there ? Cell::of(place.ticks) : Cell::null(), time_cell(place.ticked_at), ticked ? Cell::length(place.duration) : Cell::null(),
              there ? Cell::of(place.failures) : Cell::null(), place.failed_at == 0 ? Cell::null() : Cell::of(place.error),
              time_cell(place.failed_at), there && place.wanted ? time_cell(place.next_at) : Cell::null()});
  return Datum{0};
}

PQL_FUNCTION(_tick_batch) { return Int32GetDatum(pql_tick_batch); }
