// Which of many patterns could match a text, told by the words that they need.
// Law: a pattern that matches is never left out.
#pragma once

#include "core/topic/pattern.hpp"

namespace pql::topic {

/// Finds words by three bytes of each, those that the fewest others have, or by the two that it has; and patterns by the rarest of their lists.
class Filter {
public:
  /// A way to match a pattern: a word of each list, none of them shorter than kShortWord; the first list tells most. An entry may have
  /// several ways.
  void add(std::size_t entry, Needed needed);
  /// After the last add.
  void close();

  /// The entries that could match a normalised text, in their order.
  void candidates(std::string_view text, std::vector<std::size_t> &out);

private:
  using Id = std::uint32_t;
  struct Word {
    std::string text;
    Id id;
    std::uint32_t offset = 0; ///< of its three bytes, or two
  };
  struct Way {
    std::size_t entry;
    std::vector<std::vector<Id>> lists;
  };
  static constexpr std::uint32_t kBuckets = 1 << 16;
  /// Of words of three bytes and more, and of those of two behind them.
  static std::uint32_t bucket(const char *at) noexcept;
  static std::uint32_t bucket_of_two(const char *at) noexcept;
  void place_words();
  void look(std::uint32_t bucket, std::size_t at);
  bool is_there(const std::vector<Id> &list) const;

  std::vector<std::size_t> always_;
  std::vector<Way> ways_;
  std::vector<Word> words_;            ///< by bucket
  std::vector<std::uint32_t> begins_;  ///< of each bucket among words_, and an end
  std::vector<std::uint32_t> first_;   ///< of each word's ways among ways_by_word_, and an end: those whose first list has it
  std::vector<std::uint32_t> ways_by_word_;
  std::vector<std::uint32_t> seen_;    ///< by word: the last text that had it
  std::vector<Id> there_;              ///< words of this text
  std::string text_;
  std::uint32_t round_ = 0;
};

} // namespace pql::topic

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
