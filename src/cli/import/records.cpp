#include "cli/import/records.hpp"

#include <algorithm>
#include <cstring>

#include <utf8proc.h>

namespace pql::cli {

namespace {
constexpr std::size_t kChunk = 256 << 10;
}

// Reads more behind what there is. What was taken is dropped first.
bool Records::more() {
  if (over_) return false;
  if (at_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
    end_ -= at_;
    at_ = 0;
  }
  const std::size_t chunk = std::min(kChunk, longest_);
  if (buffer_.size() < end_ + chunk) buffer_.resize(std::max(buffer_.size() * 2, end_ + chunk));
  const std::size_t n = fill_(buffer_.data() + end_, chunk);
  if (n == 0) over_ = true;
  end_ += n;
  return n > 0;
}

std::string_view Records::peek(std::size_t bytes) {
  while (end_ - at_ < bytes && more()) {
  }
  return {buffer_.data() + at_, std::min(bytes, end_ - at_)};
}

// Bytes behind at_ to the line feed that ends the record, with it; 0 if it isn't in the buffer, or lies too far. The
// first `from` bytes have been looked at, and ended inside quotes or not.
std::size_t Records::end_of_record(std::size_t from, bool &inside) const noexcept {
  const std::size_t seen = std::min(end_ - at_, longest_);
  const char *const begin = buffer_.data() + at_, *const end = begin + seen;
  if (!quoted_) {
    const void *const found = from < seen ? std::memchr(begin + from, '\n', seen - from) : nullptr;
    return found ? static_cast<std::size_t>(static_cast<const char *>(found) - begin) + 1 : 0;
  }
  for (const char *p = begin + from; p < end; p++) {
    if (*p == '"') inside = !inside; // a doubled quote goes out and in again
    if (*p == '\n' && !inside) return static_cast<std::size_t>(p - begin) + 1;
  }
  return 0;
}

bool Records::take(Record &record, std::size_t bytes) {
  record.raw = {buffer_.data() + at_, bytes};
  record.text = record.raw;
  if (!record.text.empty() && record.text.back() == '\n') record.text.remove_suffix(1);
  if (!record.text.empty() && record.text.back() == '\r') record.text.remove_suffix(1);
  record.line = lines_ + 1;
  record.rest = long_;
  lines_ += std::count(record.raw.begin(), record.raw.end(), '\n');
  long_ = long_ && record.raw.back() != '\n';
  at_ += bytes;
  record.cut = record.raw.back() != '\n' && over_ && at_ == end_;
  return true;
}

bool Records::next(Record &record) {
  record.problem.clear();
  std::size_t seen = 0;
  bool inside = false;
  for (;;) {
    if (const std::size_t n = end_of_record(seen, inside)) return take(record, n);
    seen =
        std::min(end_ - at_, longest_); // whatever else is in the buffer, so that all of it is read alike from anywhere
    if (seen == longest_) break;
    if (!more()) {
      if (seen == 0) return false;
      if (!inside) return take(record, seen); // the last line has no line feed
      break;
    }
  }
  if (long_ && seen > 0) return take(record, seen);
  // Too long, or a quote isn't closed: then its first line alone is given up, and reading goes on behind it.
  const char *const begin = buffer_.data() + at_;
  const void *const feed = std::memchr(begin, '\n', seen);
  if (inside) {
    record.problem = "a quote isn't closed";
    take(record, feed ? static_cast<std::size_t>(static_cast<const char *>(feed) - begin) + 1 : seen);
    record.cut = seen < longest_; // the end came before the quote did
    return true;
  }
  record.problem = "longer than " + std::to_string(longest_ >> 20) + " MB";
  take(record, seen);
  long_ = true; // its rest comes as records that say so
  return true;
}

void split_csv(std::string_view row, char delimiter, std::vector<std::string> &fields) {
  std::size_t n = 0;
  const auto field = [&]() -> std::string & {
    if (n == fields.size()) fields.emplace_back();
    fields[n].clear();
    return fields[n++];
  };
  std::size_t at = 0;
  for (;;) {
    std::string &f = field();
    if (at < row.size() && row[at] == '"') {
      for (at++; at < row.size(); at++) {
        if (row[at] == '"') {
          if (at + 1 >= row.size() || row[at + 1] != '"') break;
          at++;
        }
        f += row[at];
      }
      if (at < row.size()) at++; // the closing quote
    }
    std::size_t end = row.find(delimiter, at);
    if (end == std::string_view::npos) end = row.size();
    f.append(row.substr(at, end - at));
    if (end == row.size()) break;
    at = end + 1;
  }
  fields.resize(n);
}

} // namespace pql::cli
