// Tests of what outreach may say. covers: S2-6, S2-28, S2-29, S2-30, S2u-8, S2u-10, S1-42
#include "core/outreach/render.hpp"

#include <algorithm>
#include <chrono>

#include <gtest/gtest.h>

#include "core/outreach/fold.hpp"

namespace pql {
namespace {

using What = Fault::What;

std::vector<What> found(std::string_view text, const Vocabulary &v = {}) {
  std::vector<What> out;
  for (const Fault &f : look_at(text, v).faults) out.push_back(f.what);
  return out;
}

std::size_t asks(std::string_view text) { return look_at(text).asks.size(); }

TEST(Outreach, TellsWhoSaysThatTheyWatched) {
  for (const char *text : {
           // English
           "we noticed you clicked on pricing", "We've noticed that your team grew.", "I saw you signed up", "I see you clicked the export button.",
           "You visited our pricing page 4 times.", "Our data shows a rise in seats.", "According to our records, it is time.",
           "Based on your recent activity, this may help.", "Your last visit was on Monday.", "You just viewed the enterprise page", "You haven't logged in since March.",
           "It looks like you are stuck.", "Something caught our attention.", "We have been watching you closely.", "You spent 40 minutes in the editor.",
           "Our system flagged the account.", "I can see that the import failed.", "We did notice that your trial ends.", "Somebody viewed our pricing page.",
           "WE NOTICED YOU", "we  noticed\nyou", "we noticed, you know, the export", "wе nоticed you", "we no\xc2\xadticed you", "ｗｅ ｎｏｔｉｃｅｄ you", "𝐰𝐞 𝐧𝐨𝐭𝐢𝐜𝐞𝐝 you",
           // German
           "Wir haben gesehen, dass Sie die Preise aufgerufen haben.", "Uns ist aufgefallen, dass Ihr Team wächst.", "Ich sehe, dass Sie viel testen.",
           "Sie haben unsere Preisseite besucht.", "Unsere Daten zeigen es.", "Laut unseren Aufzeichnungen läuft der Test aus.", "Ihre letzten Besuche waren kurz.",
           "Mir fiel gestern auf, dass es hakt.", "Wir haben bemerkt, dass Du die Doku geöffnet hast.",
           // French
           "Nous avons remarqué que vous testez.", "J’ai vu que vous avez ouvert la page.", "Vous avez consulté nos tarifs.", "Nos données montrent une hausse.",
           "D'après votre activité, ceci peut aider.", "Votre dernière visite date de lundi.", "Je vois que vous hésitez.",
           // Spanish
           "Hemos visto que tu equipo crece.", "Vimos que abriste la página de precios.", "Nuestros datos muestran más uso.", "Según tu actividad, esto ayuda.",
           "Visitaste la página de precios.", "Notamos que ha visitado nuestra web.", "Tu última visita fue ayer.",
           // Portuguese
           "Notamos que você visitou a página.", "Vimos que sua equipe cresceu.", "Nossos dados mostram mais uso.", "Percebi que sua conta mudou.",
           "Você clicou nos preços.", "De acordo com seus dados, falta pouco.", "Sua última visita foi ontem."})
    EXPECT_TRUE(std::ranges::count(found(text), What::observed)) << text;
}

TEST(Outreach, LetsHelpBeOffered) {
  for (const char *text : {
           "Teams of your size set up single sign-on before they invite everybody. I can do it with you in ten minutes.",
           "Here is a template for inviting your team. It takes two clicks.", "You can set it up in two clicks.", "Our dashboard has three views.",
           "I hold office hours on Tuesdays at 14:00.", "Your plan includes 1,000 calls a month.", "The webinar is on 3 March at 10:30.",
           "Welcome to the team plan. Many teams connect GitHub and Slack next.", "Ihr Team kann das in zehn Minuten einrichten.",
           "Viele Teams verbinden als Nächstes ihr Repository. Ich zeige Ihnen gern, wie das geht.", "Mit zwei Klicks ist alles eingerichtet.",
           "Je peux vous aider à connecter votre dépôt en dix minutes.", "La connexion se fait en deux clics. Merci d'avoir rejoint l'équipe.",
           "Puedo ayudarte a invitar a tu equipo. Se hace en dos clics.", "Posso ajudar a convidar sua equipe. São dez minutos.", "Это занимает десять минут.",
           "チームの招待をお手伝いします。", "Node.js 20.11 and PostgreSQL 15 are fine.", "It costs 1,200 EUR a year, about 12.5% less.", "My number is +49 30 123456.", ""}) {
    EXPECT_EQ(look_at(text).faults, std::vector<Fault>{}) << text;
    EXPECT_EQ(look_at(text).asks, std::vector<std::string>{}) << text;
  }
}

TEST(Outreach, FindsTelemetry) {
  EXPECT_EQ(found("You are at sso_requested now."), std::vector{What::event});
  EXPECT_EQ(found("after Project Created", {{"Project Created"}, {}, {}}), std::vector{What::event});
  EXPECT_EQ(found("It was 14:02 then."), std::vector{What::moment});
  EXPECT_EQ(found("2026-03-01T14:00Z"), std::vector{What::moment});
  EXPECT_EQ(found("at 14:05:33"), std::vector{What::moment});
  EXPECT_EQ(found("account 0190f3c2-7a1e-7cc1-9a53-1f2e3d4c5b6a"), std::vector{What::id});
  EXPECT_EQ(found("order 123456789"), std::vector{What::id});
  EXPECT_EQ(found("from 10.0.12.7"), std::vector{What::id});
  EXPECT_EQ(found("12 clicks"), std::vector{What::counted});
  EXPECT_EQ(found("Your 12 errors"), std::vector{What::counted});
  EXPECT_EQ(found("four times this week"), std::vector{What::counted});
  EXPECT_EQ(found("{{n}} page views", {{}, {}, {"n"}}), std::vector{What::counted});
  EXPECT_EQ(found("{{n}} seats", {{}, {}, {"n"}}), std::vector<What>{});
  EXPECT_EQ(found("about Pricing Viewed", {{}, {"pricing_viewed"}, {}}), std::vector{What::barred});
  EXPECT_EQ(found("turned \xe2\x80\xae around"), std::vector{What::invisible});
  EXPECT_EQ(found("see https://example.com/a_b_c?id=0190f3c27a1e7cc1"), std::vector<What>{});
  EXPECT_EQ(found("write to first_last@example.com"), std::vector<What>{});
  EXPECT_EQ(look_at("so We've  noticed you!").faults[0].found, "We've noticed you");
}

TEST(Outreach, CountsAsks) {
  EXPECT_EQ(asks("Would a 10-minute setup call help?"), 1u);
  EXPECT_EQ(asks("Would Tuesday or Thursday suit you?"), 1u);
  EXPECT_EQ(asks("Would you like that? Or something else?"), 2u);
  EXPECT_EQ(asks("Really??? !?"), 1u);
  EXPECT_EQ(asks("Book a 10-minute call here: https://example.com/cal?a=1&b=2."), 1u);
  EXPECT_EQ(asks("Two: https://example.com/a https://example.com/b"), 2u);
  EXPECT_EQ(asks("See example.com/demo."), 1u);
  EXPECT_EQ(asks("Monday.com and Node.js are names."), 0u);
  EXPECT_EQ(asks("Let me know. Please reply."), 2u);
  EXPECT_EQ(asks("Just reply to this."), 1u);
  EXPECT_EQ(asks("The reply comes within a day."), 0u);
  EXPECT_EQ(asks("Geben Sie mir Bescheid."), 1u);
  EXPECT_EQ(asks("Melden Sie sich gern."), 1u);
  EXPECT_EQ(asks("Dites-moi ce qui vous convient."), 1u);
  EXPECT_EQ(asks("Avísame si te va bien."), 1u);
  EXPECT_EQ(asks("Me avise se fizer sentido."), 1u);
  EXPECT_EQ(asks("お時間はありますか？"), 1u);
}

TEST(Outreach, FoldsWhatLooksTheSame) {
  EXPECT_EQ(fold("Ärger Straße ŒUVRE ñ").text, "arger strasse oeuvre n");
  EXPECT_EQ(fold("“you’ve”…").text, " you've ."); // quotation marks part words
  EXPECT_EQ(fold("a\xff\xf0\x9f").text, "a   ");
  EXPECT_EQ(on_one_line(" a\r\n\tb\x01\xe2\x80\x8b c "), "a b c");
  EXPECT_EQ(count_characters("aé日\xff"), 4u);
  EXPECT_FALSE(has_invisible("two\nlines ❤️"));
  EXPECT_TRUE(has_invisible("a\tb"));
}

TEST(Outreach, SaysNumbersAsPeopleDo) {
  EXPECT_EQ(say_number(3, Tongue::en), "three");
  EXPECT_EQ(say_number(0, Tongue::en), "zero");
  EXPECT_EQ(say_number(20, Tongue::en), "20");
  EXPECT_EQ(say_number(37, Tongue::en), "about 40");
  EXPECT_EQ(say_number(1234, Tongue::en), "about 1,200");
  EXPECT_EQ(say_number(1234567, Tongue::de), "etwa 1.200.000");
  EXPECT_EQ(say_number(2.4, Tongue::en), "about two");
  EXPECT_EQ(say_number(-30, Tongue::en), "-30");
  EXPECT_EQ(say_number(-3, Tongue::en), "-3");
  EXPECT_EQ(say_number(-7.4, Tongue::en), "about -7");
  EXPECT_EQ(say_number(-1234, Tongue::en), "about -1,200");
  EXPECT_EQ(say_number(99.7, Tongue::en), "about 100");
  EXPECT_EQ(say_number(1, Tongue::fr), "1");
  EXPECT_EQ(say_number(2, Tongue::pt), "2");
  EXPECT_EQ(say_number(12, Tongue::de), "zwölf");
  EXPECT_FALSE(say_number(std::numeric_limits<double>::quiet_NaN(), Tongue::en));
  EXPECT_FALSE(say_number(1e300, Tongue::en));
}

TEST(Outreach, SaysTimesAsPeopleDo) {
  EXPECT_EQ(say_span(kHour, Tongue::en), "a day");
  EXPECT_EQ(say_span(9 * kDay, Tongue::en), "nine days");
  EXPECT_EQ(say_span(-21 * kDay, Tongue::en), "three weeks");
  EXPECT_EQ(say_span(30 * kDay, Tongue::en), "a month");
  EXPECT_EQ(say_span(14 * kDay, Tongue::pt), "duas semanas");
  EXPECT_EQ(say_span(2 * kDay, Tongue::pt), "dois dias");
  EXPECT_EQ(say_span(60 * kDay, Tongue::de), "zwei Monaten");
  EXPECT_EQ(say_span(800 * kDay, Tongue::fr), "deux ans");
  EXPECT_EQ(say_day({2026, 3, 1}, 2026, Tongue::fr), "1er mars");
  EXPECT_EQ(say_day({2027, 3, 3}, 2026, Tongue::en), "3 March 2027");
  EXPECT_EQ(say_day({2026, 12, 24}, 2026, Tongue::de), "24. Dezember");
  EXPECT_EQ(say_day({2027, 1, 2}, 2026, Tongue::es), "2 de enero de 2027");
  const std::vector<std::string> three = {"a", "b", "c"};
  EXPECT_EQ(say_list(three, Tongue::en), "a, b and c");
  EXPECT_EQ(say_list(std::span(three).first(2), Tongue::de), "a und b");
}

TEST(Outreach, SplitsTemplates) {
  const Pieces p = pieces_of("Hi {{name}}, {{x}}.");
  EXPECT_EQ(p.texts, (std::vector<std::string_view>{"Hi ", ", ", "."}));
  EXPECT_EQ(p.names, (std::vector<std::string_view>{"name", "x"}));
  EXPECT_EQ(pieces_of("{{Name}} {{a}} {{").broken, "{{Name}} {{a}} {{");
  EXPECT_EQ(pieces_of("{{Name}} {{a}} {{").names.size(), 1u);
}

// A program with one template.
ProgramDef program() {
  const ParsedProgram r = parse_program(R"({
    "program": "trial", "unit": "user", "signals": {"team": {"kind": "breadth", "event": "invite", "half_life": "7 days", "max_points": 20},
      "pricing": {"kind": "intent", "event": "pricing_viewed", "half_life": "7 days", "max_points": 20, "may_mention": false}},
    "qualify": {"enter": 10}, "motions": [{"otherwise": true, "motion": "email", "channel": "email"}],
    "outreach": {"may_mention": ["attr.name", "attr.seats", "attr.ends"],
      "templates": {"hello": {"motion": "email", "subject": "A hand with {{topic}}", "body": "Hi {{name}},\n\nI help {{seats}} people with {{topic}}, until {{ends}}.\n\n{{ask}}\n\n{{opt_out}}",
        "ask": "Would a 10-minute setup call help?", "opt_out": "Reply \"no\" and I won't write again.",
        "variables": {"name": {"type": "text", "from": "attr.name", "default": "there"}, "seats": {"type": "number", "from": "attr.seats"},
          "ends": {"type": "date", "from": "attr.ends"}, "topic": {"type": "text", "from": "signal.team", "say": "inviting your team"}}}}}})");
  EXPECT_EQ(r.problems, std::vector<Problem>{});
  return r.program;
}

std::map<std::string, Given> given() { return {{"name", {{"Ann"}, {}, {}, {}}}, {"seats", {{}, 17, {}, {}}}, {"ends", {{}, {}, {}, Day{2026, 4, 1}}}, {"topic", {{"team"}, {}, {}, {}}}}; }

TEST(Outreach, Renders) {
  const ProgramDef p = program();
  const TemplateDef &t = p.outreach->templates[0];
  const Rendered r = render(p, t, given(), 2026);
  EXPECT_EQ(r.refused, "");
  EXPECT_EQ(r.subject, "A hand with inviting your team");
  EXPECT_EQ(r.body, "Hi Ann,\n\nI help about 20 people with inviting your team, until 1 April.\n\nWould a 10-minute setup call help?\n\nReply \"no\" and I won't write again.");
  EXPECT_EQ(r.said.at("seats"), "about 20");
  EXPECT_EQ(r.defaults, std::vector<std::string>{});
}

TEST(Outreach, SaysNothingOfTheOtherSideOfNow) {
  ProgramDef p = program();
  VariableDef &ends = *std::ranges::find(p.outreach->templates[0].variables, "ends", &VariableDef::name);
  ends.fallback = "soon";
  const auto ends_in = [&](VariableType type, Micros span) {
    ends.type = type;
    auto g = given();
    g["ends"] = {{}, {}, span, {}};
    const Rendered r = render(p, p.outreach->templates[0], g, 2026);
    return r.said.contains("ends") ? r.said.at("ends") : "";
  };
  EXPECT_EQ(ends_in(VariableType::until, 14 * kDay), "two weeks");
  EXPECT_EQ(ends_in(VariableType::until, -14 * kDay), "");
  EXPECT_EQ(ends_in(VariableType::since, -14 * kDay), "two weeks");
  EXPECT_EQ(ends_in(VariableType::since, 14 * kDay), "");
  EXPECT_EQ(ends_in(VariableType::since, 0), "a day");
}

TEST(Outreach, NeverGreetsNobody) {
  const ProgramDef p = program();
  const TemplateDef &t = p.outreach->templates[0];
  auto g = given();
  g.erase("name");
  EXPECT_EQ(render(p, t, g, 2026).body.substr(0, 9), "Hi there,");
  EXPECT_EQ(render(p, t, g, 2026).defaults, std::vector<std::string>{"name"});
  g["name"].texts = {" \t "};
  EXPECT_EQ(render(p, t, g, 2026).body.substr(0, 9), "Hi there,");
  g.erase("seats");
  EXPECT_EQ(render(p, t, g, 2026).refused, "attr.seats has no value, and variable seats no default");
  EXPECT_EQ(render(p, t, g, 2026).body, "");
}

TEST(Outreach, ValuesSmuggleNothingIn) {
  const ProgramDef p = program();
  const TemplateDef &t = p.outreach->templates[0];
  const auto with_name = [&](const char *name) {
    auto g = given();
    g["name"].texts = {name};
    return render(p, t, g, 2026);
  };
  EXPECT_EQ(with_name("Ann https://evil.example/x").refused, "with its values, the body asks for something outside of \"ask\": \"Hi Ann https://evil.example/x,\"");
  EXPECT_EQ(with_name("we noticed you").refused, "with its values, the body tells the reader that they were watched: \"we noticed you\"");
  EXPECT_EQ(with_name("user_8f3a").refused, "with its values, the body has a name as software writes it: \"user_8f3a\"");
  EXPECT_EQ(with_name("pricing_viewed").refused.find("with its values"), 0u);
  EXPECT_EQ(with_name("A\r\n\r\nBcc: x\x01").body.substr(0, 12), "Hi A Bcc: x,");
  EXPECT_EQ(with_name("{{seats}}{{ask}}").body.substr(0, 20), "Hi {{seats}}{{ask}},");
  EXPECT_EQ(with_name(std::string(81, 'x').c_str()).refused, "the value of name has more than 80 characters");
}

TEST(Outreach, LooksAtLongTextsInTimeProportionalToTheirLength) {
  const auto time = [](const std::string &piece, std::size_t n) {
    std::string text;
    while (text.size() < n) text += piece;
    const auto from = std::chrono::steady_clock::now();
    look_at(text);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  };
  for (const char *piece : {"we ", "you ", "we noticed ", "# ", "12 ", "1:", "_", "a_", "{{", "?", "http://", "x", "\xff", "é", "you have been very quite so really ", "\n", "...", "a.b/"})
    EXPECT_LT(time(piece, 1 << 18), 5.0) << piece; // a hundred times what it takes; the square would be minutes
}

} // namespace
} // namespace pql
