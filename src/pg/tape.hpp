// Events and what else is known of subjects, gathered by subject and played back in the order of time.
// Law: what is in memory at once is a bounded part of it, however much there is; the rest lies in temporary files.
#pragma once

#include "pg/definitions.hpp"

extern "C" {
#include "storage/buffile.h"
}

namespace pql::pg {

/// One thing on a tape. Views live until the subject's entries have been played.
struct Entry {
  enum class Kind : std::uint16_t { event, share, stated };
  Kind kind = Kind::event;
  TrackerId tracker = 0;           ///< stated: the milestone
  Micros at = kAlways;
  const EventPlan *plan = nullptr; ///< event: what it does; null: nothing
  std::string_view subject;
  std::string_view other;          ///< event: of an account's or a workspace's, its user; of a user's, its account, if it has one
  std::string_view account;        ///< event: of a workspace's, its account, if it has one
  std::string_view id;
  std::string_view body;           ///< share: an encoded home, which the subject is the owner of
  std::span<const bool> rules;
  std::span<const double> values;
};

class Tape {
public:
  Tape();
  Tape(const Tape &) = delete;
  Tape &operator=(const Tape &) = delete;

  /// Adds an entry. Inside call().
  void add(const Entry &e);
  /// Calls f(entries) for every subject, with its entries in the order of their times and, at one time, as they were added. In no
  /// order of subjects. Once.
  template <class F>
  void play(F &&f) {
    for (Part &p : parts_) {
      load(p);
      for (std::size_t at = 0; at < keys_.size();) {
        at = next_subject(at);
        f(std::span<const Entry>(entries_));
      }
      drop(p);
    }
  }
  std::uint64_t entries() const noexcept { return added_; }

private:
  struct Head {
    std::uint64_t hash;
    Micros at;
    const EventPlan *plan;
    std::uint32_t size, body;
    std::uint16_t subject, other, account, id, rules, values, tracker;
    Entry::Kind kind;
  };
  struct Part {
    char *data = nullptr;
    std::size_t size = 0, capacity = 0, spilled = 0;
    BufFile *file = nullptr;
  };
  struct Key {
    std::uint64_t hash;
    Micros at;
    std::size_t place;
    auto operator<=>(const Key &) const = default;
  };
  static constexpr std::size_t kParts = 128;

  void spill();
  void load(Part &p);
  std::size_t next_subject(std::size_t at);
  Entry entry_at(std::size_t place) const noexcept;
  void drop(Part &p) noexcept;

  Scratch memory_{"pql tape"};
  MemoryContext context_;
  std::size_t most_, used_ = 0;
  std::uint64_t added_ = 0;
  Part parts_[kParts];
  const char *loaded_ = nullptr;
  std::vector<Key> keys_;
  std::vector<Entry> entries_;
};

} // namespace pql::pg
