#include "core/learn/learner.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/learn/delay.hpp"
#include "core/learn/points.hpp"
#include "core/learn/ridge.hpp"

namespace pql {
namespace {

constexpr Micros kHalfLives[] = {45 * kDay, 90 * kDay, 180 * kDay, 360 * kDay, 1440 * kDay};

// One hand-off as far as its label was known at some time, and counts.
struct Label {
  std::size_t hand_off;
  double seen;
  bool converted;
};

double faded(Micros half_life, Micros at, Micros as_of) noexcept {
  return std::exp2(-static_cast<double>(std::max<Micros>(0, as_of - at)) / static_cast<double>(half_life));
}

// Of these hand-offs, as far as was known as of an instant, by how long conversions had taken by then. An open label counts as far as its
// conversion would have been seen.
std::vector<Label> labels_of(const Study &s, std::span<const std::size_t> hand_offs, Micros as_of) {
  constexpr double kLeastSeen = 0.02;
  const auto converted = [&](const HandOff &h) { return h.converted && h.converted_at <= as_of; };
  std::vector<Micros> delays;
  for (const std::size_t i : hand_offs) {
    const HandOff &h = s.hand_offs[i];
    if (converted(h) && as_of - h.at >= s.horizon) delays.push_back(h.converted_at - h.at);
  }
  const DelayCurve curve(std::move(delays), s.horizon);
  std::vector<Label> labels;
  for (const std::size_t i : hand_offs) {
    const double seen = curve.seen(as_of - s.hand_offs[i].at);
    if (seen >= kLeastSeen) labels.push_back({i, seen, converted(s.hand_offs[i])});
  }
  return labels;
}

std::vector<std::size_t> in_time(const Study &s) {
  std::vector<std::size_t> order(s.hand_offs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return s.hand_offs[a].at < s.hand_offs[b].at; });
  return order;
}

// The line that is closest to points, by least squares.
class Line {
public:
  void add(double x, double y, double weight = 1) noexcept {
    n_ += weight;
    x_ += weight * x;
    y_ += weight * y;
    xx_ += weight * x * x;
    xy_ += weight * x * y;
  }
  bool empty() const noexcept { return n_ == 0; }
  // Of points that lie above each other it is what is said.
  double slope(double otherwise) const noexcept {
    const double spread = n_ * xx_ - x_ * x_;
    return spread > 1e-9 * n_ * n_ ? (n_ * xy_ - x_ * y_) / spread : otherwise;
  }
  double at(double x, double slope) const noexcept { return y_ / n_ + slope * (x - x_ / n_); }

private:
  double n_ = 0, x_ = 0, y_ = 0, xx_ = 0, xy_ = 0;
};

using BinWeights = std::vector<std::array<double, kBins>>;

// The evidence of each bin of each signal, faded, of final labels.
struct SignalEvidence {
  BinWeights weights, counts;

  SignalEvidence(const Study &s, std::span<const Label> labels, std::span<const double> row_weights) {
    const std::size_t n = s.points.size();
    std::vector<std::array<Counts, kBins>> cells(n);
    Counts all;
    for (std::size_t i = 0; i < labels.size(); i++) {
      pause_at(s.pause, i);
      if (labels[i].seen < 1) continue;
      const Counts one = labels[i].converted ? Counts{row_weights[i], 0} : Counts{0, row_weights[i]};
      all += one;
      const double *shares = s.shares_of(labels[i].hand_off);
      for (std::size_t j = 0; j < n; j++) cells[j][static_cast<std::size_t>(bin_of(shares[j]))] += one;
    }
    std::vector<Spread> spread;
    for (const auto &signal : cells) {
      for (const Counts &c : signal) spread.push_back({c.converted, all.converted, c.all() / std::max(1e-9, all.all())});
    }
    const double strength = prior_strength(spread);
    weights.resize(n);
    counts.resize(n);
    for (std::size_t j = 0; j < n; j++) {
      for (std::size_t b = 0; b < kBins; b++) {
        const double share = cells[j][b].all() / std::max(1e-9, all.all());
        weights[j][b] = evidence_of(cells[j][b], all, {share, share}, strength).weight;
        counts[j][b] = cells[j][b].all();
      }
    }
  }

