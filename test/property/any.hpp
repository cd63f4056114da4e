// What the laws draw from. Generators are as wide for the first case as for the last: nothing here grows with the case.
// Law: drawn within a property only, so that what fails is shown and made smaller.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace pql {

/// From lo up to, but not including, hi.
template <class T = int> T number(T lo, T hi) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(lo, hi));
}

/// True once in n times.
inline bool one_in(int n) { return number(0, n) == 0; }

template <class T> std::vector<T> shuffled(std::vector<T> all) {
  for (std::size_t i = all.size(); i > 1; i--) std::swap(all[i - 1], all[number<std::size_t>(0, i)]);
  return all;
}

inline void check(const char *law, bool holds) { EXPECT_TRUE(holds) << law; }

} // namespace pql
