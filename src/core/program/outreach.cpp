#include "core/program/outreach.hpp"

#include <algorithm>

#include "core/outreach/render.hpp"

namespace pql {
namespace {

using Of = SourceDef::Of;

constexpr char kSources[] = "Sources are attr.COLUMN, account.COLUMN, signal.NAME, milestone.NAME, activation.next, activation.skipped, people and offer.";

class OutreachReader {
public:
  OutreachReader(const Language &language, Problems &problems, ProgramDef &program, bool motions_known, bool judges)
      : language_(language), problems_(problems), program_(program), motions_known_(motions_known), judges_(judges) {}

  void run(const Json &j) {
    const Fields f(j, "outreach", language_.section(At::outreach), problems_);
    OutreachDef &o = program_.outreach.emplace();
    f.texts("may_mention", 1, kMaxMentioned, "attributes", o.may_mention);
    for (const std::string &name : o.may_mention) check_mentioned(f, name);
    if (const Json *stop = f.value("stop", Json::Type::object)) read_stop(Fields(*stop, f.path("stop"), language_.section(At::stop), problems_), o.stop);
    if (const Json *templates = f.value("templates", Json::Type::object)) read_templates(*templates, f.path("templates"), o);
    if (o == OutreachDef{}) program_.outreach.reset();
  }

private:
  void check_mentioned(const Fields &f, const std::string &name) {
    const std::optional<SourceDef> source = source_of(name);
    if (!source || source->of > Of::account)
      f.report("may_mention", quoted(name) + " is no attribute", "Write attr.COLUMN, or in a program on users or workspaces account.COLUMN.");
    else if (source->of == Of::account && program_.unit == Unit::account)
      f.report("may_mention", quoted(name) + " is of a program on users or workspaces", "Write attr." + source->name + ".");
  }

  static void read_stop(const Fields &f, StopDef &s) {
    f.integer("unanswered", 1, 20, s.unanswered);
    f.length("pause", 0, kMaxLength, s.pause);
    f.integer("most", 1, 100, s.most);
    f.length("per", kDay, kMaxLength, s.per);
  }

  void read_templates(const Json &all, const std::string &path, OutreachDef &o) {
    check_duplicates(all, path, problems_);
    if (all.items.empty()) problems_.add(path, "must not be empty", "Add a template, or leave this out.");
    if (all.items.size() > kMaxTemplates)
      problems_.add(path, "must have at most " + std::to_string(kMaxTemplates) + " entries, not " + std::to_string(all.items.size()));
    for (std::size_t i = 0; i < std::min(all.items.size(), kMaxTemplates); i++) {
      const Json &j = all.items[i];
      const std::string at = join(path, j.key);
      check_name(j.key, at, problems_);
      if (!check_type(j, Json::Type::object, at, problems_)) continue;
      TemplateDef &t = o.templates.emplace_back();
      t.name = j.key;
      read_template(Fields(j, at, language_.section(At::outreach_template), problems_), t);
    }
  }

  void read_template(const Fields &f, TemplateDef &t) {
    f.require("motion", "Say for which motion it is.");
    f.text_or_texts("motion", kMotions.size(), "motions", t.motions);
    for (const std::string &m : t.motions) check_motion(f, m);
    if (f.text("channel", t.channel)) check_name(t.channel, f.path("channel"), problems_);
    if (const auto i = f.word("language", kLanguages)) t.language = kLanguages[*i];
    if (const Json *variables = f.value("variables", Json::Type::object)) read_variables(*variables, f.path("variables"), t);
    f.require("body", "Write the text, with {{ask}} where the ask stands.");
    f.require("ask", "Say in one sentence what the reader may do.");
    const Vocabulary vocabulary = vocabulary_of(program_, &t);
    if (f.text("subject", t.subject)) check_words(f, "subject", t.subject, Place::subject, vocabulary);
    if (f.text("body", t.body)) check_words(f, "body", t.body, Place::body, vocabulary);
    if (f.text("ask", t.ask)) check_words(f, "ask", t.ask, Place::ask, vocabulary);
    if (f.text("opt_out", t.opt_out)) check_words(f, "opt_out", t.opt_out, Place::opt_out, vocabulary);
    check_subject(f, t);
    check_placeholders(f, t);
    check_facts(f, t);
  }

