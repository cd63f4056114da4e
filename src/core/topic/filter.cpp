#include "core/topic/filter.hpp"

#include <algorithm>
#include <cstring>

namespace pql::topic {

namespace {

std::uint32_t byte(const char *at, int i) { return static_cast<unsigned char>(at[i]); }

} // namespace

std::uint32_t Filter::bucket(const char *at) noexcept { return ((byte(at, 0) | byte(at, 1) << 8 | byte(at, 2) << 16) * 0x9E3779B1u) >> 16; }
std::uint32_t Filter::bucket_of_two(const char *at) noexcept { return kBuckets + (byte(at, 0) | byte(at, 1) << 8); }

void Filter::add(std::size_t entry, Needed needed) {
  if (needed.empty()) return always_.push_back(entry);
  if (needed.size() > 32) needed.resize(32);
  const auto way = static_cast<std::uint32_t>(ways_.size());
  ways_.push_back({entry, static_cast<std::uint32_t>((std::uint64_t{1} << needed.size()) - 1)});
  std::uint32_t list = 1;
  for (std::vector<std::string> &words : needed) {
    for (std::string &w : words) words_.push_back({std::move(w), way, list});
    list <<= 1;
  }
}

void Filter::close() {
  std::vector<std::uint32_t> common(2 * kBuckets);
  const auto each = [](const Word &w, auto &&f) {
    if (w.text.size() == 2) f(0, bucket_of_two(w.text.data()));
    for (std::uint32_t i = 0; i + 3 <= w.text.size(); i++) f(i, bucket(w.text.data() + i));
  };
  for (const Word &w : words_) each(w, [&](std::uint32_t, std::uint32_t b) { common[b]++; });
  for (Word &w : words_) {
    std::uint32_t least = UINT32_MAX;
    each(w, [&](std::uint32_t i, std::uint32_t b) {
      if (common[b] >= least) return;
      least = common[b];
      w.offset = i;
    });
  }
  const auto bucket_of = [](const Word &w) { return w.text.size() == 2 ? bucket_of_two(w.text.data()) : bucket(w.text.data() + w.offset); };
  std::sort(words_.begin(), words_.end(), [&](const Word &a, const Word &b) {
    const std::uint32_t x = bucket_of(a), y = bucket_of(b);
    return x != y ? x < y : a.text != b.text ? a.text < b.text : a.way < b.way;
  });
  begins_.assign(2 * kBuckets + 1, static_cast<std::uint32_t>(words_.size()));
  for (std::size_t i = words_.size(); i-- > 0;) begins_[bucket_of(words_[i])] = static_cast<std::uint32_t>(i);
  for (std::size_t b = 2 * kBuckets; b-- > 0;) begins_[b] = std::min(begins_[b], begins_[b + 1]);
}

void Filter::look(std::uint32_t bucket, std::string_view text, std::size_t at, std::vector<std::size_t> &out) {
  for (std::uint32_t i = begins_[bucket]; i < begins_[bucket + 1]; i++) {
    const Word &w = words_[i];
    Way &way = ways_[w.way];
    if (way.round != round_) way = {way.entry, way.lists, 0, round_};
    if ((way.seen & w.list) || w.offset > at || text.compare(at - w.offset, w.text.size(), w.text) != 0) continue;
    way.seen |= w.list;
    if (way.seen == way.lists) out.push_back(way.entry);
  }
}

void Filter::candidates(std::string_view text, std::vector<std::size_t> &out) {
  out = always_;
  round_++;
  for (std::size_t at = 0; at + 2 <= text.size(); at++) {
    look(bucket_of_two(text.data() + at), text, at, out);
    if (at + 3 <= text.size()) look(bucket(text.data() + at), text, at, out);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

} // namespace pql::topic
