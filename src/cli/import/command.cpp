#include "cli/commands.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>

#include "cli/base/interrupt.hpp"
#include "cli/base/progress.hpp"
#include "cli/base/terminal.hpp"
#include "cli/base/text.hpp"
#include "cli/import/format.hpp"
#include "cli/import/load.hpp"
#include "cli/import/records.hpp"
#include "cli/import/rejects.hpp"
#include "cli/import/source.hpp"
#include "cli/session.hpp"

namespace pql::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string git, format, table = "app_events", map, columns, timezone, delimiter, header, rejected;
  Mapping mapping;
  bool create = false, attach = false, merge = false, again = false, dry_run = false;
  std::size_t batch_size = 10'000;
};

constexpr std::size_t kPeek = 64 << 10;        // bytes by which a format is recognised
constexpr std::size_t kBatchBytes = 16u << 20; // of memory, whatever --batch-size says
constexpr int kShown = 5;                      // events that a dry run shows
constexpr const char *kMergeless = "merges, done with --merge";
constexpr std::int64_t kTried = 10'000; // records that it reads

// A file with what it takes to read it.
struct Input {
  Source source;
  Records records;
  Format format;
  std::unique_ptr<Reader> reader;
  Digest digest;
  Position position;   // behind the last record that was taken
  std::string unnamed; // begins the ids of events that have none
  bool header = false; // the first record is one
  bool within = false; // an earlier import ended within the line that comes next

  Input(Source s, const Options &o)
      : source(std::move(s)), records([this](char *to, std::size_t n) { return source.read(to, n); }, true) {
    std::string_view beginning = records.peek(kPeek);
    for (std::size_t n = kPeek;
         beginning.size() == n && n < kLongestRecord && beginning.find('\n') == std::string_view::npos;)
      beginning = records.peek(n *= 2); // its first line, if that can be
    if (!o.git.empty()) {
      format = {Vendor::git, Container::tsv};
    } else if (!o.format.empty()) {
      format = *format_named(o.format);
      if (format.vendor == Vendor::posthog) format.container = detect_format(beginning).container; // either
    } else if (!beginning.empty()) {
      format = detect_format(beginning);
    }
    records.quoted(format.container == Container::csv);
    if (beginning.empty()) return;
    Digest first;
    first.add(beginning);
    unnamed = "import-" + first.text().substr(0, 16) + "-";
    MadeReader made = make_reader(format, beginning, o.mapping);
    reader = std::move(made.reader);
    header = made.takes_header;
  }
  Input(const Input &) = delete;
  Input &operator=(const Input &) = delete;

  // From the beginning again.
  void restart() {
    if (!source.rewind()) throw Failure(Exit::usage, "can't read " + source.name() + " again");
    records =
        Records([this](char *to, std::size_t n) { return source.read(to, n); }, format.container == Container::csv);
    digest = Digest();
    position = {};
    within = false;
  }

  // Reads up to so many bytes; false if there are fewer.
  bool pass(std::int64_t bytes) {
    std::vector<char> buffer(256 << 10);
    while (position.bytes < bytes) {
      const auto want = std::min<std::int64_t>(bytes - position.bytes, static_cast<std::int64_t>(buffer.size()));
      const std::size_t n = source.read(buffer.data(), static_cast<std::size_t>(want));
      if (n == 0) return false;
      digest.add({buffer.data(), n});
      position.bytes += static_cast<std::int64_t>(n);
      within = buffer[n - 1] != '\n';
    }
    return true;
  }

  bool next(Record &record) {
    if (!records.next(record)) return false;
    if (std::exchange(within, false)) // what is there is written, and can't be taken back
      record.problem = "an earlier import took the beginning of this line for the whole";
    return true;
  }

  // It was dealt with: reading goes on behind it, another time, too.
  void took(const Record &record) {
    digest.add(record.raw);
    position.bytes += static_cast<std::int64_t>(record.raw.size());
    position.lines = records.lines();
  }

  Position here() const { return {position.bytes, position.lines, digest.text()}; }
};

// How many records were passed over for what: few kinds, whatever is in the file.
using PassedOver = std::map<std::string, std::int64_t>;

