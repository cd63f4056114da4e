// The outreach kit of a document: templates, what they may say, and when nothing is sent any more.
// Law: what is accepted says nothing that a signal forbids, asks for one thing, and doesn't tell people that they were watched.
#pragma once

#include "core/program/language.hpp"

namespace pql {

/// Reads it, when the rest of the program has been read. `motions_known`: each motion could be; `judges`: texts are.
void read_outreach(const Json &j, const Language &language, Problems &problems, ProgramDef &program, bool motions_known, bool judges);

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
