// Checked access to the objects of a document: every read either gives a value of the right type and range or reports.
// Law: whatever is wrong is reported once, with its path; reading goes on.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/program/json.hpp"
#include "core/program/program.hpp"

namespace pql {

/// Collects problems, up to a number that somebody can still read.
class Problems {
public:
  void add(std::string path, std::string problem, std::string hint = {});
  bool full() const noexcept; ///< more are not kept
  std::vector<Problem> take() { return std::move(list_); }

private:
  std::vector<Problem> list_;
};

using Words = std::span<const std::string_view>;

/// "a", "a or b", "a, b or c".
std::string either(Words words);
/// "Perhaps you meant …. Allowed are …." for a word that is none of those.
std::string suggest(std::string_view wrong, Words allowed, std::string_view what);
/// path.key, or path["a key"] when the key isn't a plain name.
std::string join(const std::string &path, std::string_view key);
/// Whether it may name a program, a milestone or a signal: [a-z][a-z0-9_]{0,62}.
bool is_name(std::string_view text) noexcept;
extern const std::string_view kNameHint;
/// Reports if it may not.
bool check_name(std::string_view name, const std::string &path, Problems &problems);
/// Reports keys that stand twice in an object.
void check_duplicates(const Json &object, const std::string &path, Problems &problems);
/// Reports unless the value is of the type.
bool check_type(const Json &value, Json::Type type, const std::string &path, Problems &problems);

/// One object of the document. The value's problems are reported when it is read, those of keys when this is made.
/// Each read says whether the key is there and right, and leaves `out` alone otherwise.
class Fields {
public:
  /// `handled` is a key on which the caller reports.
  Fields(const Json &object, std::string path, const Section &section, Problems &problems,
         std::string_view handled = {});

  bool has(std::string_view key) const noexcept { return object_.find(key); }
  bool has_planned() const noexcept; ///< whether it uses keys of later versions
  std::string path(std::string_view key) const { return join(path_, key); }
  void report(std::string_view key, std::string problem, std::string hint = {}) const;
  /// Whether the key is there; reports it when it isn't, unless an unknown key was probably meant to be it.
  bool require(std::string_view key, std::string hint = {}) const;

  bool text(std::string_view key, std::string &out) const;  ///< not blank
  bool prose(std::string_view key, std::string &out) const; ///< may be empty
  bool flag(std::string_view key, bool &out) const;
  bool integer(std::string_view key, int lo, int hi, int &out) const;
  bool positive(std::string_view key, double &out) const;
  bool length(std::string_view key, Micros lo, Micros hi, Micros &out) const;
  std::optional<std::size_t> word(std::string_view key, Words allowed, Words planned = {}) const;
  const Json *value(std::string_view key, Json::Type type) const; ///< null when it isn't there or of another type

private:
  const Json &object_;
  std::string path_;
  const Section &section_;
  Problems &problems_;
  std::vector<std::string_view> meant_; // known keys that were suggested for unknown ones
};

} // namespace pql

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
