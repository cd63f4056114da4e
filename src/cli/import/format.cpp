#include "cli/import/format.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>

#include <nlohmann/json.hpp>

#include "cli/base/failure.hpp"
#include "cli/base/text.hpp"
#include "cli/import/records.hpp"
#include "core/base/email.hpp"

namespace pql::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestName =
    1000;                     // bytes of a user, an account, an event's name or an id: they are keys of indexes
constexpr int kDeepest = 100; // brackets within brackets

struct Named {
  std::string_view name;
  Format format;
};
constexpr std::array<Named, 8> kFormats = {{{"csv", {Vendor::plain, Container::csv}},
                                            {"jsonl", {Vendor::plain, Container::json}},
                                            {"segment", {Vendor::segment, Container::json}},
                                            {"posthog", {Vendor::posthog, Container::json}},
                                            {"mixpanel", {Vendor::mixpanel, Container::json}},
                                            {"amplitude", {Vendor::amplitude, Container::json}},
                                            {"snowplow", {Vendor::snowplow, Container::tsv}},
                                            {"git", {Vendor::git, Container::tsv}}}};

// --- values of JSON
// ---------------------------------------------------------------------------------------------------

// A member, or null.
const json &member(const json &object, const std::string &name) {
  static const json null;
  if (!object.is_object()) return null;
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}

// The value at "context.traits.email". A name with dots in it comes before a path.
const json &at_path(const json &object, const std::string &path) {
  const json &whole = member(object, path);
  if (!whole.is_null()) return whole;
  const std::size_t dot = path.find('.');
  if (dot == std::string::npos) return whole;
  return at_path(member(object, path.substr(0, dot)), path.substr(dot + 1));
}

// A string or a number as text; empty for anything else.
std::string text_of(const json &value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  return {};
}

std::string first_text(const json &record, std::initializer_list<const char *> paths) {
  for (const char *const path : paths)
    if (std::string text = text_of(at_path(record, path)); !text.empty()) return text;
  return {};
}

bool too_deep(std::string_view text) noexcept {
  int depth = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (inside) {
      if (c == '\\') i++;
      if (c == '"') inside = false;
    } else if (c == '"') {
      inside = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) return true;
    } else if (c == '}' || c == ']') {
      depth--;
    }
  }
  return false;
}

// jsonb can't hold U+0000.
bool has_zero(const json &value) {
  if (value.is_string()) return value.get_ref<const std::string &>().find('\0') != std::string::npos;
  if (value.is_object())
    for (const auto &[name, inner] : value.items())
      if (name.find('\0') != std::string::npos || has_zero(inner)) return true;
  if (value.is_array())
    for (const json &inner : value)
      if (has_zero(inner)) return true;
  return false;
}

// JSON that is safe to have; says in `why` what is wrong with it.
std::optional<json> parse_json(std::string_view text, std::string &why) {
  if (too_deep(text)) {
    why = "bad JSON: nested too deeply";
    return std::nullopt;
  }
  try {
    json value = json::parse(text);
    if (text.find("\\u0000") != std::string_view::npos && has_zero(value)) {
      why = "a NUL byte";
      return std::nullopt;
    }
    return value;
  } catch (const json::parse_error &e) {
    why = "bad JSON at byte " + std::to_string(e.byte);
    return std::nullopt;
  } catch (const json::out_of_range &) {
    why = "bad JSON: a number out of range";
    return std::nullopt;
  }
}

// A cell of a table as a value: numbers and truth values as such if they are written as JSON writes them ("007" stays
// text).
json cell_value(const std::string &cell) {
  if (cell == "true") return true;
  if (cell == "false") return false;
  const bool digit = !cell.empty() && (std::isdigit(static_cast<unsigned char>(cell[0])) || cell[0] == '-');
  if (digit && cell.size() <= 15 && cell.find_first_not_of("0123456789.-") == std::string::npos && json::accept(cell))
    return json::parse(cell);
  return cell;
}

