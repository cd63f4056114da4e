#include "cli/man.hpp"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/session.hpp"
#include "cli/version.hpp"

namespace pql::cli {
namespace {

// Text as roff has it: no line begins a request, and dashes stay dashes.
std::string escaped(const std::string &text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
  std::string out;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\\') {
      out += "\\e";
    } else if (text[i] == '-') {
      out += "\\-";
    } else if ((text[i] == '.' || text[i] == '\'') && (i == 0 || text[i - 1] == '\n')) {
      out += std::string("\\&") + text[i];
    } else if (const int more = byte(i) < 0xc0   ? 0
                                : byte(i) < 0xe0 ? 1
                                : byte(i) < 0xf0 ? 2
                                                 : 3;
               more) { // UTF-8: roff has it by its number
      unsigned point = byte(i) & (0x3fu >> more);
      for (int n = 1; n <= more; n++) point = point << 6 | (byte(i + static_cast<std::size_t>(n)) & 0x3fu);
      char number[16];
      std::snprintf(number, sizeof number, "\\[u%04X]", point);
      out += number;
      i += static_cast<std::size_t>(more);
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string option(const CLI::Option &o) {
  std::string names;
  for (const std::string &n : o.get_snames())
    names += (names.empty() ? "" : ", ") + ("\\fB" + escaped("-" + n) + "\\fR");
  for (const std::string &n : o.get_lnames())
    names += (names.empty() ? "" : ", ") + ("\\fB" + escaped("--" + n) + "\\fR");
  if (names.empty())
    names = "\\fI" + escaped(o.get_name(true)) + "\\fR";
  else if (const std::string value = value_name(o); !value.empty())
    names += " \\fI" + escaped(value) + "\\fR";
  return ".TP\n" + names + "\n" + escaped(option_text(o)) + "\n";
}

void command(const CLI::App &app, const std::string &before, const CLI::Option *help, std::string &page) {
  const std::string name = before + app.get_name();
  page += ".SS " + escaped(name) + "\n" + escaped(app.get_description()) + ".\n";
  for (const CLI::Option *const o : app.get_options())
    if (o != help && o != app.get_help_ptr()) page += option(*o);
  for (const CLI::App *const inner : app.get_subcommands({})) command(*inner, name + " ", help, page);
}

} // namespace

std::string manual_page(const CLI::App &app) {
  std::string page = ".TH PQLCTL 1 \"\" \"pql " + std::string(program_version()) + "\" \"pql\"\n" +
                     ".SH NAME\npqlctl \\- pql from the command line\n" +
                     ".SH SYNOPSIS\n.B pqlctl\n[\\fIoption\\fR ...] \\fIcommand\\fR [\\fIargument\\fR ...]\n" +
                     ".SH DESCRIPTION\npqlctl works with the PostgreSQL extension pql: it brings events into the "
                     "database, publishes programs,\n"
                     "and shows what became of them.\n.SH OPTIONS\nThey may stand before or after the command.\n";
  for (const CLI::Option *const o : app.get_options()) page += option(*o);
  page += ".SH COMMANDS\n";
  for (const CLI::App *const c : app.get_subcommands({})) command(*c, "", app.get_help_ptr(), page);
  page += R"(.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
the answer is "no": a check failed, problems were found, records were rejected
.TP
.B 2
wrong usage, or input that can't be read
.TP
.B 3
no connection to the database
.TP
.B 4
the database refused a statement
.TP
.B 5
another service failed
.TP
.B 130
interrupted
.SH ENVIRONMENT
.TP
.BR PGHOST ", " PGPORT ", " PGDATABASE ", " PGUSER ", " PGSERVICE ", " PGPASSFILE
and all other variables of libpq say where the database is.
.TP
.B NO_COLOR
No colours, if it is set.
.SH SEE ALSO
.BR psql (1)
)";
  return page;
}

void add_man(CLI::App &app, Session &session) {
  CLI::App *const command = app.add_subcommand("man", "Print the manual page");
  command->callback([&app, &session] { session.out.line(manual_page(app)); });
}

} // namespace pql::cli
