#include "core/topic/filter.hpp"

#include <algorithm>
#include <unordered_map>

namespace pql::topic {
namespace {

std::uint32_t byte(const char *at, int i) { return static_cast<unsigned char>(at[i]); }

} // namespace

std::uint32_t Filter::bucket(const char *at) noexcept { return ((byte(at, 0) | byte(at, 1) << 8 | byte(at, 2) << 16) * 0x9E3779B1u) >> 16; }
std::uint32_t Filter::bucket_of_two(const char *at) noexcept { return kBuckets + (byte(at, 0) | byte(at, 1) << 8); }

void Filter::add(std::size_t entry, Needed needed) {
  if (needed.empty()) return always_.push_back(entry);
  Way way{entry, {}};
  for (std::vector<std::string> &words : needed) {
    std::vector<Id> &list = way.lists.emplace_back();
    for (std::string &w : words) {
      list.push_back(static_cast<Id>(words_.size()));
      words_.push_back({std::move(w), list.back()});
    }
  }
  ways_.push_back(std::move(way));
}

void Filter::close() {
  std::unordered_map<std::string_view, Id> ids;
  std::vector<Id> id_of(words_.size());
  for (const Word &w : words_) id_of[w.id] = ids.try_emplace(w.text, static_cast<Id>(ids.size())).first->second;
  std::vector<Word> words(ids.size());
  for (const auto &[text, id] : ids) words[id] = {std::string(text), id};
  ids.clear();
  words_ = std::move(words);
  first_.assign(words_.size() + 1, 0);
  for (Way &way : ways_) {
    for (std::vector<Id> &list : way.lists) {
      for (Id &w : list) w = id_of[w];
    }
    for (Id w : way.lists.front()) first_[w + 1]++;
  }
  for (std::size_t i = 1; i < first_.size(); i++) first_[i] += first_[i - 1];
  ways_by_word_.resize(first_.back());
  std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
  for (std::uint32_t i = 0; i < ways_.size(); i++) {
    for (Id w : ways_[i].lists.front()) ways_by_word_[next[w]++] = i;
  }
  seen_.assign(words_.size(), 0);
  place_words();
}

void Filter::place_words() {
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
    return x != y ? x < y : a.text < b.text;
  });
  begins_.assign(2 * kBuckets + 1, static_cast<std::uint32_t>(words_.size()));
  for (std::size_t i = words_.size(); i-- > 0;) begins_[bucket_of(words_[i])] = static_cast<std::uint32_t>(i);
  for (std::size_t b = 2 * kBuckets; b-- > 0;) begins_[b] = std::min(begins_[b], begins_[b + 1]);
}

void Filter::look(std::uint32_t bucket, std::size_t at) {
  for (std::uint32_t i = begins_[bucket]; i < begins_[bucket + 1]; i++) {
    const Word &w = words_[i];
    if (seen_[w.id] == round_ || w.offset > at || text_.compare(at - w.offset, w.text.size(), w.text) != 0) continue;
    seen_[w.id] = round_;
    there_.push_back(w.id);
  }
}

bool Filter::is_there(const std::vector<Id> &list) const {
  return std::any_of(list.begin(), list.end(), [&](Id w) { return seen_[w] == round_; });
}

void Filter::candidates(std::string_view text, std::vector<std::size_t> &out) {
  out = always_;
  round_++;
  there_.clear();
  text_ = text;
  std::replace_if(text_.begin(), text_.end(), is_mark, kBoundary);
  for (std::size_t at = 0; at + 2 <= text_.size(); at++) {
    look(bucket_of_two(text_.data() + at), at);
    if (at + 3 <= text_.size()) look(bucket(text_.data() + at), at);
  }
  for (Id w : there_) {
    for (std::uint32_t i = first_[w]; i < first_[w + 1]; i++) {
      const Way &way = ways_[ways_by_word_[i]];
      if (std::all_of(way.lists.begin() + 1, way.lists.end(), [&](const auto &list) { return is_there(list); })) out.push_back(way.entry);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

} // namespace pql::topic