std::string passed_over_text(const PassedOver &why) {
  std::string text;
  for (const auto &[what, n] : why) text += (text.empty() ? "" : ", ") + grouped(n) + " " + what;
  return text.empty() ? text : " (" + text + ")";
}

// --- resuming
// ---------------------------------------------------------------------------------------------------------------

// The import that has read the longest beginning of this file, if there is one; the input is then behind it.
std::optional<Import> find_earlier(Connection &connection, const Target &target, Input &in) {
  std::optional<Import> found;
  in.restart();
  for (const Import &one : imports_into(connection, target)) {
    if (!in.pass(one.position.bytes)) break;
    if (in.digest.text() == one.position.digest) found = one;
  }
  in.restart();
  if (!found) return found;
  in.pass(found->position.bytes);
  in.records.begin_at(found->position.lines);
  in.position.lines = found->position.lines;
  return found;
}

// --- dry run
// --------------------------------------------------------------------------------------------------------------

void describe(Session &session, const Input &in, const Options &o) {
  const std::string mapping = in.reader->mapping();
  session.out.remark(in.source.name() + ": " + format_name(in.format) + (mapping.empty() ? "" : ", " + mapping) +
                     " -> " + o.table);
}

void try_out(Session &session, Input &in, const Options &o) {
  std::int64_t read = 0, events = 0, merges = 0, nothing = 0, rejected = 0;
  PassedOver why;
  Table first({{"line", Table::Align::right}, {"at"}, {"user"}, {"account"}, {"event"}, {"properties"}});
  Table problems({{"line", Table::Align::right}, {"rejected because"}});
  Json events_json = Json::array(), problems_json = Json::array();
  Record record;
  Reading reading;
  if (in.header) in.next(record);
  bool over = false;
  while (read < kTried && !(over = !in.next(record))) {
    if (!read_record(*in.reader, record, reading)) continue;
    read++;
    switch (reading.kind) {
    case Reading::Kind::event: {
      if (++events > kShown) break;
      const Event &e = reading.event;
      first.add({std::to_string(record.line), e.at, e.user, e.account.value_or(""), e.name, e.properties});
      events_json.push_back({{"line", record.line},
                             {"at", e.at},
                             {"user", e.user},
                             {"account", e.account ? Json(*e.account) : Json()},
                             {"event", e.name},
                             {"id", e.id ? Json(*e.id) : Json()},
                             {"properties", Json::parse(e.properties)}});
      break;
    }
    case Reading::Kind::merge:
      merges++;
      break;
    case Reading::Kind::nothing:
      nothing++;
      why[reading.reason]++;
      break;
    case Reading::Kind::rejected:
      if (++rejected > kShown) break;
      problems.add({std::to_string(record.line), reading.reason});
      problems_json.push_back({{"line", record.line}, {"reason", reading.reason}});
    }
  }
  if (rejected) session.exit = Exit::no;
  if (session.out.json) {
    session.out.document({{"file", in.source.name()},
                          {"format", format_name(in.format)},
                          {"mapping", in.reader->mapping()},
                          {"table", o.table},
                          {"dry_run", true},
                          {"whole_file", over},
                          {"read", read},
                          {"events", events},
                          {"merges", merges},
                          {"passed_over", nothing},
                          {"passed_over_as", why},
                          {"rejected", rejected},
                          {"first_events", events_json},
                          {"first_rejected", problems_json}});
    return;
  }
  describe(session, in, o);
  if (!first.empty()) session.out.table(first);
  if (!problems.empty()) session.out.table(problems);
  session.out.line((over ? "All " : "The first ") + counted(read, "record", "records") + ": " +
                   counted(events, "event", "events") + ", " + counted(merges, "merge", "merges") +
                   (merges && !o.merge ? " (done with --merge)" : "") + ", " + grouped(nothing) + " passed over" +
                   passed_over_text(why) + ", " + grouped(rejected) + " rejected. Nothing was written.");
}

// --- the import
// -------------------------------------------------------------------------------------------------------------

