// Names of shards: on a cluster a table's rows lie in tables of the same form, named after it and numbered.
// Law: shard_of(shard_name(t, n)) is n; a name that no shard can have gives nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pql {

/// The number of the shard that a relation is by its name; whether it is one, only the cluster's catalogue tells.
std::optional<std::int64_t> shard_of(std::string_view relation) noexcept;

/// What a relation's part in a shard is called. Nothing when that is longer than a name may be: then it is called otherwise.
std::optional<std::string> shard_name(std::string_view relation, std::int64_t shard);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
