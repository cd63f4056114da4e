#include "cli/serve/pages.hpp"

#include <array>
#include <utility>

#include "cli/base/text.hpp"

namespace pql::cli {
namespace {

std::string page(const std::string &title, const std::string &content) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
         "<meta name=\"color-scheme\" content=\"light dark\">"
         "<title>" +
         html_text(title) + "</title><link rel=\"stylesheet\" href=\"../style.css\"></head><body><main>\n" + content +
         "</main></body></html>\n";
}

std::string accept_form() {
  return "<form method=\"post\"><input type=\"hidden\" name=\"action\" value=\"accept\">"
         "<button class=\"primary\">Accept</button><p class=\"hint\">I will make contact.</p></form>\n";
}

std::string decline_form() {
  static constexpr std::array reasons{"Not my area", "No time", "Known already", "Bad fit"};
  std::string form = "<form method=\"post\"><input type=\"hidden\" name=\"action\" value=\"decline\">"
                     "<fieldset><legend>Why not?</legend><div class=\"chips\">";
  for (const char *const reason : reasons)
    form += std::string("<label><input type=\"radio\" name=\"reason\" value=\"") + reason + "\"><span>" + reason +
            "</span></label>";
  return form + "</div><input type=\"text\" name=\"words\" maxlength=\"500\" placeholder=\"In other words\" "
                "aria-label=\"In other words\"></fieldset>"
                "<button>Decline</button><p class=\"hint\">Somebody else gets it.</p></form>\n";
}

std::string question(const char *name, const char *words) {
  return std::string("<fieldset class=\"question\"><legend>") + words +
         "</legend><div class=\"segments\">"
         "<label><input type=\"radio\" name=\"" +
         name +
         "\" value=\"yes\"><span>Yes</span></label>"
         "<label><input type=\"radio\" name=\"" +
         name +
         "\" value=\"no\"><span>No</span></label>"
         "<label><input type=\"radio\" name=\"" +
         name + "\" value=\"\" checked><span>Skip</span></label></div></fieldset>";
}

std::string chips(const char *name, const char *legend,
                  std::initializer_list<std::pair<const char *, const char *>> values, const char *chosen) {
  std::string set = std::string("<fieldset><legend>") + legend + "</legend><div class=\"chips\">";
  for (const auto &[value, words] : values)
    set += std::string("<label><input type=\"radio\" name=\"") + name + "\" value=\"" + value + "\"" +
           (std::string_view(value) == chosen ? " checked" : "") + "><span>" + words + "</span></label>";
  return set + "</div></fieldset>";
}

std::string dispose_form(bool is_touched) {
  std::string form = "<form method=\"post\"><input type=\"hidden\" name=\"action\" value=\"dispose\">";
  form += chips("disposition", "What came of it?",
                {{"meeting_set", "Meeting set"},
                 {"converted", "Converted"},
                 {"contacted", "In contact"},
                 {"no_response", "No response"},
                 {"nurture", "Later"},
                 {"disqualified", "Bad fit"},
                 {"routed_to_cs", "For customer success"}},
                "");
  if (!is_touched)
    form += chips("channel", "Reached by",
                  {{"phone", "Phone"}, {"email", "E-mail"}, {"meeting", "Meeting"}, {"chat", "Chat"}}, "phone");
  form += question("need_matched", "Was the need as described?") + question("timing_right", "Was the timing right?") +
          question("context_enough", "Did the story say enough?");
  form += "<textarea name=\"note\" rows=\"3\" maxlength=\"4000\" placeholder=\"Anything worth remembering\" "
          "aria-label=\"Note\"></textarea>";
  form += "<details><summary>Something went wrong</summary>" +
          chips("failure", "What?",
                {{"tone", "Tone"}, {"timing", "Timing"}, {"wrong_person", "Wrong person"}, {"", "Nothing"}}, "") +
          "</details>";
  return form + "<button class=\"primary\">Save</button></form>\n";
}

std::string folded(const char *title, const std::string &content, bool open) {
  return std::string("<details class=\"answer\"") + (open ? " open" : "") + "><summary>" + title + "</summary>" +
         content + "</details>\n";
}

// "Why now: …": what it is about stands out.
std::string line_html(const std::string &line) {
  const std::size_t colon = line.find(": ");
  const bool has_title = colon < 24 && line.find_first_of(".(\"@0123456789") > colon;
  if (!has_title) return html_text(line);
  return "<b>" + html_text(line.substr(0, colon + 1)) + "</b>" + html_text(line.substr(colon + 1));
}

// How things are, to whoever may answer.
std::string words_for(const ReplyRow &row) {
  if (row.snoozed) return "It is snoozed: there is nothing to answer now.";
  if (row.state == "claimed") return "You have taken it.";
  if (row.state == "accepted") return "You have accepted it.";
  if (row.state == "touched") return "You have been in contact.";
  if (row.state == "disposed") {
    std::string words = row.disposition;
    for (char &c : words) c = c == '_' ? ' ' : c;
    return "It was answered: " + words + ".";
  }
  return row.state == "ready" ? "" : "It is " + row.state + ": there is nothing to answer now.";
}

std::string story_html(const std::string &story) {
  std::string html;
  std::size_t at = 0;
  bool first = true;
  while (at < story.size()) {
    const std::size_t end = std::min(story.find('\n', at), story.size());
    const std::string line = story.substr(at, end - at);
    at = end + 1;
    if (line.empty()) continue;
    if (!first) html += "<p>" + line_html(line) + "</p>"; // the first is the title, which the page has
    first = false;
  }
  return html;
}

} // namespace