// Where records begin that the file ended in: perhaps it is still being written.
struct Unfinished {
  Position position; // before them
  std::int64_t line, seen;
  std::string reason;
};

Json summary_of(const Input &in, const Import &import, const Counts &now, const PassedOver &why, double seconds,
                const std::string &rejects, const std::optional<Unfinished> &left) {
  Json j = {{"file", in.source.name()},
            {"format", import.format},
            {"written", now.written},
            {"repeated", now.repeated},
            {"merged", now.merged},
            {"passed_over", now.passed_over},
            {"passed_over_as", why},
            {"rejected", now.rejected},
            {"rejected_file", now.rejected ? Json(rejects) : Json()},
            {"unfinished_line", left ? Json(left->line) : Json()},
            {"resumed", import.counts.records() != now.records()},
            {"seconds", seconds}};
  return j;
}

std::string summary_text(const std::string &name, const Counts &now, const PassedOver &why, double seconds,
                         const std::string &rejects) {
  std::string text = name + ": " + counted(now.written, "event", "events") + " written";
  if (now.repeated) text += ", " + grouped(now.repeated) + " there already";
  if (now.merged) text += ", " + counted(now.merged, "merge", "merges");
  if (now.passed_over) text += ", " + grouped(now.passed_over) + " passed over" + passed_over_text(why);
  if (now.rejected) text += ", " + grouped(now.rejected) + " rejected (" + rejects + ")";
  text += ", in " + span_text(seconds);
  if (seconds > 0 && now.records() > 1000) text += " (" + rate_text(static_cast<double>(now.records()) / seconds) + ")";
  return text;
}

void take(Batch &batch, const Record &record, Reading &reading, const Input &in, const Target &target, const Options &o,
          PassedOver &why) {
  switch (reading.kind) {
  case Reading::Kind::event:
    if (!reading.event.id && target.ids_needed) reading.event.id = in.unnamed + std::to_string(record.line);
    return batch.add(reading.event, record.line, record.text, target);
  case Reading::Kind::merge:
    if (o.merge)
      return batch.add_merge(std::move(reading.old_user), std::move(reading.new_user), record.line, record.text);
    why[kMergeless]++;
    return batch.pass_over();
  case Reading::Kind::nothing:
    why[reading.reason]++;
    return batch.pass_over();
  case Reading::Kind::rejected:
    return batch.reject(record.line, std::move(reading.reason), record.text);
  }
}

// False: the file ended in its header, which may not be all of it.
bool take_header(Input &in, Record &record) {
  if (!in.next(record)) return true;
  if (record.cut && in.source.is_file()) return false;
  in.took(record);
  return true;
}