std::string dumped(const json &value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// --- finishing an event
// ---------------------------------------------------------------------------------------------------

// Moves what was found into the reading, or rejects it.
void finish(Reading &r, std::string user, std::string account, std::string name, const std::string &time,
            std::string id, Zoneless zoneless) {
  r.kind = Reading::Kind::event;
  if (user.empty()) return r.reject("no user");
  if (name.empty()) return r.reject("no event name");
  for (const auto &[what, text] : {std::pair<const char *, const std::string &>{"user", user},
                                   {"account", account},
                                   {"event name", name},
                                   {"id", id}})
    if (text.size() > kLongestName) return r.reject(std::string("the ") + what + " is too long");
  std::string why;
  auto at = read_time(time, zoneless, why);
  if (!at) return r.reject(std::move(why));
  r.event.user = std::move(user);
  r.event.name = std::move(name);
  r.event.at = std::move(*at);
  r.event.account = account.empty() ? std::nullopt : std::optional(std::move(account));
  r.event.id = id.empty() ? std::nullopt : std::optional(std::move(id));
}

void merge(Reading &r, const std::string &what, std::string old_user, std::string new_user) {
  if (old_user.empty() || new_user.empty()) return r.pass_over(what + " of one id");
  if (old_user == new_user) return r.pass_over(what + " of two ids that are the same");
  if (old_user.size() > kLongestName || new_user.size() > kLongestName) return r.reject("the user is too long");
  r.kind = Reading::Kind::merge;
  r.old_user = std::move(old_user);
  r.new_user = std::move(new_user);
}

// The account among groups ({"company": "acme"} or {"company": ["acme"]}): that of the type asked for, else of one that
// sounds like an account, else the only one.
std::string account_of(const json &groups, const std::string &type) {
  if (!groups.is_object()) return {};
  const auto value = [&](const json &v) { return v.is_array() && !v.empty() ? text_of(v.front()) : text_of(v); };
  if (!type.empty()) return value(member(groups, type));
  for (const char *const likely : {"account", "account_id", "company", "company_id", "organization", "organization_id",
                                   "org", "org_id", "org id", "organisation", "customer", "tenant"})
    if (const std::string found = value(member(groups, likely)); !found.empty()) return found;
  return groups.size() == 1 ? value(groups.front()) : std::string();
}

// --- the vendors, each from a JSON object
// -----------------------------------------------------------------------------------

// No more bytes than that, and no character cut.
std::string beginning_of(const std::string &text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) most--;
  return text.substr(0, most);
}

struct Found {
  std::string user, account, name, time, id;
  json properties = json::object();
};

json object_or_parsed(const json &value) {
  if (value.is_object()) return value;
  if (value.is_string()) {
    std::string why;
    if (auto parsed = parse_json(value.get_ref<const std::string &>(), why); parsed && parsed->is_object())
      return *parsed;
  }
  return json::object();
}

// Segment's calls that say something of people and accounts, and are no events of their own; false: none of them.
bool read_segment_person(const json &o, const std::string &type, Reading &r) {
  const std::string user = text_of(member(o, "userId")), anonymous = text_of(member(o, "anonymousId"));
  if (type == "identify") return merge(r, type, anonymous, user), true;
  if (type == "alias") return merge(r, type, first_text(o, {"previousId", "anonymousId"}), user), true;
  if (type == "group" && text_of(member(o, "groupId")).empty()) return r.pass_over("group without a groupId"), true;
  return false;
}

std::string segment_account(const json &o, const std::string &type, const Mapping &m) {
  if (type == "group") return text_of(member(o, "groupId"));
  if (m.group.empty()) return first_text(o, {"context.groupId", "properties.groupId", "groupId"});
  return first_text(o, {("properties." + m.group).c_str(), ("context." + m.group).c_str()});
}

// https://segment.com/docs/connections/spec/common/
// A group call is the event that tells pql whose member somebody is; its traits are its properties.
bool read_segment(const json &o, const Mapping &m, Reading &r, Found &f) {
  const std::string type = lowered(text_of(member(o, "type")));
  if (read_segment_person(o, type, r)) return false;
  if (type != "track" && type != "page" && type != "screen" && type != "group")
    return r.reject(type.empty() ? "no type" : "unknown type \"" + beginning_of(type, 40) + "\""), false;
  f.user = first_text(o, {"userId", "anonymousId"});
  f.name = type == "track" ? text_of(member(o, "event")) : type;
  f.time = first_text(o, {"timestamp", "originalTimestamp", "receivedAt", "sentAt"});
  f.id = text_of(member(o, "messageId"));
  f.properties = object_or_parsed(member(o, type == "group" ? "traits" : "properties"));
  if (type == "page" || type == "screen")
    for (const char *const own : {"name", "category"})
      if (const std::string text = text_of(member(o, own)); !text.empty()) f.properties[own] = text;
  f.account = segment_account(o, type, m);
  return true;
}

