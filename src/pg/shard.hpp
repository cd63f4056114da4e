// On a cluster, what is kept of homes lies in shards beside those of the events: tables of schema pql_cluster have the form and name of
// pql's own, and within a shard those stand for these. So all else is written as for one node.
// Law: within a shard nothing reads or writes another shard's homes; outside of all shards, on a cluster, nobody reads state by himself.
#pragma once

#include "pg/boundary.hpp"

namespace pql::pg {

/// From now on tables of homes, and the events table itself, are those of the shard that a relation is of, until leave_shard(). False,
/// and nothing happens, if it is no shard. What another shard left to do is done first. Throws PgError.
bool enter_shard(Relation events);
bool enter_shard(Oid relation);
/// Does what is left to do within the shard, and leaves it. Throws PgError.
void leave_shard();
/// The transaction is over, or has failed.
void forget_shard() noexcept;
bool within_shard() noexcept;

/// Whether a relation is the current shard's part of a table.
bool is_part_of(Oid part, Oid table) noexcept;

/// What stands for a relation of pql's, or an events table, within the current shard; itself if nothing does. Inside call().
Oid standing_in(Oid relation);

/// Whether what is kept of homes is spread over shards. Inside call().
bool is_spread();
/// Raises 0A000 where it is and no shard was entered: what is to be read by hand isn't here. Inside call().
void require_here();

/// Queries read and write what stands for their relations.
void set_relations(Query *query);
/// What was planned in another shard must not be used. Called before a statement of a client's. Inside call().
void plan_afresh();

/// Installs callbacks and hooks. Called once, when the library is loaded.
void watch_shards();

} // namespace pql::pg
