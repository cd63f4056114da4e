#include "cli/simulate/company.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string_view>
#include <tuple>

namespace pql::cli {
namespace {

constexpr double kHour = 3600, kDay = 24 * kHour;

// The library's distributions differ from one to the other; these don't.
class Random {
public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double between(double low, double high) { return low + uniform() * (high - low); }
  bool chance(double p) { return uniform() < p; }
  int below(int n) { return static_cast<int>(uniform() * n); }
  double exponential(double mean) { return -std::log1p(-uniform()) * mean; }
  double normal() { return std::sqrt(-2 * std::log1p(-uniform())) * std::cos(6.283185307179586 * uniform()); }
  double lognormal(double mu, double sigma) { return std::exp(mu + sigma * normal()); }
  int poisson(double mean) { // Knuth's; means are small
    int k = 0;
    for (double p = uniform(), limit = std::exp(-mean); p > limit; k++) p *= uniform();
    return k;
  }
  double beta(double a, double b) {
    const double x = gamma(a), y = gamma(b);
    return x / (x + y);
  }
  template <std::size_t N> std::string_view one_of(const std::array<std::string_view, N> &all) {
    return all[static_cast<std::size_t>(below(static_cast<int>(N)))];
  }

private:
  double gamma(double shape) { // Marsaglia and Tsang; shapes are 1 or more
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double x = normal(), v = std::pow(1 + c * x, 3);
      if (v > 0 && std::log1p(-uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
  }
  std::mt19937_64 engine_;
};

// What sort of customer it is; the figures are those of test/demo/simulate.py.
struct Archetype {
  double share, a, b; // of all accounts; its intent is Beta(a, b)
  int fewest, most;   // people
  double rate, fade;  // sessions a person and day; days in which that halves (0: never)
  double pages, calls, errors, depth, curiosity;
};
constexpr std::array<Archetype, 8> kArchetypes = {{
    {13, 8.0, 1.9, 4, 40, 0.60, 0, 2.6, 260, 0.05, 1.0, 0.5}, // rolls out
    {8, 2.0, 7.5, 6, 40, 0.75, 0, 2.8, 260, 0.05, 0.9, 0.3},  // a team that stays free
    {7, 3.0, 5.5, 2, 14, 0.70, 0, 3.0, 150, 0.06, 0.8, 0.8},  // evaluates
    {20, 2.0, 9.0, 1, 2, 1.10, 0, 3.0, 180, 0.06, 0.6, 0.3},  // works alone
    {18, 1.5, 10.0, 1, 2, 1.10, 20, 9.0, 5, 0.01, 0.1, 1.8},  // kicks tyres
    {9, 1.0, 16.0, 1, 1, 0.30, 0, 4.0, 420, 0.10, 0.3, 0.1},  // studies
    {15, 2.0, 7.5, 2, 10, 0.95, 4, 3.0, 90, 0.05, 0.6, 0.3},  // leaves again
    {10, 2.5, 7.0, 1, 8, 0.80, 9, 3.5, 40, 0.75, 0.5, 0.3},   // is stuck
}};

constexpr std::array<std::string_view, 24> kFirst = {
    "northwind", "harbor",  "blue-fjord", "copper", "summit",  "lumen",  "cedar",    "granite",
    "ember",     "juniper", "redwood",    "cobalt", "lantern", "oriole", "aurora",   "kestrel",
    "marble",    "fernway", "hazel",      "opal",   "quarry",  "umber",  "larkspur", "zephyr"};
constexpr std::array<std::string_view, 12> kSecond = {"labs",  "health", "freight", "studio", "bank",  "robotics",
                                                      "foods", "media",  "energy",  "maps",   "games", "cloud"};
constexpr std::array<std::string_view, 20> kGiven = {"ada",  "ben",  "cleo",  "dan",  "eva", "finn", "gia",
                                                     "hugo", "ines", "jon",   "kim",  "lea", "max",  "noa",
                                                     "omar", "pia",  "quinn", "rosa", "sam", "tess"};
constexpr std::array<std::string_view, 16> kFamily = {"adler",  "brandt", "costa",  "diaz",   "ekman", "fischer",
                                                      "garcia", "haas",   "ito",    "jensen", "kaur",  "lopez",
                                                      "moreau", "novak",  "okafor", "patel"};
constexpr std::array<std::string_view, 7> kPages = {"dashboard", "projects",  "logs",     "settings",
                                                    "usage",     "changelog", "templates"};
constexpr std::array<std::string_view, 6> kDocs = {"quickstart", "api", "webhooks", "limits", "deploy", "errors"};
constexpr std::array<std::string_view, 7> kIntegrations = {"github",    "slack", "gitlab",   "datadog",
                                                           "terraform", "jira",  "pagerduty"};
constexpr std::array<std::string_view, 4> kErrors = {"timeout", "invalid_token", "build_failed", "rate_limited"};

std::string member(std::string_view name, std::string_view value) {
  return "{\"" + std::string(name) + "\": \"" + std::string(value) + "\"}";
}
std::string member(std::string_view name, int value) {
  return "{\"" + std::string(name) + "\": " + std::to_string(value) + "}";
}

// One account, its people, and all that they do.
class Account {
public:
  Account(std::uint64_t seed, int number, int days, Company &company)
      : random_(seed * 1'000'003 + static_cast<std::uint64_t>(number)), company_(company), end_(days * kDay) {
    const std::size_t n = static_cast<std::size_t>(number), first = n % kFirst.size(),
                      second = (n / kFirst.size() + 7 * first) % kSecond.size();
    id_ = std::string(kFirst[first]) + "-" + std::string(kSecond[second]);
    if (const std::size_t again = n / (kFirst.size() * kSecond.size())) id_ += "-" + std::to_string(again + 1);
    double share = random_.between(0, 100);
    std::size_t kind = 0;
    while (kind + 1 < kArchetypes.size() && (share -= kArchetypes[kind].share) > 0) kind++;
    kind_ = kArchetypes[kind];
    intent_ = random_.beta(kind_.a, kind_.b);
    if (random_.chance(0.97 / (1 + std::exp(-(intent_ - 0.58) * 13)))) company_.buyers++;
    static constexpr std::array<double, 8> kZones = {-8, -5, 0, 1, 1, 2, 5.5, 8};
    zone_ = kZones[static_cast<std::size_t>(random_.below(8))] * kHour;
    const double spread = (kind_.most - kind_.fewest + 1) / 3.2 * (0.6 + 0.8 * intent_);
    size_ = std::min(kind_.most, kind_.fewest + static_cast<int>(random_.exponential(spread)));
    live(std::pow(random_.uniform(), 1.4) * std::max(1.0, days * 0.7) * kDay);
  }

private:
  using Person = std::pair<std::string, double>; // and when they joined

  std::string person() {
    for (;;) {
      std::string name =
          std::string(random_.one_of(kGiven)) + "." + std::string(random_.one_of(kFamily)) + "@" + id_ + ".example";
      if (std::find(names_.begin(), names_.end(), name) != names_.end()) continue;
      names_.push_back(name);
      return name;
    }
  }

  void emit(double at, const std::string &user, std::string_view name, std::string properties = "{}") {
    if (at >= 0 && at < end_) company_.events.push_back({at, user, id_, std::string(name), std::move(properties)});
  }

  // The next moment at which somebody is at work.
  double at_work(double at) {
    for (;;) {
      const double local = at + zone_, hour = std::fmod(local + kDay, kDay) / kHour;
      const bool weekend = static_cast<int>(std::floor(local / kDay) + 7) % 7 >= 5;
      if (hour >= 8 && hour < 19 && (!weekend || random_.chance(0.2))) return at;
      at += random_.between(0.5, 3) * kHour;
    }
  }
  double after(double at, double mean) { return at_work(at + random_.exponential(mean)); }

  std::vector<Person> invite(const std::string &champion, double at) {
    std::vector<Person> joined;
    for (int left = size_ - 1; left > 0 && at < end_;) {
      at = after(at, 30 * kHour);
      const int wave = std::min(left, 1 + random_.below(std::max(1, size_ / 2)));
      emit(at, champion, "invite_sent", member("count", wave));
      for (int i = 0; i < wave; i++) {
        if (!random_.chance(0.8)) continue;
        joined.emplace_back(person(), after(at, 20 * kHour));
        emit(joined.back().second, joined.back().first, "invite_accepted", member("invited_by", champion));
      }
      left -= wave;
    }
    return joined;
  }

  void live(double start) {
    const double x = intent_;
    const std::string champion = person();
    start = at_work(start);
    emit(start, champion, "signup", member("plan", "free"));
    const double project = after(start, 2 * kHour);
    const bool builds = random_.chance(kind_.depth < 0.2 ? 0.3 : 0.93);
    if (builds) {
      emit(project, champion, "project_created", member("template", "api"));
      emit(after(project, 3 * kHour), champion, "api_key_created");
    }
    std::vector<Person> people = invite(champion, project);
    const std::string admin = people.size() > 1 && random_.chance(0.4) ? people[0].first : champion;
    people.insert(people.begin(), {champion, start});
    for (int n = builds ? random_.poisson(kind_.depth * (0.3 + 2.2 * x)) : 0; n > 0; n--) {
      const double at = after(project, 40 * kHour);
      const auto what = random_.one_of(kIntegrations);
      random_.chance(kind_.errors) ? emit(at, champion, "error", member("code", "integration_failed"))
                                   : emit(at, champion, "integration_activated", member("kind", what));
    }
    const double secured = after(project, 60 * kHour);
    if (random_.chance(people.size() >= 3 ? 0.05 + 0.85 * x : 0.08))
      emit(secured, admin, "admin_setup", member("roles", 2 + random_.below(4)));
    if (random_.chance(people.size() >= 4 ? 0.85 * std::pow(x, 1.5) : 0.12 * x))
      emit(after(secured, 90 * kHour), admin, "sso_requested",
           member("protocol", random_.chance(0.67) ? "saml" : "oidc"));
    for (int n = random_.poisson(kind_.curiosity * 1.5 + 4.5 * x * x); n > 0; n--)
      emit(after(start + random_.uniform() * 10 * kDay, kDay), random_.chance(0.5) ? champion : admin, "pricing_viewed",
           member("plan", "team"));
    for (const auto &[user, joined] : people) work(user, joined, builds ? project : end_);
  }

  void work(const std::string &user, double joined, double project) {
    const double own = random_.lognormal(0, 0.5);
    for (double day = joined - std::fmod(joined, kDay); day < end_; day += kDay) {
      const double age = std::max(0.0, (day - joined) / kDay);
      const bool weekend = static_cast<int>(std::floor((day + zone_) / kDay) + 7) % 7 >= 5;
      const double rate =
          kind_.rate * own * (weekend ? 0.25 : 1.15) * (kind_.fade > 0 ? std::pow(0.5, age / kind_.fade) : 1);
      for (int n = random_.poisson(std::min(rate, 20.0)); n > 0; n--) {
        const double at = day - zone_ + (13.5 + 2.8 * random_.normal()) * kHour;
        if (at > joined) session(user, at, age, at > project);
      }
    }
  }

  void session(const std::string &user, double at, double age, bool builds) {
    const auto next = [&](std::string_view name, std::string properties) {
      emit(at, user, name, std::move(properties));
      at += random_.exponential(90);
    };
    for (int n = 1 + random_.poisson(kind_.pages - 1); n > 0; n--)
      next("page_view", member("page", random_.one_of(kPages)));
    if (random_.chance(0.35)) next("docs_viewed", member("page", random_.one_of(kDocs)));
    if (!builds) return;
    const double growth = std::exp(std::min(1.6, age / 14 * (2.2 * intent_ - 0.5)));
    const int calls = static_cast<int>(random_.lognormal(std::log(kind_.calls * growth + 1), 0.7));
    if (calls > 3 && random_.chance(0.75)) next("api_usage", member("calls", calls));
    if (calls > 1200 && random_.chance(0.6)) next("limit_reached", member("limit", "requests_per_hour"));
    if (random_.chance(0.3 * kind_.depth))
      next("deploy", member("target", random_.chance(0.5) ? "staging" : "production"));
    while (random_.chance(kind_.errors)) next("error", member("code", random_.one_of(kErrors)));
  }

  Random random_;
  Company &company_;
  double end_;
  std::string id_;
  Archetype kind_{};
  double intent_ = 0, zone_ = 0;
  int size_ = 1;
  std::vector<std::string> names_;
};

} // namespace

Company simulate_company(std::uint64_t seed, int accounts, int days) {
  Company company;
  company.accounts = accounts;
  for (int n = 0; n < accounts; n++) Account(seed, n, days, company);
  std::stable_sort(company.events.begin(), company.events.end(), [](const SimulatedEvent &a, const SimulatedEvent &b) {
    return std::tie(a.at, a.account, a.user) < std::tie(b.at, b.account, b.user);
  });
  return company;
}

} // namespace pql::cli
