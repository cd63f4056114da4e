#include "core/shard/shard.hpp"

#include <charconv>

namespace pql {
namespace {

constexpr std::size_t kLongestName = 63; // of PostgreSQL's identifiers, in bytes

} // namespace

std::optional<std::int64_t> shard_of(std::string_view relation) noexcept {
  const std::size_t bar = relation.rfind('_');
  if (bar == relation.npos || bar == 0) return std::nullopt;
  const std::string_view digits = relation.substr(bar + 1);
  if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos || digits.front() == '0') return std::nullopt;
  std::int64_t shard = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), shard);
  if (error != std::errc{}) return std::nullopt;
  return shard;
}

std::optional<std::string> shard_name(std::string_view relation, std::int64_t shard) {
  if (relation.empty() || shard <= 0) return std::nullopt;
  std::string name = std::string(relation) + "_" + std::to_string(shard);
  if (name.size() > kLongestName) return std::nullopt;
  return name;
}

} // namespace pql