// https://posthog.com/docs/cdp/batch-exports, and CSV of the same columns
bool read_posthog(const json &o, const Mapping &m, Reading &r, Found &f) {
  f.properties = object_or_parsed(member(o, "properties"));
  f.user = text_of(member(o, "distinct_id"));
  f.name = text_of(member(o, "event"));
  if (f.name == "$identify") return merge(r, f.name, text_of(member(f.properties, "$anon_distinct_id")), f.user), false;
  if (f.name == "$create_alias") return merge(r, f.name, text_of(member(f.properties, "alias")), f.user), false;
  if (f.name == "$merge_dangerously") return merge(r, f.name, text_of(member(f.properties, "alias")), f.user), false;
  if (f.name == "$groupidentify" || f.name == "$set") return r.pass_over(f.name), false;
  f.time = text_of(member(o, "timestamp"));
  f.id = first_text(o, {"uuid", "id"});
  f.account = account_of(member(f.properties, "$groups"), m.group);
  if (f.account.empty() && m.group.empty()) f.account = text_of(member(f.properties, "$group_0"));
  return true;
}

// https://docs.mixpanel.com/reference/raw-event-export
bool read_mixpanel(const json &o, const Mapping &m, Reading &r, Found &f) {
  f.properties = object_or_parsed(member(o, "properties"));
  f.name = text_of(member(o, "event"));
  if (f.name == "$identify")
    return merge(r, f.name, text_of(member(f.properties, "$anon_id")), text_of(member(f.properties, "$identified_id"))),
           false;
  if (f.name == "$create_alias")
    return merge(r, f.name, text_of(member(f.properties, "alias")), text_of(member(f.properties, "distinct_id"))),
           false;
  if (f.name == "$merge") {
    const json &ids = member(f.properties, "$distinct_ids");
    const bool two = ids.is_array() && ids.size() == 2;
    return merge(r, f.name, two ? text_of(ids[1]) : std::string(), two ? text_of(ids[0]) : std::string()), false;
  }
  f.user = first_text(f.properties, {"$user_id", "distinct_id"});
  f.time = text_of(member(f.properties, "time"));
  f.id = text_of(member(f.properties, "$insert_id"));
  f.account = account_of(f.properties, m.group);
  for (const char *const own : {"time", "distinct_id", "$insert_id"}) f.properties.erase(own);
  return true;
}

// https://amplitude.com/docs/apis/analytics/export
bool read_amplitude(const json &o, const Mapping &m, Reading &r, Found &f) {
  f.name = text_of(member(o, "event_type"));
  if (f.name == "$identify" || f.name == "$groupidentify") return r.pass_over(f.name), false;
  f.user = first_text(o, {"user_id", "device_id", "amplitude_id"});
  f.time = text_of(member(o, "event_time"));
  f.id = first_text(o, {"$insert_id", "insert_id", "uuid"});
  f.properties = object_or_parsed(member(o, "event_properties"));
  f.account = account_of(member(o, "groups"), m.group);
  return true;
}

using ReadVendor = bool (*)(const json &, const Mapping &, Reading &, Found &);

ReadVendor vendor_reader(Vendor vendor) {
  switch (vendor) {
  case Vendor::segment:
    return read_segment;
  case Vendor::posthog:
    return read_posthog;
  case Vendor::mixpanel:
    return read_mixpanel;
  case Vendor::amplitude:
    return read_amplitude;
  default:
    return nullptr;
  }
}

// What --map and --event say wins over what the vendor's format says.
void apply(const Mapping &m, const json &record, Found &f) {
  const auto set = [&](Field field, std::string &to) {
    const std::string &path = m.name[static_cast<std::size_t>(field)];
    if (!path.empty()) to = text_of(at_path(record, path));
  };
  set(Field::user, f.user);
  set(Field::account, f.account);
  set(Field::event, f.name);
  set(Field::time, f.time);
  set(Field::id, f.id);
  if (const std::string &path = m.name[static_cast<std::size_t>(Field::properties)]; !path.empty())
    f.properties = object_or_parsed(at_path(record, path));
  if (!m.event.empty()) f.name = m.event;
}