  void check_motion(const Fields &f, const std::string &motion) {
    if (std::find(kMotions.begin(), kMotions.end(), motion) == kMotions.end())
      return f.report("motion", quoted(motion) + " is not a valid motion", suggest(motion, kMotions, "Allowed"));
    if (motion == "none") return f.report("motion", "\"none\" contacts nobody", "Name a motion that makes contact.");
    const auto same = [&](const MotionDef &m) { return m.motion == motion || m.downgrade_to == motion; };
    if (!motions_known_ || std::any_of(program_.motions.begin(), program_.motions.end(), same)) return;
    f.report("motion", "none of the motions is " + quoted(motion), "Add it to \"motions\", or name another.");
  }

  void check_subject(const Fields &f, const TemplateDef &t) {
    const bool mail = t.channel == "email" || (t.channel.empty() && std::find(t.motions.begin(), t.motions.end(), "email") != t.motions.end());
    if (mail) f.require("subject", "An e-mail needs one.");
  }

  void check_words(const Fields &f, std::string_view key, const std::string &text, Place place, const Vocabulary &vocabulary) {
    judge(text, f.path(key), place, vocabulary);
  }

  void judge(const std::string &text, const std::string &path, Place place, const Vocabulary &vocabulary) {
    if (!judges_) return;
    for (Objection &o : objections(text, place, vocabulary)) problems_.add(path, std::move(o.problem), std::move(o.hint));
  }

  // --- variables ---

  void read_variables(const Json &all, const std::string &path, TemplateDef &t) {
    check_duplicates(all, path, problems_);
    if (all.items.size() > kMaxVariables)
      problems_.add(path, "must have at most " + std::to_string(kMaxVariables) + " entries, not " + std::to_string(all.items.size()));
    for (std::size_t i = 0; i < std::min(all.items.size(), kMaxVariables); i++) {
      const Json &j = all.items[i];
      const std::string at = join(path, j.key);
      check_name(j.key, at, problems_);
      if (j.key == "ask" || j.key == "opt_out") problems_.add(at, quoted(j.key) + " is a reserved name", "It stands for the template's own " + quoted(j.key) + ".");
      if (!check_type(j, Json::Type::object, at, problems_)) continue;
      VariableDef &v = t.variables.emplace_back();
      v.name = j.key;
      read_variable(Fields(j, at, language_.section(At::variable), problems_), t, v);
    }
  }

  void read_variable(const Fields &f, const TemplateDef &t, VariableDef &v) {
    f.require("type", "Types are " + either(kVariableTypes) + ".");
    const auto type = f.word("type", kVariableTypes);
    if (type) v.type = static_cast<VariableType>(*type);
    f.require("from", kSources);
    const bool from = f.text("from", v.from);
    const std::optional<SourceDef> source = from ? source_of(v.from) : std::nullopt;
    if (from && !source) f.report("from", quoted(v.from) + " is no source", kSources);
    if (source) check_source(f, t, *source);
    if (source && type) check_fit(f, v, *source);
    const Vocabulary vocabulary = vocabulary_of(program_, nullptr);
    if (f.text("default", v.fallback)) check_words(f, "default", v.fallback, Place::word, vocabulary);
    read_say(f, v, source, vocabulary);
  }

  void check_source(const Fields &f, const TemplateDef &t, const SourceDef &source) {
    switch (source.of) {
    case Of::attribute:
    case Of::account: return check_attribute(f, source);
    case Of::signal: return check_signal(f, source.name);
    case Of::milestone:
      if (!program_.milestone(source.name)) return f.report("from", "milestone " + quoted(source.name) + " is not defined", "Define it under \"milestones\".");
      return check_milestone(f, source.name);
    case Of::next:
    case Of::skipped:
      if (!program_.activation) return f.report("from", "needs an activation", "Define it under \"activation\", or remove this.");
      for (const std::string &step : program_.activation->steps) check_milestone(f, step);
      return;
    case Of::people:
      if (program_.unit == Unit::user) f.report("from", "is of a program on accounts or workspaces", "A user is one person.");
      if (t.language != "en") f.report("from", "is said in English only", "Say an attribute instead, or write the text without it.");
      return;
    case Of::offer: return;
    }
  }

