// A stream of bytes as records: lines, or rows of CSV, whose quoted fields may hold line feeds.
// Law: memory is bounded whatever the stream holds; each byte belongs to one record, so that positions can be kept.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pql::cli {

/// What is longer than this is rejected.
inline constexpr std::size_t kLongestRecord = 16u << 20;

struct Record {
  std::string_view text; ///< without its end of line; valid until the next one is asked for
  std::string_view raw;  ///< with it
  std::int64_t line = 0; ///< the number of its first line, from 1
  std::string problem;   ///< why it can't be read: too long, a quote that isn't closed
  bool rest = false;     ///< more of a line that was too long: nothing to be read
  bool cut = false;      ///< the stream ended before it did: without a line feed, or within quotes
};

class Records {
public:
  /// Fills a buffer; gives the bytes, 0 at the end. Throws what it likes.
  using Fill = std::function<std::size_t(char *, std::size_t)>;

  /// The quoting is CSV's if `quoted`.
  Records(Fill fill, bool quoted, std::size_t longest = kLongestRecord)
      : fill_(std::move(fill)), quoted_(quoted), longest_(longest) {}

  /// The next record, empty lines too; false at the end.
  bool next(Record &record);
  /// The beginning of the stream, without taking it: at least so many bytes if there are.
  std::string_view peek(std::size_t bytes);
  void quoted(bool quoted) noexcept { quoted_ = quoted; }
  /// Where counting begins when the stream was entered at a later record.
  void begin_at(std::int64_t lines) noexcept { lines_ = lines; }
  /// Can reading go on here another time? Not within a line that was too long: its rest would look like a record.
  bool at_border() const noexcept { return !long_; }
  /// Lines taken so far.
  std::int64_t lines() const noexcept { return lines_; }

private:
  bool more();
  std::size_t end_of_record(std::size_t from, bool &inside) const noexcept;
  bool take(Record &record, std::size_t bytes);

  Fill fill_;
  bool quoted_;
  std::size_t longest_;
  std::vector<char> buffer_;
  std::size_t at_ = 0, end_ = 0;
  bool over_ = false, long_ = false;
  std::int64_t lines_ = 0;
};

/// The fields of a row of CSV, with their quotes taken off.
void split_csv(std::string_view row, char delimiter, std::vector<std::string> &fields);

} // namespace pql::cli
