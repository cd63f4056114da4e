// What the learner makes of numbers, for comparison with scikit-learn (learning.py): reads one question after the other, answers each
// with a line of numbers.
//   ridge ROWS COLUMNS STRENGTH...                   then of each row its label, weight and numbers: the coefficients
//   isotonic ROWS                                    then of each row where, value and weight: the line at each
//   metrics ROWS                                     then of each row the chance and the label: Brier score, log loss, area under the curve
//   learn SIGNALS POINTS... TRAINED FORECAST         then of each trained row its label and shares, of each other its shares: the chances
#include <cstdio>
#include <iostream>
#include <string>

#include "core/learn/isotonic.hpp"
#include "core/learn/learner.hpp"
#include "core/learn/ridge.hpp"

namespace {

using namespace pql;

double number() {
  double x = 0;
  std::cin >> x;
  return x;
}
std::size_t count() { return static_cast<std::size_t>(number()); }
void say(double x) { std::printf("%.17g ", x); }

void ridge() {
  const std::size_t rows = count();
  Design d;
  d.columns = count();
  std::vector<Penalty> penalties(d.columns);
  for (Penalty &p : penalties) p.strength = number();
  for (std::size_t i = 0; i < rows; i++) {
    const bool converted = number() != 0;
    const double weight = number();
    std::vector<double> row(d.columns);
    for (double &x : row) x = number();
    d.add(row, weight, 1, converted);
  }
  for (const double c : fit_ridge(d, penalties).coefficients) say(c);
}

void isotonic_line() {
  std::vector<Observed> all(count());
  for (Observed &o : all) {
    o.at = number();
    o.value = number();
    o.weight = number();
  }
  const std::vector<Level> levels = isotonic(all);
  for (const Observed &o : all) {
    for (const Level &l : levels) {
      if (l.from <= o.at && o.at <= l.to) say(l.value);
    }
  }
}

void metrics() {
  std::vector<Judged> all(count());
  for (Judged &j : all) {
    j.chance = number();
    j.converted = number() != 0;
  }
  say(brier_score(all));
  say(log_loss(all));
  say(area_under_curve(all));
}

void learnt() {
  Study s;
  s.points.resize(count());
  for (int &p : s.points) p = static_cast<int>(number());
  const std::size_t trained = count(), forecast = count();
  s.as_of = s.horizon; // all of it final, and of one time
  for (std::size_t i = 0; i < trained; i++) {
    HandOff h;
    h.converted = number() != 0;
    if (h.converted) h.converted_at = 1;
    s.hand_offs.push_back(h);
    for (std::size_t j = 0; j < s.points.size(); j++) s.shares.push_back(number());
  }
  const Learned l = learn(s);
  std::vector<double> shares(s.points.size());
  for (std::size_t i = 0; i < forecast; i++) {
    for (double &x : shares) x = number();
    say(l.chance(shares.data(), -1, true));
  }
}

} // namespace

int main() {
  for (std::string what; std::cin >> what;) {
    if (what == "ridge") ridge();
    else if (what == "isotonic") isotonic_line();
    else if (what == "metrics") metrics();
    else if (what == "learn") learnt();
    else return 1;
    std::puts("");
  }
}