  void check_attribute(const Fields &f, const SourceDef &source) {
    const std::string name = (source.of == Of::attribute ? "attr." : "account.") + source.name;
    const std::vector<std::string> &may = program_.outreach->may_mention;
    if (std::find(may.begin(), may.end(), name) == may.end())
      f.report("from", name + " may not be mentioned", "List it under outreach.may_mention if a reader would expect you to know it.");
  }

  void check_signal(const Fields &f, const std::string &name) {
    const auto at = std::find_if(program_.signals.begin(), program_.signals.end(), [&](const SignalDef &s) { return s.name == name; });
    if (at == program_.signals.end()) return f.report("from", "signal " + quoted(name) + " is not defined", "Define it under \"signals\".");
    if (!at->may_mention) f.report("from", "signal " + quoted(name) + " may not be mentioned", R"(It has "may_mention": false: write the text without it.)");
    else if (!at->may_show_rep) f.report("from", "signal " + quoted(name) + " may not be shown", R"(It has "may_show_rep": false: whoever sends the text would see it.)");
  }

  // A milestone tells what a signal tells that rests on the same events.
  void check_milestone(const Fields &f, const std::string &name) {
    const MilestoneDef *m = program_.milestone(name);
    if (!m) return;
    for (const SignalDef &s : program_.signals) {
      if (may_be_spoken_of(s)) continue;
      const bool same = s.milestone == name || s.event == m->event || std::find(s.steps.begin(), s.steps.end(), name) != s.steps.end();
      if (!same) continue;
      return f.report("from", "milestone " + quoted(name) + " rests on what signal " + quoted(s.name) + " does, which may not be mentioned",
                      "Write the text without it.");
    }
  }

  static void check_fit(const Fields &f, const VariableDef &v, const SourceDef &source) {
    using enum VariableType;
    if (source.of <= Of::account) {
      if (v.type == list) f.report("type", "an attribute is no list", "Write \"text\", \"number\", \"since\", \"until\" or \"date\".");
      return;
    }
    const VariableType right = source.of == Of::skipped ? list : text;
    if (v.type == right) return;
    f.report("type", v.from + " is a " + (right == list ? "list" : "text"), std::string("Write \"") + (right == list ? "list" : "text") + "\".");
  }

  void read_say(const Fields &f, VariableDef &v, const std::optional<SourceDef> &source, const Vocabulary &vocabulary) {
    if (!source) return;
    if (source->of == Of::signal || source->of == Of::milestone) {
      f.require("say", "Give the words that stand for it in the text, such as \"single sign-on\".");
      std::string words;
      if (!f.gives("say") || !f.text("say", words)) return;
      check_words(f, "say", words, Place::word, vocabulary);
      v.say.emplace_back("", std::move(words));
      return;
    }
    const bool steps = source->of == Of::next || source->of == Of::skipped;
    if (steps) f.require("say", R"(Give words for each step, such as {"invited": "inviting your team"}.)");
    const Json *all = f.value("say", Json::Type::object);
    if (!all) return;
    if (source->of > Of::account && !steps) return f.report("say", "has nothing to say for", "Remove it.");
    check_duplicates(*all, f.path("say"), problems_);
    if (all->items.size() > kMaxSaid || all->items.empty())
      f.report("say", "must have 1 to " + std::to_string(kMaxSaid) + " entries, not " + std::to_string(all->items.size()));
    for (std::size_t i = 0; i < std::min(all->items.size(), kMaxSaid); i++) read_words(all->items[i], join(f.path("say"), all->items[i].key), v, vocabulary);
    if (steps) check_steps(f, v, *all);
  }