Json import_file(Session &session, Input &in, const Target &target, const Options &o, bool &already) {
  Connection &connection = session.connection();
  std::optional<Import> earlier;
  if (in.source.is_file() && !o.again) earlier = find_earlier(connection, target, in);
  Import import = earlier.value_or(Import{});
  import.source = in.source.name();
  import.format = format_name(in.format);
  const Counts before = import.counts;

  const std::string name = o.git.empty() ? in.source.name() : "git";
  Rejects rejects(!o.rejected.empty()   ? o.rejected
                  : in.source.is_file() ? name + ".rejected"
                                        : (o.git.empty() ? "stdin" : "git") + std::string(".rejected"));
  if (earlier && earlier->counts.rejected) rejects.keep_until(earlier->position.lines + (in.within ? 1 : 0));

  Record record;
  Progress progress(name, "records", Progress::fitting(session.out.quiet || session.out.json));
  progress.resumed_at(std::max(0.0, in.source.share()));
  Loader loader(connection, target);
  Batch batch;
  Reading reading;
  PassedOver why; // of this run
  std::int64_t seen = 0;
  const auto counts = [&] {
    Counts now = import.counts;
    for (auto member : {&Counts::written, &Counts::repeated, &Counts::merged, &Counts::passed_over, &Counts::rejected})
      now.*member -= before.*member;
    return now;
  };
  std::optional<Unfinished> left;
  const auto write = [&](const Position &position, bool last) {
    loader.write(batch, import, position, last, [&](const std::vector<Rejected> &rejected) {
      for (const Rejected &r : rejected) rejects.add(r.line, r.reason, r.record);
      rejects.flush();
    });
    batch.clear();
  };
  try {
    const bool is_headed = earlier || !in.header || take_header(in, record);
    if (!is_headed) left = {in.here(), record.line, 0, "it is the header"};
    while (is_headed && in.next(record)) {
      const bool is_said = read_record(*in.reader, record, reading), is_cut = record.cut && in.source.is_file();
      if (is_cut && !is_said && !record.rest) break; // blanks that a line begins with
      if (is_cut && is_said && !left && reading.kind == Reading::Kind::rejected) {
        if (batch.records() > 0) write(in.here(), false);
        left = {in.here(), record.line, seen, reading.reason};
      }
      in.took(record);
      if (!is_said) continue;
      if (reading.kind != Reading::Kind::rejected) left.reset(); // the quote that wasn't closed was a mistake
      take(batch, record, reading, in, target, o, why);
      if (++seen % 256 == 0) progress.at(seen, in.source.share());
      const bool full = batch.records() >= o.batch_size || batch.bytes() >= kBatchBytes;
      if (!full || !in.records.at_border()) continue;
      write(in.here(), false);
      left.reset();
    }
    in.source.close();
    if (left) {
      batch.clear();
      seen = left->seen;
    }
    const Position end = left ? left->position : in.here();
    already = earlier && seen == 0;
    if (end.bytes > 0 && (!already || !earlier->finished)) write(end, true);
  } catch (const Interrupted &) {
    progress.clear();
    session.out.remark(summary_text(name, counts(), why, progress.seconds(), rejects.path()) +
                       (in.source.is_file() ? "; the same command goes on from here" : ""));
    throw;
  }
  progress.at(seen, in.source.share() < 0 ? -1 : 1);
  progress.finish();

  const Counts now = counts();
  if (now.rejected) session.exit = Exit::no;
  if (!session.out.json) {
    if (earlier && !already)
      session.out.remark("went on behind line " + grouped(earlier->position.lines) + ", where an earlier import ended");
    session.out.line(already ? name + ": was imported already (--again imports it once more)"
                             : summary_text(name, now, why, progress.seconds(), rejects.path()));
  }
  if (left)
    session.out.remark(name + ": line " + grouped(left->line) + " has no end yet (" + left->reason +
                       "), and is left for when the file has grown");
  return summary_of(in, import, now, why, progress.seconds(), rejects.path(), left);
}

Source open_git(const std::string &directory) {
  std::vector<std::string> words = {"git", "-C",        directory,
                                    "log", "--reverse", "--format=%H%x09%aI%x09%ae%x09%an%x09%s"};
  std::vector<char *> arguments;
  for (std::string &w : words) arguments.push_back(w.data());
  arguments.push_back(nullptr);
  return Source::of_program("git log of " + directory, arguments.data());
}

void check_options(Session &session, Options &o) {
  if (o.files.empty() == o.git.empty())
    throw wrong_usage("name the files to import, or a repository with --git", "- is standard input.");
  if (!o.format.empty() && !format_named(o.format))
    throw wrong_usage("unknown format \"" + o.format + "\"", "There are " + format_names() + ".");
  if (o.batch_size == 0) throw wrong_usage("--batch-size must be 1 or more");
  if (!o.rejected.empty() && o.files.size() > 1) throw wrong_usage("--rejected is for one file");
  if (o.delimiter == "tab" || o.delimiter == "\\t") o.delimiter = "\t";
  if (o.delimiter.size() > 1) throw wrong_usage("--delimiter must be one character, or tab");
  read_mapping(o.map, o.mapping);
  if (!o.delimiter.empty()) o.mapping.delimiter = o.delimiter[0];
  if (!o.header.empty()) split_csv(o.header, ',', o.mapping.header);
  if (o.timezone.empty()) return;
  o.mapping.zoneless = Zoneless::session;
  if (o.dry_run) return;
  session.connection().exec("SELECT pg_catalog.set_config('TimeZone', $1, false)", {o.timezone});
}