Zoneless zoneless_of(Vendor vendor, Zoneless said) {
  return vendor == Vendor::plain || vendor == Vendor::segment ? said : Zoneless::utc;
}

// A record of a vendor as an event.
void read_object(const json &record, Vendor vendor, const Mapping &m, Reading &r) {
  Found f;
  if (!vendor_reader(vendor)(record, m, r, f)) return;
  apply(m, record, f);
  r.event.properties = dumped(f.properties);
  finish(r, std::move(f.user), std::move(f.account), std::move(f.name), f.time, std::move(f.id),
         zoneless_of(vendor, m.zoneless));
}

// --- readers
// --------------------------------------------------------------------------------------------------------------

std::string described(const std::array<std::string, kFields> &fields, const Mapping &m) {
  std::string text;
  for (std::size_t f = 0; f < kFields; f++) {
    const bool constant = f == static_cast<std::size_t>(Field::event) && !m.event.empty();
    if (fields[f].empty() && !constant) continue;
    text +=
        (text.empty() ? "" : ",") + std::string(kFieldNames[f]) + "=" + (constant ? "'" + m.event + "'" : fields[f]);
  }
  return text;
}

// user, event and time are needed; says what to do about those that aren't there.
void require_fields(const std::array<std::string, kFields> &fields, const Mapping &m,
                    const std::vector<std::string> &names) {
  std::string all;
  for (const std::string &n : names) all += (all.empty() ? "" : ", ") + n;
  for (const Field f : {Field::user, Field::event, Field::time}) {
    const auto i = static_cast<std::size_t>(f);
    if (!fields[i].empty() || (f == Field::event && !m.event.empty())) continue;
    throw Failure(Exit::usage, "which column is the " + std::string(kFieldNames[i]) + "?",
                  "The columns are " + all + ".",
                  "Say it with --map " + std::string(kFieldNames[i]) + "=COLUMN" +
                      (f == Field::event ? ", or --event NAME if all rows are the same event." : "."));
  }
}

class JsonReader : public Reader {
public:
  JsonReader(Vendor vendor, Mapping mapping, const std::vector<std::string> &names)
      : vendor_(vendor), mapping_(std::move(mapping)) {
    if (vendor_ != Vendor::plain) return;
    mapping_.name = guess_fields(names, mapping_);
    require_fields(mapping_.name, mapping_, names);
  }

  void read(std::string_view record, Reading &r) override {
    std::string why;
    const auto parsed = parse_json(record, why);
    if (!parsed) return r.reject(std::move(why));
    if (!parsed->is_object()) return r.reject("bad JSON: not an object");
    if (vendor_ != Vendor::plain) return read_object(*parsed, vendor_, mapping_, r);
    read_plain(*parsed, r);
  }

  std::string mapping() const override {
    return vendor_ == Vendor::plain ? described(mapping_.name, mapping_) : std::string();
  }
  bool has_ids() const override {
    return vendor_ != Vendor::plain || !mapping_.name[static_cast<std::size_t>(Field::id)].empty();
  }

private:
  // Without an object of properties, all other members are.
  void read_plain(const json &o, Reading &r) const {
    Found f;
    const std::string &properties = mapping_.name[static_cast<std::size_t>(Field::properties)];
    if (properties.empty()) {
      f.properties = o;
      for (const std::string &name : mapping_.name) f.properties.erase(name);
    }
    apply(mapping_, o, f);
    r.event.properties = dumped(f.properties);
    finish(r, std::move(f.user), std::move(f.account), std::move(f.name), f.time, std::move(f.id), mapping_.zoneless);
  }

  Vendor vendor_;
  Mapping mapping_;
};

class CsvReader : public Reader {
public:
  CsvReader(Vendor vendor, Mapping mapping, char delimiter, std::vector<std::string> header)
      : vendor_(vendor), mapping_(std::move(mapping)), delimiter_(delimiter), header_(std::move(header)) {
    if (vendor_ != Vendor::plain) return;
    mapping_.name = guess_fields(header_, mapping_);
    require_fields(mapping_.name, mapping_, header_);
    for (std::size_t f = 0; f < kFields; f++) {
      if (mapping_.name[f].empty()) continue;
      const auto found = std::find(header_.begin(), header_.end(), mapping_.name[f]);
      if (found == header_.end())
        throw Failure(Exit::usage, "there is no column \"" + mapping_.name[f] + "\"",
                      "It is to be the " + std::string(kFieldNames[f]) + ".");
      column_[f] = found - header_.begin();
    }
  }

