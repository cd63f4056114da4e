// The background worker: one launcher per server, which starts a worker in each database that asks for it (pql.worker) whenever there is
// something to do there. A worker calls pql.tick() and leaves, so that nobody who drops or copies a database waits for it.
#pragma once

namespace pql::worker {

/// Registers the launcher, if the library is being preloaded.
void register_launcher();

} // namespace pql::worker
