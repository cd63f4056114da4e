// window_funnel over a frame of rows that moves on: rows come at its end and go at its beginning.
// Law: the level is that of the rows in the frame, and a row costs the same however long the frame is.
#pragma once

#include <memory_resource>
#include <vector>

#include "core/sequence/summary.hpp"

namespace pql {

class MovingFunnel {
public:
  MovingFunnel(std::pmr::memory_resource *memory, int steps, Micros within, bool increase);
  MovingFunnel(const MovingFunnel &) = delete;
  MovingFunnel &operator=(const MovingFunnel &) = delete;

  /// A row at the end of the frame.
  void push(Micros at, std::uint32_t steps);
  /// The row at the beginning of the frame goes. False: can't tell what is left, start again with the frame's rows.
  bool pop(Micros at, std::uint32_t steps);
  /// Of the rows in the frame.
  int level() const;

  int steps() const noexcept { return kind_.steps; }
  Micros within() const noexcept { return kind_.within; }

private:
  struct Row {
    Micros at;
    std::uint32_t steps;
  };

  // How often each step is among the rows of one instant, which come and go one by one.
  struct Tally {
    Micros at = 0;
    std::size_t rows = 0;
    std::uint32_t of[kMaxConditions] = {};

    void add(std::uint32_t steps, int n) noexcept;
    std::uint32_t steps() const noexcept;
  };

  // Rows are those of `front`: instants whose numbers were worked out from the newest to the oldest; then those summarised in
  // `back_`, to which instants are appended; then those of the newest instant, which may not be all there yet.
  struct Front {
    Micros at;
    std::size_t rows;
  };

  Micros *latest_after(std::size_t i) const noexcept { return const_cast<Micros *>(latest_.data()) + i * kind_.steps; }
  void turn();
  void look_at_front() noexcept;
  void front_latest(Micros *latest) const noexcept;
  void drop_front();
  void drop_row();

  FunnelSummary kind_;
  std::pmr::vector<Row> rows_; // from head_ on; of earlier instants than the newest: up to newest_from_
  std::size_t head_ = 0, newest_from_ = 0;
  bool disordered_ = false;
  Micros newest_at_ = kAlways;

  std::pmr::vector<Front> front_; // its last is the oldest
  // For each of front_: the latest starts of what comes after it in front_, and how many steps a chain gets to there that has
  // taken i steps at this instant (for i = 0 .. steps).
  std::pmr::vector<Micros> latest_;
  std::pmr::vector<std::uint8_t> onward_;
  Tally oldest_; // of front_.back()

  std::pmr::vector<Micros> back_numbers_, work_numbers_, single_numbers_;
  FunnelSummary back_;
  Tally newest_;
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