  void read_words(const Json &j, const std::string &path, VariableDef &v, const Vocabulary &vocabulary) {
    if (!check_text(j.key, path, problems_) || !check_type(j, Json::Type::string, path, problems_) || !check_text(j.text, path, problems_)) return;
    judge(j.text, path, Place::word, vocabulary);
    v.say.emplace_back(j.key, j.text);
  }

  void check_steps(const Fields &f, const VariableDef &v, const Json &all) {
    if (!program_.activation) return;
    const std::vector<std::string> &steps = program_.activation->steps;
    for (const std::string &step : steps) {
      if (!all.find(step)) f.report("say", "has no words for the step " + quoted(step), "Its name isn't for people to read.");
    }
    for (const auto &[step, words] : v.say) {
      if (std::find(steps.begin(), steps.end(), step) == steps.end())
        problems_.add(join(f.path("say"), step), quoted(step) + " is no step of the activation", "Steps are those of activation.steps.");
    }
  }

  // --- what stands where ---

  void check_placeholders(const Fields &f, const TemplateDef &t) {
    std::vector<std::string_view> used;
    const auto look = [&](std::string_view key, const std::string &text, bool is_body) {
      const Pieces p = pieces_of(text);
      if (!p.broken.empty())
        f.report(key, "has a placeholder that isn't one: " + quoted(p.broken.substr(0, 20)), "Write {{name}}, with the name of a variable.");
      for (const std::string_view name : p.names) {
        if (name == "ask" || name == "opt_out") {
          if (!is_body) f.report(key, "must not have {{" + std::string(name) + "}}", "It stands in the body.");
        } else if (f.has("variables") && !f.value("variables", Json::Type::object)) {
          continue;
        } else if (!t.variable(name) && !declared(f, name)) {
          f.report(key, "variable " + quoted(name) + " is not defined", "Define it under \"variables\".");
        }
        used.push_back(name);
      }
      const auto times = [&](std::string_view name) { return std::count(p.names.begin(), p.names.end(), name); };
      if (!is_body) return;
      if (times("ask") != 1) f.report(key, "must have {{ask}} once, not " + std::to_string(times("ask")) + " times", "It is where the ask stands.");
      if (times("opt_out") != (t.opt_out.empty() ? 0 : 1) && !(t.opt_out.empty() && f.has("opt_out")))
        f.report(key, t.opt_out.empty() ? "has {{opt_out}}, of which there is none" : "must have {{opt_out}} once, not " + std::to_string(times("opt_out")) + " times",
                 t.opt_out.empty() ? "Give \"opt_out\", or remove this." : "It is where the opt-out stands.");
    };
    if (!t.subject.empty()) look("subject", t.subject, false);
    if (!t.ask.empty()) look("ask", t.ask, false);
    if (!t.opt_out.empty()) look("opt_out", t.opt_out, false);
    if (!t.body.empty()) look("body", t.body, true);
    for (const VariableDef &v : t.variables) {
      if (std::find(used.begin(), used.end(), v.name) == used.end())
        problems_.add(join(f.path("variables"), v.name), "is used nowhere", "Write {{" + v.name + "}} where it is to stand, or remove it.");
    }
  }

  static bool declared(const Fields &f, std::string_view name) {
    const Json *all = f.value("variables", Json::Type::object);
    return all && all->find(name);
  }

  static void check_facts(const Fields &f, const TemplateDef &t) {
    constexpr std::ptrdiff_t kMost = 2;
    const auto n = std::count_if(t.variables.begin(), t.variables.end(), [](const VariableDef &v) {
      const std::optional<SourceDef> s = source_of(v.from);
      return s && s->is_behaviour();
    });
    if (n <= kMost) return;
    f.report("variables", "say " + std::to_string(n) + " things of what the reader did, and at most " + std::to_string(kMost) + " are plausible",
             "Keep what the ask rests on; a text that knows everything is read as surveillance.");
  }

  const Language &language_;
  Problems &problems_;
  ProgramDef &program_;
  const bool motions_known_, judges_;
};

} // namespace

void read_outreach(const Json &j, const Language &language, Problems &problems, ProgramDef &program, bool motions_known, bool judges) {
  OutreachReader(language, problems, program, motions_known, judges).run(j);
}

} // namespace pql
