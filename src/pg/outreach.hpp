// What the outreach kit of a program rests on in the database: columns of attached relations.
#pragma once

#include "pg/assess.hpp"

namespace pql::pg {

/// What is wrong with the attributes that texts say: columns that aren't there, or of another type.
void check_outreach(const Definitions &plan, const ProgramDef &p, std::vector<Problem> &problems);

/// The attributes that its texts may say, of those that there are.
std::set<AttributeName> attributes_mentioned(const Definitions &plan, const ProgramDef &p);

} // namespace pql::pg
