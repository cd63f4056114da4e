// Any bytes as a file to be imported: the first two say as what, and how it is read.
// Law: never crashes; each record is an event, a merge, passed over or rejected; an event is what the database can
// hold, and what is said of others is text; reading that goes on behind any record gives what reading at once gives,
// whatever pieces the file comes in.
#include "cli/base/failure.hpp"
#include "cli/base/text.hpp"
#include "cli/import/format.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <nlohmann/json.hpp>

namespace {

using namespace pql::cli;

constexpr const char *kFormats[] = {"csv", "jsonl", "segment", "posthog", "mixpanel", "amplitude", "snowplow", "git"};

void require(bool holds) {
  if (!holds) std::abort();
}

// A place behind a record, and what that record was read as.
struct Read {
  std::size_t bytes;
  std::int64_t lines;
  bool border, said;
  Reading reading;
};

struct File {
  std::string_view bytes;
  Format format;
  Mapping mapping;
  std::size_t longest;
};

bool same(const Reading &a, const Reading &b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
  case Reading::Kind::event:
    return a.event.user == b.event.user && a.event.name == b.event.name && a.event.account == b.event.account &&
           a.event.id == b.event.id && a.event.at == b.event.at && a.event.properties == b.event.properties;
  case Reading::Kind::merge:
    return a.old_user == b.old_user && a.new_user == b.new_user;
  default:
    return a.reason == b.reason;
  }
}

bool has_bad_text(const nlohmann::json &value) {
  if (value.is_string()) return text_problem(value.get_ref<const std::string &>()) != nullptr;
  if (value.is_object())
    for (const auto &[name, inner] : value.items())
      if (text_problem(name) != nullptr) return true;
  return value.is_structured() && std::any_of(value.begin(), value.end(), has_bad_text);
}

bool is_object_of_text(const std::string &text) {
  const auto value = nlohmann::json::parse(text, nullptr, false);
  return value.is_object() && !has_bad_text(value);
}

void check(const Reading &r) {
  const auto is_text = [](const std::string &text) { return text_problem(text) == nullptr; };
  switch (r.kind) {
  case Reading::Kind::event:
    require(!r.event.user.empty() && is_text(r.event.user) && !r.event.name.empty() && is_text(r.event.name));
    require(is_text(r.event.account.value_or("")) && is_text(r.event.id.value_or("")) && !r.event.at.empty());
    require(is_text(r.event.properties) && is_object_of_text(r.event.properties));
    return;
  case Reading::Kind::merge:
    return require(!r.old_user.empty() && is_text(r.old_user) && !r.new_user.empty() && is_text(r.new_user));
  default:
    require(is_text(r.reason) && !r.reason.empty());
  }
}

// Reads what is behind so many bytes, in pieces of a size.
std::vector<Read> read_from(const File &file, std::size_t bytes, std::int64_t lines, std::size_t piece) {
  std::size_t given = bytes;
  Records records(
      [&](char *to, std::size_t most) {
        const std::size_t n = std::min({piece, most, file.bytes.size() - given});
        if (n > 0) std::memcpy(to, file.bytes.data() + given, n);
        given += n;
        return n;
      },
      file.format.container == Container::csv, file.longest);
  records.begin_at(lines);
  const MadeReader made = make_reader(file.format, file.bytes, file.mapping);
  std::vector<Read> all;
  Record record;
  if (bytes == 0 && made.takes_header && records.next(record)) bytes += record.raw.size();
  while (records.next(record)) {
    require(!record.raw.empty());
    bytes += record.raw.size();
    Read r{bytes, records.lines(), records.at_border(), false, {}};
    r.said = read_record(*made.reader, record, r.reading);
    if (r.said) check(r.reading);
    all.push_back(std::move(r));
  }
  require(bytes == file.bytes.size());
  return all;
}

bool same_from(const std::vector<Read> &whole, std::size_t first, const std::vector<Read> &rest) {
  return std::equal(whole.begin() + static_cast<std::ptrdiff_t>(first), whole.end(), rest.begin(), rest.end(),
                    [](const Read &a, const Read &b) {
                      return a.bytes == b.bytes && a.lines == b.lines && a.said == b.said &&
                             (!a.said || same(a.reading, b.reading));
                    });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint8_t how = data[0], where = data[1];
  File file{{reinterpret_cast<const char *>(data) + 2, size - 2}, {}, {}, (how & 0x40) != 0 ? std::size_t{64} : 4096};
  file.format = *format_named(kFormats[how % 8]);
  if ((how & 0x08) != 0) file.mapping.header = {"user", "event", "time", "id", "org", "properties", "properties.x"};
  if ((how & 0x10) != 0) file.mapping.group = "company";
  if ((how & 0x20) != 0) file.mapping.zoneless = Zoneless::utc;
  if (file.format.vendor == Vendor::posthog && (how & 0x80) != 0) file.format.container = Container::csv;
  try {
    detect_format(file.bytes);
  } catch (const Failure &) { // what is none is said
  }
  try {
    const std::vector<Read> whole = read_from(file, 0, 0, std::string::npos);
    require(same_from(whole, 0, read_from(file, 0, 0, 1 + where % 64u)));
    if (whole.empty()) return 0;
    for (const std::size_t behind : {where % whole.size(), whole.size() - 1, std::size_t{0}})
      if (whole[behind].border)
        require(same_from(whole, behind + 1, read_from(file, whole[behind].bytes, whole[behind].lines, 7)));
  } catch (const Failure &) { // columns that can't be guessed
  }
  return 0;
}
