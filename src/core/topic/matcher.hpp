// Finds topics in messages: which patterns could match is told by words, then each of those looks at the sentence by itself.
// Law: linear in the message and bounded, whatever it holds; what is quoted or denied is not found; the same message and lexicon
// give the same findings in the same order.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <span>

#include "core/topic/filter.hpp"
#include "core/topic/lexicon.hpp"

namespace re2 {
class RE2;
}

namespace pql::topic {

inline constexpr std::size_t kMostRead = 1 << 20;    ///< bytes of a message; what is behind them isn't read
inline constexpr std::size_t kMostLooks = 20'000;    ///< closer looks at a sentence for a pattern, of one message
inline constexpr std::int64_t kCompiledMemory = 256 << 20; ///< bytes that patterns by themselves may take together
inline constexpr std::size_t kLongQuote = 200;       ///< code points
inline constexpr int kOwnWords = 2;                  ///< everyday words of a pattern's language, that many times kOtherWords outweigh
inline constexpr int kOtherWords = 3;                ///< everyday words, of a sentence in another language than a pattern
inline constexpr int kWithinWords = 6;               ///< how far a denial reaches; two letters of a script without blanks are a word

/// A topic found in a message.
struct Finding {
  std::size_t entry = 0;          ///< whose pattern matched
  std::size_t begin = 0, end = 0; ///< what matched, in the original
  std::string quote;              ///< the sentence that holds it, as it was written, cut to kLongQuote around the match
};

/// A compiled lexicon. One message at a time.
class Matcher {
public:
  /// Entries whose patterns can't be used are left out.
  explicit Matcher(std::vector<Entry> entries);
  ~Matcher();
  Matcher(const Matcher &) = delete;
  Matcher &operator=(const Matcher &) = delete;

  /// Each topic once, in the order in which their sentences come, and within one by their names.
  std::vector<Finding> find(std::string_view message);

  const std::vector<Entry> &entries() const noexcept { return entries_; }
  std::size_t patterns() const noexcept;
  /// How many bytes the patterns may take that were compiled by themselves: at most kCompiledMemory.
  std::int64_t memory() const noexcept { return compiled_; }

private:
  struct Cues;
  struct Span;

  void add_cue(std::size_t entry);
  bool is_quote(std::string_view line);
  std::string_view sentence(const Sentence &s) const;
  void look_at(const Sentence &s, std::size_t at, std::string_view message, std::vector<Finding> &found);
  void spans_of(std::size_t entry, std::string_view sentence, std::vector<Span> &out);
  bool is_foreign(std::string_view language, std::string_view sentence);
  bool is_aside(std::string_view sentence);
  bool is_denied(const Entry &e, std::string_view sentence, std::size_t begin, std::size_t end);
  bool denies(Cues &cues, std::string_view sentence, std::size_t begin, std::size_t end);
  void look_for_cues(std::string_view sentence);
  bool is_near(std::string_view between);
  Finding finding(const Span &span, const Sentence &s, std::string_view message);
  re2::RE2 &pattern(std::size_t entry);
  void forget_patterns(std::size_t but);

  Normaliser n_;
  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<re2::RE2>> patterns_; ///< by entry, compiled when needed
  std::vector<bool> used_;                          ///< by entry, since some were forgotten
  std::int64_t compiled_ = 0;                       ///< bytes that they may take
  Filter filter_, cue_filter_;
  std::map<std::string, std::unique_ptr<Cues>, std::less<>> cues_; ///< by language
  std::vector<int> topic_of_; ///< by entry, a number for each topic
  int topics_count_ = 0;
  Normalised text_, piece_;
  std::vector<std::size_t> candidates_, cue_candidates_; ///< whose patterns could match what is looked at
  bool cues_known_ = false;                              ///< the latter
  std::vector<bool> done_; ///< topics that were found in this message
  std::size_t looks_ = 0;
};

} // namespace pql::topic

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
