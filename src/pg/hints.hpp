// Where rows of pql.state lie, as this backend saw them last. It spares the descent of the index and the walk along a row's versions,
// and tells what to bring into the processor's cache before it is needed.
// Law: a hint is never trusted. What it leads to must be visible, and be the row that is wanted.
#pragma once

#include <array>

#include "pg/pg.hpp"

namespace pql::pg {

/// Where one row (a home's head, part or lane) was seen.
struct Hint {
  std::uint32_t hash;      ///< of home and part; 0: free
  ItemPointerData root;    ///< where its chain of versions begins: there the index points, until an update leaves the page
  std::uint16_t seen : 12; ///< the version that was seen, on the same page
  std::uint16_t depth : 4; ///< of a head: how far its members are spread over parts
  Buffer buffer;           ///< where the page was in memory

  void saw(const ItemPointerData &version) noexcept { seen = ItemPointerGetOffsetNumberNoCheck(&version) & 0xfff; }
};

/// The hint for a row, or null. Good until the next remember_row().
Hint *hint_for(std::string_view home, int part) noexcept;

/// Notes where a row is, or is about to be: of a row that was seen, the version too.
void remember_row(std::string_view home, int part, const ItemPointerData &root, const ItemPointerData &seen);

/// Brings what merging into some homes will touch nearer to the processor, a few homes ahead: waiting for memory is a third of what
/// a home costs, and this way several wait at once.
class ReadAhead {
public:
  explicit ReadAhead(std::span<HomeDelta *const> homes) noexcept : homes_(homes) {}
  /// Before each home is merged.
  void advance() noexcept;

private:
  static constexpr std::size_t kRows = 4; ///< of one home: its head and some parts
  struct Row {
    std::uint32_t hash;
    const Hint *hint; ///< null: none that is of use
  };
  struct Rows {
    std::array<Row, kRows> row;
    std::size_t size = 0;
  };
  static constexpr std::size_t kAhead = 8;

  Rows &rows_of(std::size_t home) noexcept { return near_[home % kAhead]; }
  void begin(std::size_t home) noexcept;
  void find_head(std::size_t home) noexcept;
  void find_parts(std::size_t home) noexcept;

  std::span<HomeDelta *const> homes_;
  std::size_t next_ = 0;
  std::array<Rows, kAhead> near_{};
};

} // namespace pql::pg
