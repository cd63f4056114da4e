// Everybody's points at once: rows of pql.state, joined with what rules need, scored by as many processes as PostgreSQL finds worth it.
// Law: what a row alone doesn't tell is left to whoever reads more, so that a scoreboard says of everybody what score() says.
#pragma once

#include "pg/facts.hpp"

namespace pql::pg {

/// Scores accounts, or workspaces, by their rows, in whichever process it is asked.
class RowScorer {
public:
  struct Asked {
    std::int32_t program;
    int version;
    Micros as_of;
    bool operator==(const Asked &) const = default;
  };
  /// Fails with 40001 when the program's version is in force no more.
  explicit RowScorer(const Asked &asked);

  struct Score {
    enum class Of : unsigned char { nobody, somebody, left } of;
    int points;
    std::string_view kinds; ///< a jsonb value, until the next call
  };
  /// `attributes`: a jsonb value.
  Score of(std::string_view home, std::string_view body, std::optional<Datum> attributes);

  const Asked &asked() const noexcept { return asked_; }
  std::uint64_t generation() const noexcept { return generation_; } ///< of the definitions

private:
  std::string_view kinds_of(const Assessment &a);
  std::optional<Subject> as_early_as_possible(Arena &arena, const Subject &s) const;

  const Asked asked_;
  const std::shared_ptr<const Definitions> plan_;
  const std::uint64_t generation_;
  const Program *const program_;
  const RuleNeeds needs_;
  const MilestonesWanted milestones_;
  const bool may_guess_; ///< when milestones were reached: no rule knows it
  std::vector<Reason> reasons_;
  struct HashOfPoints {
    std::size_t operator()(const std::array<int, kKinds> &points) const noexcept {
      std::uint64_t h = 0;
      for (const int x : points) h = (h ^ static_cast<std::uint32_t>(x)) * 0x9e3779b97f4a7c15ull;
      return h ^ h >> 32;
    }
  };
  std::unordered_map<std::array<int, kKinds>, std::string, HashOfPoints> kinds_; ///< as they are given; many have the same
};

/// Calls f(subject, points, kinds) for every subject of a program, as score() would have it. `kinds` is a jsonb value.
void score_everybody(const Asked &a, const std::function<void(std::string_view, int, Datum)> &f);

} // namespace pql::pg
