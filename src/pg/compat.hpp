// PostgreSQL's functions whose arguments differ between its versions, with those that pql has something to say to.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "storage/buf_internals.h"
}

extern "C" { // of libpq/libpq.h, which wants headers of Kerberos
#if PG_VERSION_NUM >= 170000
ssize_t pq_buffer_remaining_data(void);
#else
bool pq_buffer_has_data(void);
#endif
void pq_startmsgread(void);
void pq_endmsgread(void);
int pq_peekbyte(void);
}

namespace pql::pg {

inline Oid primary_key_index(Relation rel) {
#if PG_VERSION_NUM >= 180000
  return RelationGetPrimaryKeyIndex(rel, false); // none that is deferrable
#else
  return RelationGetPrimaryKeyIndex(rel);
#endif
}

/// Names the file of a table.
inline auto file_of(Relation rel) noexcept {
#if PG_VERSION_NUM >= 160000
  return rel->rd_locator;
#else
  return rel->rd_node;
#endif
}

/// Names a page of a table in shared memory.
inline BufferTag page_tag(Relation rel, BlockNumber block) noexcept {
  BufferTag tag;
#if PG_VERSION_NUM >= 160000
  InitBufferTag(&tag, &rel->rd_locator, MAIN_FORKNUM, block);
#else
  INIT_BUFFERTAG(tag, rel->rd_node, MAIN_FORKNUM, block);
#endif
  return tag;
}

inline IndexScanDesc begin_index_scan(Relation table, Relation index, Snapshot snapshot, int keys) {
#if PG_VERSION_NUM >= 180000
  return index_beginscan(table, index, snapshot, nullptr, keys, 0); // nullptr: EXPLAIN doesn't count it
#else
  return index_beginscan(table, index, snapshot, keys, 0);
#endif
}

/// Adds the index entries of a stored row. With arbiters another row in their place is no error: `lost` says so.
inline void insert_index_entries(ResultRelInfo *result, TupleTableSlot *slot, EState *estate, bool *lost = nullptr,
                                 List *arbiters = NIL) {
#if PG_VERSION_NUM >= 160000
  ExecInsertIndexTuples(result, slot, estate, false, lost != nullptr, lost, arbiters, false);
#else
  ExecInsertIndexTuples(result, slot, estate, false, lost != nullptr, lost, arbiters);
#endif
}

/// Whether the client has sent more than what is being executed.
inline bool client_sent_more() {
#if PG_VERSION_NUM >= 170000
  return pq_buffer_remaining_data() > 0;
#else
  return pq_buffer_has_data();
#endif
}

} // namespace pql::pg
