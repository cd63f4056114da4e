// From a template and values to the text that a person sends: or why not.
// Law: what is rendered has no placeholder left, no control character, and passes the same looks as the template did; a value can't
// bring in what a template may not say.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/outreach/lint.hpp"
#include "core/outreach/say.hpp"
#include "core/program/program.hpp"

namespace pql {

/// The text of a template between its placeholders, and their names: text, name, text, name, text.
struct Pieces {
  std::vector<std::string_view> texts, names; ///< one text more than names
  std::string_view broken;                    ///< a "{{" that is no placeholder, with what follows
};
Pieces pieces_of(std::string_view text);

/// What is wrong with one of the texts, in PostgreSQL's style, and what to do.
struct Objection {
  std::string problem, hint;
};
/// Which part of a message a text is.
enum class Place : unsigned char { subject, body, ask, opt_out, word };
std::vector<Objection> objections(std::string_view text, Place place, const Vocabulary &vocabulary);

/// What of a program its templates' texts are looked at with. `t` may be null.
Vocabulary vocabulary_of(const ProgramDef &p, const TemplateDef *t);

/// A value as the database knows it.
struct Given {
  std::vector<std::string> texts; ///< of a text (one) or a list; as they are stored, not as they are said
  std::optional<double> number;
  std::optional<Micros> span;     ///< from now to it: below zero when it is past
  std::optional<Day> day;
};

struct Rendered {
  std::string subject, body;
  std::string refused;                ///< why there is none; empty: there is
  std::vector<std::string> defaults;  ///< variables for which the default stands
  std::map<std::string, std::string> said; ///< variables that have a value, as it stands in the text
};
Rendered render(const ProgramDef &p, const TemplateDef &t, const std::map<std::string, Given> &given, int this_year);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
