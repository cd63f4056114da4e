// What the outreach kit of a program rests on in the database: columns of attached relations.
#pragma once

#include "pg/assess.hpp"

namespace pql {
struct Given;
}

namespace pql::pg {

/// What is wrong with the attributes that texts say: columns that aren't there, or of another type.
void check_outreach(const Definitions &plan, const ProgramDef &p, std::vector<Problem> &problems);

/// The attributes that its texts may say, of those that there are.
std::set<AttributeName> attributes_mentioned(const Definitions &plan, const ProgramDef &p);

/// The values of a template's variables, by their names: {"name": {"texts": [...], "number": 1, "seconds": 2, "day": "2026-03-04"}}. What isn't
/// of that form is left out.
std::map<std::string, Given> given_of(const std::string &values);

} // namespace pql::pg