  // What the weights of a signal's bins come to along its points.
  double slope(std::size_t signal) const noexcept {
    Line line;
    for (std::size_t b = 0; b < kBins; b++) line.add(b == 0 ? 0 : (static_cast<double>(b) - 0.5) / (kBins - 1), weights[signal][b], counts[signal][b]);
    return line.slope(0);
  }
};

// A column of the design is a sum of terms. Its penalty says where its coefficient is expected.
struct Column {
  std::vector<Term> terms;
  Penalty penalty;
};

enum Group { kSignals, kSegments, kPresence, kPairs };

// What is fitted: the columns of the design, in their order.
struct Shape {
  std::vector<Column> columns;

  void add(std::vector<Term> terms, Penalty penalty) { columns.push_back({std::move(terms), penalty}); }
};

Shape plain_shape(const Study &s, const SignalEvidence &e) {
  using Of = Term::Of;
  constexpr double kLooseStrength = 1e-3, kSignalStrength = 1, kSegmentStrength = 10;
  Shape shape;
  shape.add({{Of::one, 0, 0, 1}}, {0, 0, -1});
  double mean = 0;
  for (const int p : s.points) mean += std::abs(p) / static_cast<double>(s.points.size());
  Column score, evidence;
  for (int j = 0; j < static_cast<int>(s.points.size()); j++) {
    score.terms.push_back({Of::signal, j, 0, s.points[static_cast<std::size_t>(j)] / mean});
    evidence.terms.push_back({Of::signal, j, 0, e.slope(static_cast<std::size_t>(j))});
  }
  shape.add(std::move(score.terms), {0.25, 0.5, -1});
  shape.add(std::move(evidence.terms), {25, 0.1, -1}); // correlated signals have it twice
  shape.add({{Of::treated, 0, 0, 1}}, {kLooseStrength, 0, -1});
  for (int j = 0; j < static_cast<int>(s.points.size()); j++) shape.add({{Of::signal, j, 0, 1}}, {kSignalStrength, 0, kSignals});
  for (int g = 0; g < s.segments; g++) shape.add({{Of::segment, g, 0, 1}}, {kSegmentStrength, 0, kSegments});
  return shape;
}

double value_of(const Column &c, const double *shares, const HandOff &h) noexcept {
  double sum = 0;
  for (const Term &t : c.terms) sum += t.weight * t.value(shares, h.segment, h.treated);
  return sum;
}

Design design_of(const Study &s, std::span<const Label> labels, std::span<const double> weights, const Shape &shape) {
  Design d;
  d.columns = shape.columns.size();
  d.pause = s.pause;
  std::vector<double> row(d.columns);
  for (std::size_t i = 0; i < labels.size(); i++) {
    const HandOff &h = s.hand_offs[labels[i].hand_off];
    const double *shares = s.shares_of(labels[i].hand_off);
    for (std::size_t j = 0; j < d.columns; j++) row[j] = value_of(shape.columns[j], shares, h);
    d.add(row, weights[i], labels[i].seen, labels[i].converted);
    pause_at(s.pause, i);
  }
  return d;
}

std::vector<Penalty> penalties_of(const Shape &shape) {
  std::vector<Penalty> all;
  for (const Column &c : shape.columns) all.push_back(c.penalty);
  return all;
}

// A fitted shape, and of how many labels, the newest.
struct Model {
  Shape shape;
  Fit fit;
  std::size_t labels = 0;

  std::vector<Term> terms() const {
    std::vector<Term> all;
    for (std::size_t j = 0; j < shape.columns.size(); j++) {
      for (Term t : shape.columns[j].terms) {
        t.weight *= fit.coefficients[j];
        const auto same = std::find_if(all.begin(), all.end(), [&](const Term &o) { return o.of == t.of && o.a == t.a && o.b == t.b; });
        if (same != all.end()) same->weight += t.weight;
        else all.push_back(t);
      }
    }
    std::erase_if(all, [](const Term &t) { return t.weight == 0; });
    return all;
  }
  double log_odds(const double *shares, const HandOff &h) const noexcept {
    double sum = 0;
    for (std::size_t j = 0; j < shape.columns.size(); j++) sum += fit.coefficients[j] * value_of(shape.columns[j], shares, h);
    return sum;
  }
};

// Labels in the order of time, and what they weigh as of an instant.
struct Part {
  std::span<const Label> labels;
  std::vector<double> weights;

