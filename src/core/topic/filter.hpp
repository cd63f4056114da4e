// Which of many patterns could match a text, told by the words that they need.
// Law: a pattern that matches is never left out; linear in the text, but for words that begin alike.
#pragma once

#include "core/topic/pattern.hpp"

namespace pql::topic {

/// Finds words in texts without marks: by three bytes of each, those that the fewest others have, or by the two that it has.
class Filter {
public:
  /// A way to match a pattern: a word of each list, none of them shorter than kShortWord. An entry may have several.
  void add(std::size_t entry, Needed needed);
  /// After the last add.
  void close();

  /// The entries that could match, in their order.
  void candidates(std::string_view text, std::vector<std::size_t> &out);

private:
  struct Word {
    std::string text;
    std::uint32_t way;
    std::uint32_t list;       ///< a bit
    std::uint32_t offset = 0; ///< of its three bytes, or two
  };
  struct Way {
    std::size_t entry;
    std::uint32_t lists;      ///< all bits
    std::uint32_t seen = 0;   ///< in the text of a round
    std::uint32_t round = 0;
  };
  static constexpr std::uint32_t kBuckets = 1 << 16;
  /// Of words of three bytes and more, and of those of two behind them.
  static std::uint32_t bucket(const char *at) noexcept;
  static std::uint32_t bucket_of_two(const char *at) noexcept;
  void look(std::uint32_t bucket, std::string_view text, std::size_t at, std::vector<std::size_t> &out);

  std::vector<Word> words_;
  std::vector<std::size_t> always_;
  std::vector<std::uint32_t> begins_; ///< of each bucket among words_, and an end
  std::vector<Way> ways_;
  std::uint32_t round_ = 0;
};

} // namespace pql::topic

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