  void read(std::string_view record, Reading &r) override {
    split_csv(record, delimiter_, cells_);
    if (cells_.size() != header_.size())
      return r.reject(std::to_string(cells_.size()) + " fields instead of " + std::to_string(header_.size()));
    vendor_ == Vendor::plain ? read_plain(r) : read_object(as_object(), vendor_, mapping_, r);
  }

  std::string mapping() const override {
    return vendor_ == Vendor::plain ? described(mapping_.name, mapping_) : std::string();
  }
  bool has_ids() const override {
    return vendor_ != Vendor::plain || column_[static_cast<std::size_t>(Field::id)] >= 0;
  }

private:
  std::string cell(Field f) const {
    const std::ptrdiff_t c = column_[static_cast<std::size_t>(f)];
    return c < 0 ? std::string() : std::string(trimmed(cells_[static_cast<std::size_t>(c)]));
  }

  void read_plain(Reading &r) const {
    json properties = json::object();
    if (const std::string text = cell(Field::properties); !text.empty()) {
      std::string why;
      auto parsed = parse_json(text, why);
      if (!parsed || !parsed->is_object()) return r.reject(parsed ? "bad JSON: not an object" : why);
      properties = std::move(*parsed);
    }
    for (std::size_t c = 0; c < cells_.size(); c++) {
      const bool field = std::find(column_.begin(), column_.end(), static_cast<std::ptrdiff_t>(c)) != column_.end();
      if (!field && !cells_[c].empty()) properties[header_[c]] = cell_value(cells_[c]);
    }
    r.event.properties = dumped(properties);
    finish(r, cell(Field::user), cell(Field::account), mapping_.event.empty() ? cell(Field::event) : mapping_.event,
           cell(Field::time), cell(Field::id), mapping_.zoneless);
  }

  // "properties.$os" is a member of the member properties.
  json as_object() const {
    json object = json::object();
    for (std::size_t c = 0; c < cells_.size(); c++) {
      if (cells_[c].empty()) continue;
      constexpr std::string_view kInner = "properties.";
      if (header_[c].starts_with(kInner)) {
        if (!object["properties"].is_object()) object["properties"] = object_or_parsed(object["properties"]);
        object["properties"][header_[c].substr(kInner.size())] = cell_value(cells_[c]);
      } else {
        object[header_[c]] = cells_[c];
      }
    }
    return object;
  }

  Vendor vendor_;
  Mapping mapping_;
  char delimiter_;
  std::vector<std::string> header_, cells_;
  std::array<std::ptrdiff_t, kFields> column_ = {-1, -1, -1, -1, -1, -1};
};

void split_tabs(std::string_view line, std::vector<std::string_view> &fields, std::size_t most) {
  fields.clear();
  while (fields.size() + 1 < most) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos) break;
    fields.push_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  fields.push_back(line);
}

// https://docs.snowplow.io/docs/fundamentals/canonical-event/understanding-the-enriched-tsv-format/
class SnowplowReader : public Reader {
public:
  explicit SnowplowReader(Mapping mapping) : mapping_(std::move(mapping)) {}

  void read(std::string_view record, Reading &r) override {
    split_tabs(record, fields_, 1000);
    if (fields_.size() < kFewest) return r.reject(std::to_string(fields_.size()) + " fields instead of 131");
    std::string why;
    json record_of = json::object();
    Found f;
    for (const auto &[at, name] : kKept)
      if (!fields_[at].empty()) f.properties[std::string(name)] = cell_value(std::string(fields_[at]));
    if (!contexts(fields_[kContexts], f.properties, why) || !contexts(field(kDerivedContexts), f.properties, why) ||
        !self_describing(fields_[kUnstructured], f.properties, why))
      return r.reject(std::move(why));
    f.user = first(kUserId, kDomainUserId, kNetworkUserId);
    f.name = first(kEventName, kEvent);
    f.time = first(kDerivedTstamp, kCollectorTstamp);
    f.id = std::string(fields_[kEventId]);
    f.account = mapping_.group.empty() ? std::string() : text_of(at_path(f.properties, mapping_.group));
    const json properties = f.properties;
    apply(mapping_, properties, f);
    r.event.properties = dumped(f.properties);
    finish(r, std::move(f.user), std::move(f.account), std::move(f.name), f.time, std::move(f.id), Zoneless::utc);
  }

