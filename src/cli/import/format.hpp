// Formats of files with events: what a record of each says. Pure: neither files nor databases.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/import/event.hpp"
#include "cli/import/records.hpp"
#include "cli/import/when.hpp"

namespace pql::cli {

enum class Vendor { plain, segment, posthog, snowplow, mixpanel, amplitude, git };
enum class Container { csv, json, tsv };

struct Format {
  Vendor vendor = Vendor::plain;
  Container container = Container::csv;
};

/// "csv", "jsonl", "segment", …: what --format takes and the report says.
std::string format_name(Format format);
std::optional<Format> format_named(std::string_view name);
std::string format_names(); ///< all of them, for messages

/// The format by the first bytes of a file. Throws Failure for what is none (an archive, one JSON array).
Format detect_format(std::string_view beginning);

/// What the user said about the fields.
struct Mapping {
  std::array<std::string, kFields> name; ///< of the column, or the path in the record; empty: by the format, or guessed
  std::string event;                     ///< --event: all records are this event
  std::string group;                     ///< --group: the group type that is the account
  Zoneless zoneless = Zoneless::refused;
  char delimiter = 0;              ///< of CSV; 0: guessed
  std::vector<std::string> header; ///< --header: of a CSV file without one
};

/// "user=email,event=name". Throws Failure for what isn't.
void read_mapping(std::string_view text, Mapping &mapping);

/// Which of the names means which field; empty where none does. Those that the mapping says are taken as they are.
std::array<std::string, kFields> guess_fields(const std::vector<std::string> &names, const Mapping &mapping);

/// The character that separates the fields of a header.
char guess_delimiter(std::string_view header);

/// Reads one record after the other.
class Reader {
public:
  virtual ~Reader() = default;
  /// One record. The reading is overwritten.
  virtual void read(std::string_view record, Reading &reading) = 0;
  /// What fields it takes from where, for people; empty if nothing was guessed.
  virtual std::string mapping() const { return {}; }
  /// Will its events have ids?
  virtual bool has_ids() const = 0;
};

/// For a file that begins so; the header of CSV is its first record, and has to be taken by the caller if
/// `takes_header` is set.
struct MadeReader {
  std::unique_ptr<Reader> reader;
  bool takes_header = false;
};
MadeReader make_reader(Format format, std::string_view beginning, const Mapping &mapping);

/// What a record of a stream says; false if there is nothing in it: an empty line, the rest of one that was too long.
bool read_record(Reader &reader, const Record &record, Reading &reading);

} // namespace pql::cli
