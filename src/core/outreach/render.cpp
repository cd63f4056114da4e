#include "core/outreach/render.hpp"

#include <algorithm>

#include "core/outreach/fold.hpp"
#include "core/program/fields.hpp"
#include "core/program/json.hpp"

namespace pql {
namespace {

using What = Fault::What;

// Characters of each part, in the order of Place.
constexpr std::size_t kLongest[] = {80, 1'200, 200, 200, 80};
// What is longer than any part may be isn't looked at.
constexpr std::size_t kMostBytes = 8'192;

constexpr std::size_t longest(Place place) noexcept { return kLongest[static_cast<std::size_t>(place)]; }

Objection objection_to(const Fault &f) {
  const std::string words = quoted(f.found);
  switch (f.what) {
  case What::observed:
    return {"tells the reader that they were watched: " + words, "Say what you can help with, not what you saw."};
  case What::counted:
    return {"counts what the reader did: " + words, "Leave the number out, and say what it is good for."};
  case What::event: return {"has a name as software writes it: " + words, "Say it in words."};
  case What::id: return {"has an id: " + words, "No reader knows it."};
  case What::moment: return {"has an instant to the minute: " + words, "Times of appointments are multiples of five minutes; others aren't for the reader."};
  case What::barred: return {"speaks of what may not be mentioned: " + words, "A signal of that name has \"may_mention\": false, or isn't shown to reps."};
  case What::invisible: return {"has characters that nobody sees", "Type it anew: control characters, zero-width ones and those that turn the direction of writing aren't allowed."};
  }
  return {};
}

std::string listed(const std::vector<std::string> &asks) {
  std::string out;
  constexpr std::size_t kShown = 3;
  for (std::size_t i = 0; i < std::min(asks.size(), kShown); i++) out += (i ? ", " : "") + quoted(asks[i]);
  return asks.size() > kShown ? out + ", ..." : out;
}

void object_to_asks(const std::vector<std::string> &asks, Place place, std::vector<Objection> &out) {
  static constexpr char kHint[] = "One message asks for one thing: keep it in \"ask\".";
  if (place == Place::opt_out) return;
  if (place == Place::ask) {
    if (asks.empty()) out.push_back({"asks nothing", "End it with a question mark, or say what the reader may do."});
    if (asks.size() > 1) out.push_back({"asks for " + std::to_string(asks.size()) + " things: " + listed(asks), "One message asks for one thing."});
  } else if (!asks.empty()) {
    out.push_back({"asks for something outside of \"ask\": " + listed(asks), kHint});
  }
}

// A value as it may stand in a sentence; nothing: it has none, or (`why`) may not.
std::optional<std::string> said(const VariableDef &v, const Given &given, Tongue tongue, int this_year, std::string &why) {
  constexpr std::size_t kItems = 3;
  const auto words = [&](const std::string &text) {
    for (const auto &[value, say] : v.say) {
      if (value.empty() || value == text) return on_one_line(say);
    }
    return on_one_line(text);
  };
  std::optional<std::string> out;
  switch (v.type) {
  case VariableType::text:
    if (!given.texts.empty()) out = words(given.texts[0]);
    break;
  case VariableType::list: {
    std::vector<std::string> items;
    for (const std::string &text : given.texts) {
      if (items.size() < kItems) items.push_back(words(text));
    }
    if (!items.empty()) out = say_list(items, tongue);
    break;
  }
  case VariableType::number:
    if (given.number) out = say_number(*given.number, tongue);
    break;
  case VariableType::since: // what hasn't come yet isn't said as if it had,
    if (given.span && *given.span <= 0) out = say_span(*given.span, tongue);
    break;
  case VariableType::until: // nor what is over as if it were to come
    if (given.span && *given.span >= 0) out = say_span(*given.span, tongue);
    break;
  case VariableType::date:
    if (given.day) out = say_day(*given.day, this_year, tongue);
    break;
  }
  if (!out || out->empty()) return std::nullopt;
  const std::size_t most = longest(Place::word) * (v.type == VariableType::list ? kItems : 1);
  if (count_characters(*out) <= most) return out;
  why = "the value of " + v.name + " has more than " + std::to_string(most) + " characters";
  return std::nullopt;
}

std::string filled(std::string_view text, const std::map<std::string, std::string> &values) {
  const Pieces p = pieces_of(text);
  std::string out(p.texts[0]);
  for (std::size_t i = 0; i < p.names.size(); i++) {
    const auto at = values.find(std::string(p.names[i]));
    if (at != values.end()) out += at->second;
    out += p.texts[i + 1];
  }
  return out;
}

// The first thing that speaks against a text as it would be sent.
std::string objection_in(const char *part, std::string_view text, Place place, const Vocabulary &vocabulary) {
  const std::vector<Objection> all = objections(text, place, vocabulary);
  return all.empty() ? std::string() : std::string("with its values, the ") + part + " " + all[0].problem;
}

} // namespace

Pieces pieces_of(std::string_view text) {
  Pieces out;
  std::size_t from = 0;
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
    const std::size_t end = text.find("}}", at);
    const std::string_view name = end == std::string_view::npos ? std::string_view{} : text.substr(at + 2, end - at - 2);
    if (!is_name(name)) {
      if (out.broken.empty()) out.broken = text.substr(at);
      if (end == std::string_view::npos) break;
      at += 2;
      continue;
    }
    out.texts.push_back(text.substr(from, at - from));
    out.names.push_back(name);
    at = from = end + 2;
  }
  out.texts.push_back(text.substr(from));
  return out;
}

std::vector<Objection> objections(std::string_view text, Place place, const Vocabulary &vocabulary) {
  std::vector<Objection> out;
  const std::size_t most = longest(place);
  if (text.size() > kMostBytes || count_characters(text) > most) {
    out.push_back({"has more than " + std::to_string(most) + " characters", place == Place::body ? "Nobody reads it to the end." : "Say it in fewer words."});
    if (text.size() > kMostBytes) return out;
  }
  if (place != Place::body && text.find('\n') != std::string_view::npos) out.push_back({"must be one line", "Only the body has paragraphs."});
  const Look look = look_at(text, vocabulary);
  for (const Fault &f : look.faults) out.push_back(objection_to(f));
  object_to_asks(look.asks, place, out);
  return out;
}

Vocabulary vocabulary_of(const ProgramDef &p, const TemplateDef *t) {
  constexpr std::size_t kShortest = 4;
  Vocabulary v;
  const auto add = [](std::vector<std::string> &to, const std::string &name) {
    if (name.size() >= kShortest && std::find(to.begin(), to.end(), name) == to.end()) to.push_back(name);
  };
  for (const MilestoneDef &m : p.milestones) add(v.events, m.event);
  for (const SignalDef &s : p.signals) {
    add(v.events, s.event);
    if (may_be_spoken_of(s)) continue;
    add(v.barred, s.name);
    if (s.event != kEveryEvent) add(v.barred, s.event.starts_with(kTopicEvent) ? s.event.substr(kTopicEvent.size()) : s.event);
  }
  for (std::size_t i = 0; t && i < t->variables.size(); i++) {
    if (t->variables[i].type == VariableType::number) v.numbers.push_back(t->variables[i].name);
  }
  return v;
}

Rendered render(const ProgramDef &p, const TemplateDef &t, const std::map<std::string, Given> &given, int this_year) {
  Rendered out;
  const auto tongue = static_cast<Tongue>(std::find(kLanguages.begin(), kLanguages.end(), t.language) - kLanguages.begin());
  std::map<std::string, std::string> values;
  for (const VariableDef &v : t.variables) {
    const auto at = given.find(v.name);
    std::optional<std::string> text = at == given.end() ? std::nullopt : said(v, at->second, tongue, this_year, out.refused);
    if (!out.refused.empty()) return out;
    if (text) {
      out.said[v.name] = *text;
    } else if (!v.fallback.empty()) {
      text = v.fallback;
      out.defaults.push_back(v.name);
    } else {
      out.refused = v.from + " has no value, and variable " + v.name + " no default";
      return out;
    }
    values[v.name] = std::move(*text);
  }
  const Vocabulary vocabulary = vocabulary_of(p, nullptr);
  const std::string subject = filled(t.subject, values), ask = filled(t.ask, values), opt_out = filled(t.opt_out, values);
  values["ask"] = values["opt_out"] = "";
  const std::string around = filled(t.body, values);
  if (!subject.empty()) out.refused = objection_in("subject", subject, Place::subject, vocabulary);
  if (out.refused.empty()) out.refused = objection_in("body", around, Place::body, vocabulary);
  if (out.refused.empty()) out.refused = objection_in("ask", ask, Place::ask, vocabulary);
  if (out.refused.empty() && !opt_out.empty()) out.refused = objection_in("opt-out", opt_out, Place::opt_out, vocabulary);
  if (!out.refused.empty()) return out;
  values["ask"] = ask;
  values["opt_out"] = opt_out;
  out.subject = subject;
  out.body = filled(t.body, values);
  const std::vector<Fault> whole = look_at(out.body, vocabulary).faults; // of parts that stand in one sentence
  if (whole.empty()) return out;
  out.refused = "with its values, the text " + objection_to(whole[0]).problem;
  out.subject.clear();
  out.body.clear();
  return out;
}

} // namespace pql