  bool has_ids() const override { return true; }

private:
  enum : std::size_t {
    kCollectorTstamp = 3,
    kEvent = 5,
    kEventId = 6,
    kUserId = 12,
    kDomainUserId = 15,
    kNetworkUserId = 17,
    kContexts = 52,
    kUnstructured = 58,
    kDerivedContexts = 122,
    kDerivedTstamp = 124,
    kEventName = 126,
    kFewest = 127 // the last three fields came later
  };
  static constexpr std::array<std::pair<std::size_t, std::string_view>, 17> kKept = {{{0, "app_id"},
                                                                                      {1, "platform"},
                                                                                      {29, "page_url"},
                                                                                      {30, "page_title"},
                                                                                      {31, "page_referrer"},
                                                                                      {35, "page_urlpath"},
                                                                                      {47, "mkt_medium"},
                                                                                      {48, "mkt_source"},
                                                                                      {49, "mkt_term"},
                                                                                      {50, "mkt_content"},
                                                                                      {51, "mkt_campaign"},
                                                                                      {53, "se_category"},
                                                                                      {54, "se_action"},
                                                                                      {55, "se_label"},
                                                                                      {56, "se_property"},
                                                                                      {57, "se_value"},
                                                                                      {123, "domain_sessionid"}}};

  std::string_view field(std::size_t at) const { return at < fields_.size() ? fields_[at] : std::string_view(); }

  template <class... I> std::string first(I... at) const {
    for (const std::size_t one : {static_cast<std::size_t>(at)...})
      if (!field(one).empty()) return std::string(field(one));
    return {};
  }

  // {"schema": …, "data": {"schema": "iglu:com.acme/added_to_plan/jsonschema/1-0-0", "data": {…}}}
  static bool self_describing(std::string_view text, json &properties, std::string &why) {
    if (text.empty()) return true;
    const auto parsed = parse_json(text, why);
    if (!parsed) return false;
    if (const json &data = at_path(*parsed, "data.data"); data.is_object()) properties.update(data);
    return true;
  }

  // {"schema": …, "data": [{"schema": "iglu:com.acme/plan/jsonschema/1-0-0", "data": {…}}]}: the member "plan" holds
  // the data.
  static bool contexts(std::string_view text, json &properties, std::string &why) {
    if (text.empty()) return true;
    const auto parsed = parse_json(text, why);
    if (!parsed) return false;
    for (const json &one : member(*parsed, "data")) {
      const std::string schema = text_of(member(one, "schema"));
      const std::size_t slash = schema.find('/');
      if (slash == std::string::npos || !member(one, "data").is_object()) continue;
      const std::string name = schema.substr(slash + 1, schema.find('/', slash + 1) - slash - 1);
      properties[name] = member(one, "data");
    }
    return true;
  }

  Mapping mapping_;
  std::vector<std::string_view> fields_;
};

// git log --format='%H%x09%aI%x09%ae%x09%an%x09%s'
class GitReader : public Reader {
public:
  explicit GitReader(Mapping mapping) : mapping_(std::move(mapping)) {}

  void read(std::string_view record, Reading &r) override {
    split_tabs(record, fields_, 5);
    if (fields_.size() < 3) return r.reject(std::to_string(fields_.size()) + " fields instead of 5");
    Found f;
    f.id = std::string(fields_[0]);
    f.time = std::string(fields_[1]);
    f.user = lowered(fields_[2]);
    f.account = pql::email_domain(f.user);
    f.name = "commit";
    if (fields_.size() > 3) f.properties["author"] = std::string(fields_[3]);
    if (fields_.size() > 4) f.properties["subject"] = std::string(fields_[4]);
    const json properties = f.properties;
    apply(mapping_, properties, f);
    r.event.properties = dumped(f.properties);
    finish(r, std::move(f.user), std::move(f.account), std::move(f.name), f.time, std::move(f.id), mapping_.zoneless);
  }

  bool has_ids() const override { return true; }

private:
  Mapping mapping_;
  std::vector<std::string_view> fields_;
};

// --- recognising
// ------------------------------------------------------------------------------------------------------------

