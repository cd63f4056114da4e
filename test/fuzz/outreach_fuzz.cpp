// Any bytes as a text that is sent, and as a value in one.
// Law: never crashes; what is found is there, and valid UTF-8; a text that passes still does on one line; what is rendered has passed.
#include "core/outreach/fold.hpp"
#include "core/outreach/render.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

const pql::ProgramDef &program() {
  static const auto &p = *new pql::ProgramDef(pql::parse_program(R"({
    "program": "trial", "unit": "user", "signals": {"team": {"kind": "breadth", "event": "invite_sent", "half_life": "7 days", "max_points": 20},
      "pricing": {"kind": "intent", "event": "pricing_viewed", "half_life": "7 days", "max_points": 20, "may_mention": false}},
    "qualify": {"enter": 10}, "motions": [{"otherwise": true, "motion": "email"}],
    "outreach": {"may_mention": ["attr.name"], "templates": {"hello": {"motion": "email", "subject": "For {{name}}", "body": "Hi {{name}}!\n\n{{ask}}",
      "ask": "Is ten minutes all right?", "variables": {"name": {"type": "text", "from": "attr.name", "default": "there"}}}}}})").program);
  return p;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  const pql::Folded folded = pql::fold(text);
  require(folded.origin.size() == folded.text.size() + 1 && folded.origin.back() == size);
  const pql::ProgramDef &p = program();
  const pql::Vocabulary vocabulary = pql::vocabulary_of(p, nullptr);
  const pql::Look look = pql::look_at(text, vocabulary);
  for (const pql::Fault &f : look.faults) require(f.found == pql::on_one_line(f.found) && (f.what == pql::Fault::What::invisible || !f.found.empty()));
  for (const std::string &ask : look.asks) require(!ask.empty() && !pql::has_invisible(ask));
  const std::string line = pql::on_one_line(text);
  require(!pql::has_invisible(line) && pql::on_one_line(line) == line);
  (void)pql::pieces_of(text);
  const pql::TemplateDef &t = p.outreach->templates[0];
  const pql::Rendered r = pql::render(p, t, {{"name", {{std::string(text)}, {}, {}, {}}}}, 2026);
  require(r.refused.empty() != r.body.empty());
  if (r.refused.empty()) {
    require(!pql::has_invisible(r.body) && r.body.ends_with(t.ask) && r.subject.find('\n') == std::string::npos);
    require(pql::look_at(r.body, vocabulary).faults.empty());
    require(pql::look_at(r.subject, vocabulary).asks.empty());
  }
  return 0;
}