  Part(const Study &s, std::span<const Label> all, Micros half_life, Micros as_of) : labels(all) {
    for (const Label &l : all) weights.push_back(faded(half_life, s.hand_offs[l.hand_off].at, as_of));
  }
};

Model fit_plain(const Study &s, const Part &part) {
  Model m;
  m.shape = plain_shape(s, SignalEvidence(s, part.labels, part.weights));
  m.fit = fit_ridge(design_of(s, part.labels, part.weights, m.shape), penalties_of(m.shape), true);
  m.labels = part.labels.size();
  return m;
}

struct Pair {
  int a, b;
  double found; // how much the plain model leaves to it: the score test's statistic
};

// Pairs of signals whose product goes with what the plain model leaves.
std::vector<Pair> telling_pairs(const Study &s, const Part &part, const Model &plain) {
  constexpr std::size_t kMostPairs = 24;
  constexpr double kLeastFound = 2;
  const std::size_t n = s.points.size();
  std::vector<double> slope(n * n), curve(n * n);
  std::vector<std::size_t> there;
  for (std::size_t i = 0; i < part.labels.size(); i++) {
    pause_at(s.pause, i);
    const HandOff &h = s.hand_offs[part.labels[i].hand_off];
    const double *u = s.shares_of(part.labels[i].hand_off);
    const double p = chance_of(plain.log_odds(u, h)), seen = part.labels[i].seen, missing = std::max(1e-12, 1 - p * seen);
    const double rises = part.weights[i] * (part.labels[i].converted ? 1 - p : -p * seen * (1 - p) / missing);
    const double curves = part.weights[i] * seen * p * (1 - p) * (1 - p) / missing;
    there.clear();
    for (std::size_t j = 0; j < n; j++) {
      if (u[j] > 0) there.push_back(j);
    }
    for (std::size_t x = 0; x < there.size(); x++) {
      for (std::size_t y = 0; y < x; y++) {
        const std::size_t at = there[x] * n + there[y];
        const double product = u[there[x]] * u[there[y]];
        slope[at] += rises * product;
        curve[at] += curves * product * product;
      }
    }
  }
  std::vector<Pair> found;
  for (std::size_t a = 0; a < n; a++) {
    for (std::size_t b = 0; b < a; b++) {
      const double statistic = curve[a * n + b] > 0 ? slope[a * n + b] * slope[a * n + b] / curve[a * n + b] : 0;
      if (statistic >= kLeastFound) found.push_back({static_cast<int>(b), static_cast<int>(a), statistic});
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Pair &a, const Pair &b) { return a.found > b.found; });
  if (found.size() > kMostPairs) found.resize(kMostPairs);
  return found;
}

// What a wider shape costs is bounded: its work is of the rows times the square of its columns, and of the oldest labels the least is lost.
std::span<const Label> newest(std::span<const Label> labels, std::size_t columns, double work) {
  const auto most = static_cast<std::size_t>(work / static_cast<double>(columns * columns));
  return labels.size() > most ? labels.last(most) : labels;
}

// More than one weight a signal: whether it is there at all, the evidence of its bins, and pairs.
Model fit_richer(const Study &s, std::span<const Label> labels, Micros half_life, Micros as_of, const Model &plain) {
  constexpr double kBinStrength = 4, kFirstStrength = 8;
  constexpr double kWork = 2e8; // some seconds
  using Of = Term::Of;
  const std::vector<Pair> pairs = telling_pairs(s, Part(s, labels, half_life, as_of), plain);
  const Part part(s, newest(labels, plain.shape.columns.size() + s.points.size() + pairs.size(), kWork), half_life, as_of);
  const SignalEvidence e(s, part.labels, part.weights);
  Model m;
  m.shape = plain.shape;
  Column bins;
  for (int j = 0; j < static_cast<int>(s.points.size()); j++) {
    for (int b = 0; b < kBins; b++) bins.terms.push_back({Of::bin, j, b, e.weights[static_cast<std::size_t>(j)][static_cast<std::size_t>(b)]});
  }
  m.shape.add(std::move(bins.terms), {kBinStrength, 0.25, -1});
  for (int j = 0; j < static_cast<int>(s.points.size()); j++) m.shape.add({{Of::present, j, 0, 1}}, {kFirstStrength, 0, kPresence});
  for (const Pair &p : pairs) m.shape.add({{Of::pair, p.a, p.b, 1}}, {kFirstStrength, 0, kPairs});
  std::vector<double> start = plain.fit.coefficients;
  start.resize(m.shape.columns.size());
  m.fit = fit_ridge(design_of(s, part.labels, part.weights, m.shape), penalties_of(m.shape), true, start);
  m.labels = part.labels.size();
  return m;
}

double likelihood_of(const Study &s, std::span<const Label> labels, const Model &m) {
  double sum = 0;
  for (const Label &l : labels) {
    const HandOff &h = s.hand_offs[l.hand_off];
    sum += log_likelihood(chance_of(m.log_odds(s.shares_of(l.hand_off), h)), l.seen, l.converted);
  }
  return sum;
}

struct Choice {
  Micros half_life = kUsual;
  bool richer = false;
  static constexpr Micros kUsual = 180 * kDay;
};

// Of fewer of either kind nothing is to be found: whatever is fitted, forecasts by luck.
bool are_enough(std::span<const Label> labels) noexcept {
  const auto converted = static_cast<std::size_t>(std::count_if(labels.begin(), labels.end(), [](const Label &l) { return l.converted; }));
  return converted >= kLeastOfEach && labels.size() - converted >= kLeastOfEach;
}

// What came next is forecast from what was known before, three times; whichever forecast best is taken.
Choice choose(const Study &s, std::span<const Label> all) {
  constexpr double kWork = 4e6;
  constexpr int kParts = 3, kPercent = 15;
  const std::size_t columns = s.points.size() + static_cast<std::size_t>(s.segments) + 4;
  const std::size_t every = 1 + static_cast<std::size_t>(static_cast<double>(all.size() * columns * columns) / kWork);
  std::vector<Label> some;
  for (std::size_t i = 0; i < all.size(); i += every) some.push_back(all[i]);
  constexpr std::size_t kLeast = 100;
  Choice choice;
  if (some.size() < kLeast) return choice;
  std::vector<std::size_t> hand_offs;
  for (const Label &l : some) hand_offs.push_back(l.hand_off);
  double gains[std::size(kHalfLives)], richer = 0;
  for (std::size_t h = 0; h < std::size(kHalfLives); h++) { // as a rule it is half a year, or twice or half of that
    const double away = std::log2(static_cast<double>(kHalfLives[h]) / static_cast<double>(Choice::kUsual));
    gains[h] = -away * away / 2;
  }
  std::vector<Model> models(std::size(kHalfLives));
  for (int part = 0; part < kParts; part++) {
    const std::size_t from = some.size() * static_cast<std::size_t>(100 - kPercent * (kParts - part)) / 100, to = some.size() * static_cast<std::size_t>(100 - kPercent * (kParts - part - 1)) / 100;
    const Micros as_of = s.hand_offs[some[from].hand_off].at;
    const std::span<const Label> next(some.data() + from, to - from);
    const std::vector<Label> before = labels_of(s, std::span(hand_offs.data(), from), as_of);
    if (!are_enough(before)) continue;
    for (std::size_t h = 0; h < std::size(kHalfLives); h++) {
      models[h] = fit_plain(s, Part(s, before, kHalfLives[h], as_of));
      gains[h] += likelihood_of(s, next, models[h]);
    }
    const std::size_t best = static_cast<std::size_t>(std::max_element(gains, gains + std::size(gains)) - gains);
    richer += likelihood_of(s, next, fit_richer(s, before, kHalfLives[best], as_of, models[best])) - likelihood_of(s, next, models[best]);
  }
  // Of so few labels as would be left with some, no weight could be proven.
  constexpr double kLeastPerSignal = 20;
  for (std::size_t h = 0; h + 1 < std::size(kHalfLives); h++) {
    const Part whole(s, all, kHalfLives[h], s.as_of);
    if (std::accumulate(whole.weights.begin(), whole.weights.end(), 0.0) < kLeastPerSignal * static_cast<double>(s.points.size() + 1)) gains[h] = -1e300;
  }
  choice.half_life = kHalfLives[std::max_element(gains, gains + std::size(gains)) - gains];
  choice.richer = richer > 0;
  return choice;
}

// Each label as it would have been forecast without its influence on the coefficients, by one step of Newton's method. The evidence of its bins
// is left as it is: of many labels it is one. All final ones count the same, however old: a season's share of conversions, or that of
// a few fresh labels, isn't to be taken for the next one's.
std::vector<Forecast> forecasts_of(const Study &s, const Part &part, const Model &m) {
  const std::size_t n = m.shape.columns.size();
  std::vector<Forecast> out;
  out.reserve(part.labels.size());
  std::vector<double> x(n);
  std::vector<std::size_t> there;
  for (std::size_t i = 0; i < part.labels.size(); i++) {
    pause_at(s.pause, i);
    const HandOff &h = s.hand_offs[part.labels[i].hand_off];
    const double *shares = s.shares_of(part.labels[i].hand_off);
    there.clear();
    for (std::size_t j = 0; j < n; j++) {
      x[j] = value_of(m.shape.columns[j], shares, h);
      if (x[j] != 0) there.push_back(j);
    }
    const double odds = log_odds(m.fit.coefficients, x.data()), p = chance_of(odds);
    const double seen = part.labels[i].seen, missing = std::max(1e-12, 1 - p * seen), w = part.weights[i];
    double leverage = 0;
    for (const std::size_t a : there) {
      for (const std::size_t b : there) leverage += x[a] * x[b] * m.fit.variance(a, b);
    }
    const bool converted = part.labels[i].converted;
    const double slope = w * (converted ? 1 - p : -p * seen * (1 - p) / missing), curve = w * seen * p * (1 - p) * (1 - p) / missing;
    out.push_back({odds - leverage * slope / std::max(0.05, 1 - leverage * curve), seen < 1 ? 0.0 : 1.0, seen, converted});
  }
  return out;
}

Quality quality_of(std::span<const Forecast> forecasts, const Calibration &c) {
  std::vector<Judged> final;
  for (const Forecast &f : forecasts) {
    if (f.seen >= 1) final.push_back({c.chance(f.log_odds), f.converted, f.weight});
  }
  constexpr std::size_t kQualityBins = 10;
  Quality q{brier_score(final), log_loss(final), area_under_curve(final), 0, bins_of(final, kQualityBins)};
  q.error = calibration_error(q.bins);
  return q;
}

// The plain model's weights, of which the score's and the evidence's columns are parts.
std::vector<SignalWeight> signal_weights(const Study &s, const Model &m) {
  constexpr double kTwoSided95 = 1.959963984540054;
  std::vector<SignalWeight> out(s.points.size());
  const std::size_t n = m.shape.columns.size();
  for (std::size_t j = 0; j < out.size(); j++) {
    std::vector<std::pair<std::size_t, double>> parts; // columns that the signal is in, and how much
    for (std::size_t c = 0; c < n; c++) {
      for (const Term &t : m.shape.columns[c].terms) {
        if (t.of != Term::Of::signal || t.a != static_cast<int>(j)) continue;
        parts.emplace_back(c, t.weight);
        out[j].weight += m.fit.coefficients[c] * t.weight;
      }
    }
    double variance = 0;
    for (const auto &[a, x] : parts) {
      for (const auto &[b, y] : parts) variance += x * y * m.fit.variance(a, b);
    }
    const double half = kTwoSided95 * std::sqrt(std::max(0.0, variance));
    out[j].low = out[j].weight - half;
    out[j].high = out[j].weight + half;
  }
  // The proportion in which points are weights, by least squares: the surer a weight, the more it counts.
  double product = 0, square = 0;
  for (std::size_t j = 0; j < out.size(); j++) {
    const double spread = std::max(1e-9, out[j].high - out[j].low);
    product += s.points[j] * out[j].weight / (spread * spread);
    square += static_cast<double>(s.points[j]) * s.points[j] / (spread * spread);
  }
  const double each = std::max(0.0, product / square);
  for (std::size_t j = 0; j < out.size(); j++) out[j].prior = each * s.points[j];
  return out;
}

} // namespace