// The table, made if it isn't there and may be.
Target prepare(Session &session, const Options &o, bool has_ids) {
  Connection &connection = session.connection();
  if (connection.exec("SELECT pg_catalog.to_regclass('pql.import')").null(0, 0))
    throw Failure(Exit::usage, "database " + connection.database() + " has no extension pql, or one that is too old",
                  {}, "CREATE EXTENSION pql;");
  Mapping columns;
  read_mapping(o.columns, columns);
  if (o.create && !table_exists(connection, o.table)) {
    connection.script(create_statements(connection, o.table, has_ids));
    session.out.remark("made table " + o.table);
  }
  return find_target(connection, o.table, columns.name);
}

void import(Session &session, Options &o) {
  check_options(session, o);
  Json files = Json::array();
  std::vector<std::string> names = o.git.empty() ? o.files : std::vector<std::string>{"git"};
  bool history = false;
  std::optional<Target> target;
  for (const std::string &name : names) {
    Input in(o.git.empty() ? Source(name) : open_git(o.git), o);
    if (!in.reader) {
      in.source.close();
      session.out.remark(name + " is empty");
      continue;
    }
    if (o.dry_run) {
      try_out(session, in, o);
      continue;
    }
    if (!target) {
      target = prepare(session, o, in.reader->has_ids());
      lock_imports(session.connection(), *target);
      if (o.attach && !target->attached) {
        history = attach_target(session.connection(), *target);
        session.out.remark("attached " + target->name);
        target->attached = true;
      }
    }
    if (!session.out.json) describe(session, in, o);
    bool already = false;
    files.push_back(import_file(session, in, *target, o, already));
  }
  if (o.dry_run || !target) return;
  if (history) session.connection().script("CALL pql.backfill()");
  if (session.out.json)
    session.out.document({{"table", target->name}, {"attached", target->attached}, {"files", files}});
  if (!target->attached)
    session.out.remark("HINT: pql doesn't watch " + target->name + " yet: --attach, or pql.attach().");
}

} // namespace

void add_import(CLI::App &app, Session &session) {
  CLI::App *const command = app.add_subcommand("import", "Import events from files");
  const auto o = std::make_shared<Options>();
  command->add_option("FILE", o->files, "Files, plain or compressed with gzip; - is standard input");
  command->add_option("--git", o->git, "Import the commits of the git repository in this directory")
      ->type_name("DIRECTORY");
  command->add_option("--format", o->format, "One of " + format_names() + "; recognised if not given");
  command->add_option("--table", o->table, "Table to write to")->capture_default_str();
  command->add_flag("--create", o->create, "Make the table if there is none");
  command->add_flag("--attach", o->attach, "Have pql watch the table, if it doesn't yet (pql.attach)");
  command->add_option(
      "--map", o->map,
      "Which columns of the file are what, if the guess is wrong: user=email,time=when; or account, event, id, "
      "properties");
  command->add_option("--columns", o->columns, "Which columns of the table are what, written likewise");
  command->add_option("--event", o->mapping.event, "Take all records for this event: order_placed");
  command->add_option("--group", o->mapping.group,
                      "The type of group that is the account, such as company (PostHog, Mixpanel, Amplitude, Segment)");
  command->add_option("--timezone", o->timezone, "The zone of times that don't say theirs, such as Europe/Berlin");
  command->add_option("--delimiter", o->delimiter, "What separates the fields of CSV: one character, or tab");
  command->add_option("--header", o->header, "The names of the columns, for CSV without a header: user,event,time");
  command->add_flag("--merge", o->merge, "Call pql.merge_users for records that say who somebody is");
  command->add_option("--batch-size", o->batch_size, "Most records in a transaction")->capture_default_str();
  command->add_option("--rejected", o->rejected, "File for rejected records (FILE.rejected)")->type_name("FILE");
  command->add_flag("--again", o->again, "Import from the beginning, whatever was imported already");
  command->add_flag("-n,--dry-run", o->dry_run, "Show what would be imported, and write nothing");
  command->callback([&session, o] { import(session, *o); });
}

} // namespace pql::cli
