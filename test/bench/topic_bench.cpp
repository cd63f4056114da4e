// What finding topics costs: bytes of messages a second, by 2,000 patterns or more, in made-up messages of several scripts of which none, a
// twentieth or a fifth is given a topic, and in labelled ones (test/topics) of which none or a twentieth holds any; by 2,000 patterns over
// words that no message has; and, to compare with, what it costs to look at each byte once (memchr).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "core/topic/matcher.hpp"

namespace {

using namespace pql::topic;

constexpr std::size_t kPatterns = 2'000;

std::string file(const std::filesystem::path &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The shipped lexica, filled up with patterns of their shapes over words that are none.
std::vector<Entry> lexicon(bool shipped = true) {
  std::vector<Entry> out;
  std::vector<LexiconProblem> problems;
  Normaliser n;
  for (const auto &f : std::filesystem::directory_iterator(PQL_LEXICON)) {
    if (shipped && f.path().extension() == ".tsv") read_lexicon(n, f.path().stem().string(), file(f.path()), out, problems);
  }
  std::mt19937_64 random(7);
  static const std::vector<std::vector<std::string>> syllables = {
      {"qua", "zor", "vex", "jun", "pli", "wok", "xan", "dru"}, {"щук", "эфо", "юнг", "жби", "цвы", "хэр"}, {"鑑", "櫻", "籠", "鷲", "麒", "螢"}, {"ضغ", "ظث", "خذ", "غش", "طظ", "ثض"}};
  const auto word = [&](std::size_t script, int length) {
    std::string w;
    while (length-- > 0) w += syllables[script][random() % syllables[script].size()];
    return w;
  };
  for (std::size_t i = static_cast<std::size_t>(std::count_if(out.begin(), out.end(), [](const Entry &e) { return e.kind == Kind::topic; })); i < kPatterns; i++) {
    const std::size_t s = i % 4;
    std::string p;
    if (s == 2) p = word(s, 2) + ".{0,10}" + word(s, 3);
    else if (i % 3 == 0) p = "\\b(?:" + word(s, 3) + "|" + word(s, 3) + "|" + word(s, 4) + ")\\b.{0,40}\\b" + word(s, 3);
    else if (i % 3 == 1) p = "\\b" + word(s, 4) + "\\w* (?:" + word(s, 2) + "|" + word(s, 3) + ")\\b";
    else p = "\\b" + word(s, 4) + "(?:s|es|en)?\\b";
    out.push_back({"xx", Kind::topic, "pricing", p});
  }
  return out;
}

struct Messages {
  std::vector<std::string> texts;
  std::size_t bytes = 0;
};

// `share` in a hundred have a sentence that tells of a topic.
Messages messages(int share) {
  static const std::vector<std::vector<std::string>> words = {
      {"the", "team", "looked", "at", "report", "yesterday", "and", "found", "nothing", "wrong", "with", "that", "please", "let", "us", "know", "when", "you", "have", "time", "for", "a", "call", "next", "week"},
      {"wir", "haben", "gestern", "den", "bericht", "gelesen", "und", "nichts", "gefunden", "bitte", "sagen", "sie", "uns", "wann", "es", "ihnen", "passt", "für", "ein", "gespräch", "nächste", "woche", "grüße"},
      {"мы", "вчера", "посмотрели", "отчёт", "и", "ничего", "не", "нашли", "пожалуйста", "скажите", "когда", "вам", "удобно", "поговорить", "на", "следующей", "неделе", "спасибо"},
      {"昨日", "報告書を", "確認しました", "が", "問題は", "見つかりません", "でした", "来週", "お時間の", "ある", "ときに", "ご連絡", "ください", "よろしく", "お願いします"},
      {"قرأنا", "التقرير", "أمس", "ولم", "نجد", "شيئا", "من", "فضلك", "أخبرنا", "متى", "يناسبك", "الحديث", "في", "الأسبوع", "القادم", "شكرا"},
      {"昨天", "我们", "看了", "报告", "没有", "发现", "问题", "请", "告诉", "我们", "下周", "什么", "时候", "方便", "谢谢"}};
  static const std::vector<std::string> telling = {"Do you support SAML?", "Was kostet das pro Monat?", "We don't need SSO.", "Our third ticket, and it is still broken!"};
  std::mt19937_64 random(3);
  Messages out;
  for (int i = 0; i < 6'000; i++) {
    const auto &w = words[static_cast<std::size_t>(i) % words.size()];
    const bool blanks = i % 6 != 3 && i % 6 != 5;
    std::string t;
    for (int sentences = 1 + static_cast<int>(random() % 6); sentences > 0; sentences--) {
      for (int n = 5 + static_cast<int>(random() % 12); n > 0; n--) t += w[random() % w.size()] + (blanks && n > 1 ? " " : "");
      t += blanks ? ". " : "。";
    }
    if (static_cast<int>(random() % 100) < share) t += telling[random() % telling.size()];
    out.bytes += t.size();
    out.texts.push_back(std::move(t));
  }
  return out;
}

void find_all(benchmark::State &state, Matcher &m, const std::vector<std::string> &texts) {
  std::size_t bytes = 0;
  for (const std::string &t : texts) bytes += t.size();
  for (auto _ : state) {
    for (const std::string &t : texts) benchmark::DoNotOptimize(m.find(t));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void find_topics(benchmark::State &state) {
  static Matcher m(lexicon());
  find_all(state, m, messages(static_cast<int>(state.range(0))).texts);
}
BENCHMARK(find_topics)->Arg(0)->Arg(5)->Arg(20)->Unit(benchmark::kMillisecond);

void find_topics_by_rare_words(benchmark::State &state) {
  static Matcher m(lexicon(false));
  find_all(state, m, messages(0).texts);
}
BENCHMARK(find_topics_by_rare_words)->Unit(benchmark::kMillisecond);

// Labelled messages of a language: those in which nothing is found, and of every hundred `share` others.
void find_topics_labelled(benchmark::State &state, const std::string &language) {
  static Matcher m(lexicon());
  std::vector<std::string> none, some, all;
  std::ifstream in(std::filesystem::path(PQL_LEXICON) / "../test/topics/messages" / (language + ".tsv"));
  for (std::string line; std::getline(in, line);) {
    const std::string text = line.substr(line.find('\t') + 1);
    (m.find(text).empty() ? none : some).push_back(text);
  }
  const auto share = static_cast<std::size_t>(state.range(0));
  for (std::size_t i = 0; i < none.size() * 10; i++) {
    const bool tells = share > 0 && i % (100 / share) == 0;
    all.push_back(tells ? some[i % some.size()] : none[i % none.size()]);
  }
  find_all(state, m, all);
}
BENCHMARK_CAPTURE(find_topics_labelled, en, std::string("en"))->Arg(0)->Arg(5)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(find_topics_labelled, ja, std::string("ja"))->Arg(0)->Arg(5)->Unit(benchmark::kMillisecond);

void normalise(benchmark::State &state) {
  Normaliser n;
  Normalised to;
  const Messages all = messages(5);
  for (auto _ : state) {
    for (const std::string &t : all.texts) n.normalise(t, to);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(all.bytes));
}
BENCHMARK(normalise)->Unit(benchmark::kMillisecond);

void look_at_each_byte(benchmark::State &state) {
  const Messages all = messages(5);
  for (auto _ : state) {
    for (const std::string &t : all.texts) benchmark::DoNotOptimize(std::memchr(t.data(), 0, t.size()));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(all.bytes));
}
BENCHMARK(look_at_each_byte)->Unit(benchmark::kMillisecond);

void compile_lexicon(benchmark::State &state) {
  const std::vector<Entry> entries = lexicon();
  for (auto _ : state) benchmark::DoNotOptimize(Matcher(entries).patterns());
}
BENCHMARK(compile_lexicon)->Unit(benchmark::kMillisecond);

} // namespace
