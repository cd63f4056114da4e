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
  /// Requires that the table of the state stays open.
  ReadAhead(Relation state, std::span<HomeDelta *const> homes) noexcept : state_(state), homes_(homes) {}
  /// Before each home is merged. Throws PgError.
  void advance();

private:
  static constexpr std::size_t kRows = 4;  ///< of one home: its head and some parts
  static constexpr std::size_t kGroup = 4; ///< homes whose pages are looked up together
  static constexpr std::size_t kAhead = 16;

  struct Rows {
    std::array<Hint, kRows> row; ///< as they were; with a page that isn't valid where there is no hint
    std::size_t size = 0;
  };

  Rows &rows_of(std::size_t home) noexcept { return near_[home % kAhead]; }
  void reach(std::size_t &done, std::size_t ahead, void (ReadAhead::*step)(std::size_t) noexcept) noexcept;
  void begin(std::size_t home) noexcept;
  void find_head(std::size_t home) noexcept;
  void find_parts(std::size_t home) noexcept;
  void find_pages(std::size_t from, std::size_t to);
  void approach_parts(std::size_t home) noexcept;

  Relation state_;
  std::span<HomeDelta *const> homes_;
  std::size_t next_ = 0, begun_ = 0, heads_ = 0, parts_ = 0, pages_ = 0, near_parts_ = 0;
  std::array<Rows, kAhead> near_{};
};

} // namespace pql::pg