double Term::value(const double *shares, int of_segment, bool is_treated) const noexcept {
  switch (of) {
  case Of::one: return 1;
  case Of::signal: return shares[a];
  case Of::present: return shares[a] > 0 ? 1 : 0;
  case Of::bin: return bin_of(shares[a]) == b ? 1 : 0;
  case Of::pair: return shares[a] * shares[b];
  case Of::segment: return of_segment == a ? 1 : 0;
  case Of::treated: return is_treated ? 1 : 0;
  }
  return 0;
}

double Learned::log_odds(const double *shares, int segment, bool treated) const noexcept {
  double sum = 0;
  for (const Term &t : terms) sum += t.weight * t.value(shares, segment, treated);
  return sum;
}

Learned learn(const Study &s) {
  Learned out;
  const std::vector<Label> labels = labels_of(s, in_time(s), s.as_of);
  const Choice choice = choose(s, labels);
  out.half_life = choice.half_life;
  out.richer = choice.richer;
  const Part part(s, labels, out.half_life, s.as_of);
  const Model plain = fit_plain(s, part);
  out.signals = signal_weights(s, plain);
  std::vector<Forecast> forecasts;
  if (out.richer) {
    const Model richer = fit_richer(s, labels, out.half_life, s.as_of, plain);
    forecasts = forecasts_of(s, Part(s, std::span(labels).last(richer.labels), out.half_life, s.as_of), richer);
    out.terms = richer.terms();
  } else {
    forecasts = forecasts_of(s, part, plain);
    out.terms = plain.terms();
  }
  out.calibration = calibrate(forecasts, s.pause);
  out.quality = quality_of(forecasts, out.calibration);
  out.population = SignalEvidence(s, labels, part.weights).counts;
  for (std::size_t i = 0; i < labels.size(); i++) {
    const bool final = labels[i].seen >= 1, converted = labels[i].converted;
    out.counted += part.weights[i] * labels[i].seen;
    (final ? out.labels : out.open) += 1;
    out.converted += final && converted ? 1 : 0;
  }
  return out;
}

