// Which of many patterns could match a text, told by the phrases that they need.
// Law: a pattern that matches is never left out.
#pragma once

#include <span>
#include <unordered_map>

#include "core/topic/pattern.hpp"

namespace pql::topic {

/// Finds phrases by an automaton that each place where one may begin is read with, and whose states are made when a text first leads
/// to them; then those patterns whose rarest phrase is there, and whose others stand before and behind it.
class Filter {
public:
  /// A way to match a pattern, of those that are asked for together; an entry may have several. All before the first look.
  void add(unsigned group, std::size_t entry, Needed needed);

  /// Finds the phrases of a normalised text, in which newlines count as blanks. It stays where it is while candidates are asked for.
  void look(std::string_view text);
  /// The entries of a group that could match a part of the text, in their order.
  void candidates(unsigned group, std::size_t from, std::size_t until, std::vector<std::size_t> &out);

private:
  using Id = std::uint32_t;
  struct Neighbour {
    Id phrase;
    int reach; ///< code points at the most between it and the rarest one
  };
  struct Way {
    unsigned group;
    std::size_t entry;
    std::vector<Neighbour> before, behind;
    std::uint32_t round = 0; ///< in which it was last found
  };
  /// In the pool: steps that wait for a byte or a boundary, neighbours that end here, and ways whose rarest phrase does.
  struct State {
    std::uint32_t steps, ends, ways, until;
  };
  /// A state and a byte, and where they lead; kEnds: a phrase ends there.
  struct Edge {
    std::uint32_t key, to;
  };
  static constexpr std::uint32_t kEnds = 1u << 31;
  struct Hit {
    std::uint32_t begin, end, state;
  };
  /// A hit of a neighbour, and the one before it.
  struct Place {
    std::uint32_t hit, next;
  };
  struct Places {
    std::uint32_t round, first;
  };

  Id phrase(std::vector<Step> steps);
  Neighbour neighbour(Phrase &p, long reach);

  void begin();
  void run(std::uint32_t state, std::size_t begin);
  std::uint32_t next(std::uint32_t state, unsigned char byte);
  std::uint32_t make(std::uint32_t from, unsigned char byte);
  void follow(std::uint32_t step, bool boundary);
  std::uint32_t keep();
  std::size_t slot(std::uint32_t key) const noexcept;
  void put(Edge e);

  void find_places(std::span<const Hit> hits);
  bool is_there(const Way &w, const Hit &rarest);
  template <class F> bool any_place(Id phrase, F &&f);
  bool is_within(std::size_t from, std::size_t until, int reach) const;

  std::vector<std::pair<unsigned, std::size_t>> always_;
  std::vector<Way> ways_;
  std::vector<std::vector<std::uint32_t>> ways_of_; ///< by their rarest phrase
  std::vector<bool> is_neighbour_;                  ///< by phrase: of any
  std::vector<Step> steps_;
  std::vector<std::uint32_t> begins_;         ///< of each phrase among the steps
  std::unordered_map<std::string, Id> known_; ///< phrases by their steps

  bool whole_ = false; ///< not before it begins, nor when memory ran out while a state was made
  std::vector<State> states_;
  std::vector<std::uint32_t> pool_;
  std::vector<Edge> first_; ///< of each state the one that was met first: those of a word lie side by side
  std::vector<Edge> edges_; ///< the others, by a hash of their keys; a power of two
  std::size_t edges_count_ = 0;
  unsigned shift_ = 0;
  std::vector<bool> seen_; ///< steps that were followed for the state that is made, and the list of them
  std::vector<std::uint32_t> followed_, waiting_;
  std::vector<Id> ended_;

  std::string_view text_;
  std::vector<Hit> hits_; ///< by where they begin
  std::vector<Places> places_of_; ///< by neighbour
  std::vector<Place> places_;
  std::size_t places_looked_at_ = 0;
  std::uint32_t round_ = 0;
};

} // namespace pql::topic

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
