// How far something long is: a bar on a terminal, a line every few seconds elsewhere, nothing with --quiet.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pql::cli {

/// What stands in the line, made from what is known; a pure function, so that it is tested without a terminal.
struct ProgressState {
  std::string label;       ///< "events.csv"
  std::string unit;        ///< "rows"
  std::int64_t done = 0;   ///< units, for the rate
  double share = -1;       ///< 0 to 1; negative if the whole isn't known
  double seconds = 0;      ///< since it began
  double share_before = 0; ///< the share that was already done when it began, for the ETA
};
/// "events.csv [#####.....] 52 %  12,000 rows  81.3k/s  ETA 12 s", no wider than that.
std::string progress_line(const ProgressState &state, std::size_t width);

/// Shows itself on standard error as it goes on.
class Progress {
public:
  enum class Show { terminal, lines, nothing };
  /// The way to show that fits standard error.
  static Show fitting(bool quiet) noexcept;

  Progress(std::string label, std::string unit, Show show);
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;
  ~Progress();

  /// So many units are done, and such a share of the whole (negative: unknown). Cheap: shown a few times a second at
  /// the most.
  void at(std::int64_t done, double share = -1);
  /// What was done before this run, when it goes on with something.
  void resumed_at(double share) noexcept { state_.share_before = share; }
  /// The last state, and a line feed.
  void finish();
  /// Takes the bar from the terminal so that something else can be written.
  void clear();
  double seconds() const;

private:
  void show(bool last);
  ProgressState state_;
  Show show_;
  std::chrono::steady_clock::time_point begun_, shown_;
  bool on_line_ = false, finished_ = false;
};

} // namespace pql::cli