std::vector<int> propose_points(std::span<const int> old, std::span<const SignalWeight> weights) {
  std::vector<int> out(old.begin(), old.end());
  int total = 0;
  std::vector<double> shares(old.size());
  for (std::size_t j = 0; j < old.size(); j++) {
    if (weights[j].is_open()) continue;
    total += std::abs(old[j]);
    // A weight of the other sign is none: that a signal of intent is a risk is for people to say.
    shares[j] = std::max(0.0, old[j] > 0 ? weights[j].weight : -weights[j].weight);
  }
  if (std::all_of(shares.begin(), shares.end(), [](double x) { return x == 0; })) return out;
  std::vector<int> parts = largest_remainders(shares, total);
  for (std::size_t j = 0; j < old.size(); j++) {
    if (weights[j].is_open() || parts[j] > 0) continue;
    (*std::max_element(parts.begin(), parts.end()))--; // what gives no points isn't seen any more, and could never be learned again
    parts[j] = 1;
  }
  for (std::size_t j = 0; j < old.size(); j++) {
    if (!weights[j].is_open()) out[j] = old[j] > 0 ? parts[j] : -parts[j];
  }
  return out;
}

double corresponding_score(const Study &s, std::span<const int> proposed, double old_score) {
  Line line;
  for (std::size_t i = 0; i < s.hand_offs.size(); i++) {
    const double *u = s.shares_of(i);
    double before = 0, after = 0;
    for (std::size_t j = 0; j < s.points.size(); j++) {
      before += s.points[j] * u[j];
      after += proposed[j] * u[j];
    }
    line.add(before, after);
  }
  return line.empty() ? old_score : line.at(old_score, line.slope(1));
}

} // namespace pql
