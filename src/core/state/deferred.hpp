// What a writer of a deferred source leaves to be folded later: events as its rows say them, and what else is to be done.
// Law: a reader gives what was written, in its order; it never reads outside its input, and refuses what no writer has written.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace pql {

/// One thing to be done. Views borrow from what was read, or need to live for the call that writes it.
struct DeferredRecord {
  enum class Kind : std::uint8_t {
    event,     ///< to be folded
    touched,   ///< a row that was changed or deleted: its homes are to be derived again
    home,      ///< to be derived again
    truncated, ///< whoever has a home is to be derived again
    unusable,  ///< events that could not be used, to be counted
  };
  Kind kind = Kind::event;
  bool has_account = false, has_properties = false;
  bool own_done = false, workspace_done = false; ///< it is in the state of that home already
  std::string_view user = {}, account = {}, workspace = {}, event = {}; ///< ids as the row says them; account and workspace may be absent
  std::string_view id = {}; ///< encoded; may be empty
  Micros at = 0, arrived = 0;
  std::string_view text = {}; ///< the key of a home; the reason why events are unusable
  std::uint64_t count = 0; ///< of those events
};

/// Writes records one after the other. Words that come again, as most do, take a byte or two.
class DeferredWriter {
public:
  explicit DeferredWriter(Arena &a) : arena_(a), out_(a) { begin(); }
  /// Forgets what was written, and what it lay in: the arena was reset.
  void start_over() {
    out_ = Writer(arena_);
    begin();
  }
  void add(const DeferredRecord &r);
  std::size_t size() const noexcept { return out_.size(); }
  std::uint32_t events() const noexcept { return events_; } ///< records that are events or touched ones
  bool empty() const noexcept { return records_ == 0; }
  std::string_view view() const noexcept { return out_.view(); }

private:
  void begin();
  void word(std::string_view s);

  static constexpr std::size_t kSlots = 256;

  Arena &arena_;
  Writer out_;
  std::uint32_t *slots_; ///< by their hash: the number of a word, 1 for the first that was written; 0: free
  Vec<std::string_view> words_;
  std::uint32_t events_ = 0, records_ = 0;
  Micros last_ = 0;
};

/// Reads what a DeferredWriter has written.
class DeferredReader {
public:
  DeferredReader(Arena &a, std::string_view body);
  /// False at the end, or when the rest isn't readable: then ok() is false.
  bool next(DeferredRecord &r);
  bool ok() const noexcept { return in_.ok(); }

private:
  std::string_view word();

  Arena &arena_;
  Reader in_;
  Vec<std::string_view> words_;
  Micros last_ = 0;
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