std::string_view without_mark(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

std::string_view first_line(std::string_view text) {
  while (!text.empty() && (text.front() == '\n' || text.front() == '\r')) text.remove_prefix(1);
  return trimmed(text.substr(0, text.find('\n')));
}

// The first row of CSV, whose quoted names may hold line feeds.
std::string_view first_row(std::string_view text) {
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text[i] == '"') inside = !inside;
    if (text[i] == '\n' && !inside) return trimmed(text.substr(0, i));
  }
  return trimmed(text);
}

Vendor vendor_of_object(const json &o) {
  const auto has = [&](const char *name) { return o.contains(name); };
  static constexpr std::array<std::string_view, 6> kTypes = {"track", "identify", "page", "screen", "group", "alias"};
  const std::string type = lowered(text_of(member(o, "type")));
  if (std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end() && (has("userId") || has("anonymousId")))
    return Vendor::segment;
  if (has("event_type") && has("event_time") && (has("amplitude_id") || has("device_id") || has("uuid")))
    return Vendor::amplitude;
  if (has("event") && has("distinct_id") && has("timestamp")) return Vendor::posthog;
  const json &properties = member(o, "properties");
  if (has("event") && properties.contains("time") &&
      (properties.contains("distinct_id") || properties.contains("$insert_id")))
    return Vendor::mixpanel;
  return Vendor::plain;
}

bool looks_like_git(std::string_view line) {
  return line.size() > 41 && line[40] == '\t' &&
         std::all_of(line.begin(), line.begin() + 40, [](unsigned char c) { return std::isxdigit(c); });
}

std::string squeezed(std::string_view name) {
  std::string s;
  for (const char c : lowered(name))
    if (std::isalnum(static_cast<unsigned char>(c))) s += c;
  return s;
}

} // namespace

std::string format_name(Format format) {
  for (const Named &n : kFormats)
    if (n.format.vendor == format.vendor && (format.vendor != Vendor::plain || n.format.container == format.container))
      return std::string(n.name) + (n.format.container != format.container ? " (CSV)" : "");
  return "csv";
}

std::optional<Format> format_named(std::string_view name) {
  for (const Named &n : kFormats)
    if (n.name == name) return n.format;
  return std::nullopt;
}

std::string format_names() {
  std::string all;
  for (const Named &n : kFormats) all += (all.empty() ? "" : ", ") + std::string(n.name);
  return all;
}