const std::string &style_sheet() {
  static const std::string sheet =
      R"(:root { color-scheme: light dark; --ink: #1c2024; --dim: #5b6570; --ground: #f4f5f7; --card: #fff; --line: #d5dae0;
  --accent: #1f6feb; --on-accent: #fff; --good: #1a7f37; --bad: #b35900; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --dim: #9aa4af; --ground: #14171a; --card: #1e2226; --line: #39414a;
  --accent: #4c8ff5; --on-accent: #0b1016; --good: #57c271; --bad: #f0a04b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 34rem; margin: 0 auto; padding: 1rem 1rem 3rem; }
h1 { font-size: 1.35rem; line-height: 1.25; margin: .5rem 0 .25rem; overflow-wrap: anywhere; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
.meta, .hint { color: var(--dim); font-size: .875rem; }
.hint { margin: .4rem 0 0; text-align: center; }
.status { border-left: 4px solid var(--accent); padding-left: .75rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
form, .story, .answer, .box { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem; margin: .75rem 0; }
.answer form { border: 0; padding: 0; margin: .75rem 0 0; }
.story { font-size: .9375rem; } .story > summary, .answer > summary { margin: -.375rem 0; font-size: 1rem; }
summary { cursor: pointer; font-weight: 600; padding: .25rem 0; min-height: 2rem; }
form details summary { font-weight: 400; color: var(--dim); }
button { display: block; width: 100%; min-height: 3rem; border: 1px solid var(--line); border-radius: .6rem; background: transparent; color: var(--ink);
  font: inherit; font-weight: 600; cursor: pointer; }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
fieldset { border: 0; margin: 0 0 1rem; padding: 0; min-width: 0; }
legend { font-weight: 600; padding: 0; margin-bottom: .4rem; }
.chips { display: flex; flex-wrap: wrap; gap: .5rem; }
.segments { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; }
.chips label, .segments label { position: relative; display: block; }
.chips input, .segments input { position: absolute; opacity: 0; inset: 0; margin: 0; cursor: pointer; }
.chips span, .segments span { display: block; padding: .55rem .8rem; border: 1px solid var(--line); border-radius: .6rem; text-align: center; min-height: 2.75rem; }
input:checked + span { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
.segments label:last-child input:checked + span { border-color: var(--dim); background: transparent; color: var(--dim); }
input:focus-visible + span, button:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
input[type=text], textarea { width: 100%; margin-top: .6rem; padding: .65rem .75rem; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--ground); color: inherit; font: inherit; }
textarea { margin: 0 0 .75rem; resize: vertical; }
)";
  return sheet;
}

std::string reply_page(const ReplyRow &row, const std::string &action) {
  const bool is_done = row.state == "disposed";
  const bool is_open =
      row.state == "ready" || row.state == "claimed" || row.state == "accepted" || row.state == "touched";
  std::string html = "<p class=\"meta\">For " + html_text(row.rep) +
                     (row.contact_by.empty() || is_done ? "" : " · contact by " + html_text(row.contact_by)) +
                     "</p><h1>" + html_text(row.subject) + "</h1><p>" + html_text(row.headline) + "</p>\n";
  if (const std::string words = words_for(row); !words.empty())
    html += "<p class=\"status\">" + html_text(words) + "</p>\n";
  const bool may_accept = is_open && !row.snoozed && (row.state == "ready" || row.state == "claimed");
  if (may_accept && action == "accept") html += accept_form();
  if (!row.story.empty())
    html += "<details class=\"story\"" + std::string(action == "accept" ? " open" : "") +
            "><summary>The story</summary>" + story_html(row.story) + "</details>\n";
  if (may_accept) html += folded("Decline", decline_form(), action == "decline");
  if (is_open && !row.snoozed)
    html += folded("How did it go?", dispose_form(row.state == "touched"), action == "dispose" || !may_accept);
  if (may_accept && action != "accept") html += folded("Accept", accept_form(), false);
  return page(row.subject, html);
}

std::string plain_page(const std::string &title, const std::string &text, bool good) {
  return page(title, "<div class=\"box\"><h1 class=\"" + std::string(good ? "good" : "bad") + "\">" + html_text(title) +
                         "</h1><p>" + html_text(text) + "</p></div>\n");
}

} // namespace pql::cli
