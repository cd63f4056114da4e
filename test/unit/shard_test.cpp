// Names of shards, as they are recognized and made; no cluster is needed for that.
#include <gtest/gtest.h>

#include <limits>

#include "core/shard/shard.hpp"

namespace pql {
namespace {

TEST(Shard, IsKnownByTheNumberAtTheEndOfItsName) {
  EXPECT_EQ(shard_of("events_102008"), 102008);
  EXPECT_EQ(shard_of("app_events_2024_102008"), 102008);
  EXPECT_EQ(shard_of("a_very_long_events_table_name_that_is_near_the__f609a63c_102090"), 102090);
}

TEST(Shard, IsNotWhatHasNoSuchName) {
  for (const char *name : {"events", "events_", "_102008", "events_0102008", "events_10x", "events_-5", "events102008", "", "_",
                           "events_99999999999999999999"})
    EXPECT_EQ(shard_of(name), std::nullopt) << name;
}

TEST(Shard, NamesWhatBelongsToIt) {
  EXPECT_EQ(shard_name("state", 102024), "state_102024");
  EXPECT_EQ(shard_of(*shard_name("state", 102024)), 102024);
  EXPECT_EQ(shard_of(*shard_name("x", std::numeric_limits<std::int64_t>::max())), std::numeric_limits<std::int64_t>::max());
}

TEST(Shard, HasNoNameThatPostgresqlWouldCut) {
  EXPECT_EQ(shard_name(std::string(56, 'x'), 102024)->size(), 63U);
  EXPECT_EQ(shard_name(std::string(57, 'x'), 102024), std::nullopt);
  EXPECT_EQ(shard_name("", 102024), std::nullopt);
  EXPECT_EQ(shard_name("state", 0), std::nullopt);
}

} // namespace
} // namespace pql