Format detect_format(std::string_view beginning) {
  if (beginning.starts_with("PK\x03\x04"))
    throw Failure(Exit::usage, "this is a ZIP archive", {},
                  "Unpack it, and import the files in it; those that gzip compressed are read as they are.");
  if (beginning.starts_with("PAR1"))
    throw Failure(Exit::usage, "this is a Parquet file", {}, "Export JSON lines or CSV instead.");
  const std::string_view line = first_line(without_mark(beginning));
  if (line.starts_with('['))
    throw Failure(Exit::usage, "this is one JSON array, not a line for each event", {},
                  "Make lines of it: jq -c '.[]' FILE | pqlctl import -");
  if (line.starts_with('{')) {
    std::string why;
    const auto parsed = parse_json(line, why);
    return {parsed ? vendor_of_object(*parsed) : Vendor::plain, Container::json};
  }
  if (looks_like_git(line)) return {Vendor::git, Container::tsv};
  if (std::count(line.begin(), line.end(), '\t') >= 120 && !line.starts_with("app_id\t"))
    return {Vendor::snowplow, Container::tsv};
  std::vector<std::string> names;
  split_csv(line, guess_delimiter(line), names);
  const auto has = [&](const char *name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  if (has("distinct_id") && has("event") && has("timestamp")) return {Vendor::posthog, Container::csv};
  return {Vendor::plain, Container::csv};
}

void read_mapping(std::string_view text, Mapping &mapping) {
  while (!text.empty()) {
    const std::string_view one = trimmed(text.substr(0, text.find(',')));
    text.remove_prefix(
        std::min(text.size(), text.find(',') == std::string_view::npos ? text.size() : text.find(',') + 1));
    const std::size_t equals = one.find('=');
    const auto *const field = std::find(std::begin(kFieldNames), std::end(kFieldNames), one.substr(0, equals));
    if (equals == std::string_view::npos || field == std::end(kFieldNames) || equals + 1 == one.size())
      throw wrong_usage(
          "can't read --map \"" + std::string(one) + "\"",
          "Write user=COLUMN,account=COLUMN,event=COLUMN,time=COLUMN,id=COLUMN,properties=COLUMN, or some of them.");
    mapping.name[static_cast<std::size_t>(field - std::begin(kFieldNames))] = one.substr(equals + 1);
  }
}

char guess_delimiter(std::string_view header) {
  char best = ',';
  std::size_t most = 0;
  for (const char c : {',', ';', '\t', '|'}) {
    std::vector<std::string> names;
    split_csv(header, c, names);
    if (names.size() > most) {
      most = names.size();
      best = c;
    }
  }
  return best;
}

std::array<std::string, kFields> guess_fields(const std::vector<std::string> &names, const Mapping &mapping) {
  // The likeliest first, without case, blanks and underlines.
  static const std::array<std::vector<std::string_view>, kFields> kLikely = {{
      {"userid", "user", "useremail", "email", "emailaddress", "distinctid", "memberid", "member", "personid", "person",
       "contactid", "username", "login", "actor", "actorid", "who", "uid", "anonymousid"},
      {"accountid", "account",   "organizationid", "organisationid", "organization", "organisation", "orgid",
       "org",       "companyid", "company",        "tenantid",       "tenant",       "customerid",   "customer",
       "groupid",   "teamid",    "team",           "workspaceid",    "workspace",    "accountname",  "companyname"},
      {"event", "eventname", "eventtype", "action", "activity", "name", "type"},
      {"timestamp", "occurredat", "eventtime", "eventtimestamp", "time", "at", "happenedat", "createdat", "created",
       "datetime", "date", "ts", "eventdate", "when", "loggedat"},
      {"eventid", "id", "uuid", "messageid", "insertid"},
      {"properties", "props", "eventproperties", "attributes", "payload", "data", "metadata", "params"},
  }};
  std::array<std::string, kFields> found = mapping.name;
  for (std::size_t f = 0; f < kFields; f++) {
    if (!found[f].empty() || (f == static_cast<std::size_t>(Field::event) && !mapping.event.empty())) continue;
    for (const std::string_view likely : kLikely[f]) {
      const auto match = std::find_if(names.begin(), names.end(), [&](const std::string &n) {
        return squeezed(n) == likely && std::find(found.begin(), found.end(), n) == found.end();
      });
      if (match == names.end()) continue;
      found[f] = *match;
      break;
    }
  }
  return found;
}

MadeReader make_reader(Format format, std::string_view beginning, const Mapping &mapping) {
  if (format.vendor == Vendor::snowplow) return {std::make_unique<SnowplowReader>(mapping), false};
  if (format.vendor == Vendor::git) return {std::make_unique<GitReader>(mapping), false};
  beginning = without_mark(beginning);
  if (format.container == Container::json) {
    std::vector<std::string> names;
    std::string why;
    while (names.empty() && !beginning.empty()) { // the first line that can be read
      if (const auto first = parse_json(trimmed(beginning.substr(0, beginning.find('\n'))), why);
          first && first->is_object())
        for (const auto &[name, value] : first->items()) names.push_back(name);
      beginning.remove_prefix(std::min(beginning.size(), std::min(beginning.find('\n'), beginning.size()) + 1));
    }
    return {std::make_unique<JsonReader>(format.vendor, mapping, names), false};
  }
  std::vector<std::string> header = mapping.header;
  const std::string_view row = first_row(beginning);
  const char delimiter = mapping.delimiter ? mapping.delimiter : guess_delimiter(row);
  if (header.empty()) {
    if (const char *const problem = text_problem(row)) // its names become names of properties
      throw Failure(Exit::usage, std::string("there is ") + problem + " in the header", {},
                    "Make it UTF-8, with iconv for instance.");
    split_csv(row, delimiter, header);
    for (std::string &name : header) name = std::string(trimmed(name));
  }
  return {std::make_unique<CsvReader>(format.vendor, mapping, delimiter, std::move(header)), mapping.header.empty()};
}

bool read_record(Reader &reader, const Record &record, Reading &reading) {
  if (record.rest) return false;
  std::string_view text = record.text;
  if (record.line == 1) text = without_mark(text);
  if (trimmed(text).empty()) return false;
  if (!record.problem.empty()) {
    reading.reject(record.problem);
  } else if (const char *const problem = text_problem(text)) {
    reading.reject(problem);
  } else {
    reader.read(text, reading);
  }
  return true;
}

} // namespace pql::cli
