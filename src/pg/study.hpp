// Hand-offs as the learner takes them: points from frozen packets, labels as of an instant; and learned models, written and read.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/learn/learner.hpp"
#include "pg/spi.hpp"

namespace pql::pg {

/// Until the session of queries that is open is finished, plans are made for many rows, however few the statistics know of: an index isn't
/// asked row by row, and nothing is compiled.
void expect_many();

/// The signals of a version that score, in the order of their names, and for each version of the program how many points each gives at the
/// most there: 0 where it means something else there.
struct ScoredSignals {
  int version = 0;
  std::vector<std::string> names, kinds;
  std::map<int, std::vector<int>> points; ///< by version; those of the program's pilots have negative numbers

  /// Of a program's version, which must be there.
  static ScoredSignals of(Spi &spi, const std::string &program, int version);
  const std::vector<int> &current() const { return points.at(version); }
  /// What a packet's reasons tell: nothing where the version isn't known, not all where something is hidden from whoever reads them.
  enum class Told : unsigned char { nothing, some, all };
  /// The shares of the points that they have; NaN where a signal meant something else.
  Told shares(Datum reasons, int version, std::vector<double> &out) const;
};

struct LabelledStudy : Study {
  ScoredSignals signals;
  std::vector<std::string> segment_names;
};

/// The hand-offs of a program and of its pilots with their labels as of an instant, those of another horizon than the version's left out. Of very many, the newest:
/// so many that their shares fit into 120 MB.
LabelledStudy read_study(Spi &spi, const std::string &program, int version, Micros as_of);

/// A model as pql.model has it: names instead of numbers.
nlohmann::json write_model(const Learned &l, const ScoredSignals &signals, const std::vector<std::string> &segments);
struct ReadModel {
  std::string program;
  Learned learned; ///< its terms and its calibration
  ScoredSignals signals;
  std::vector<std::string> segments;

  /// What isn't known of a row counts for nothing.
  double chance(std::vector<double> &shares, const std::string &segment, bool treated) const;
};
ReadModel read_model(Spi &spi, const std::string &program, int version, const std::string &body);

} // namespace pql::pg
