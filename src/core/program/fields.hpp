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
/// path[i].
std::string join(const std::string &path, std::size_t i);
/// Whether it may name a program, a milestone or a signal: [a-z][a-z0-9_]{0,62}.
bool is_name(std::string_view text) noexcept;
extern const std::string_view kNameHint;
/// Reports if it may not.
bool check_name(std::string_view name, const std::string &path, Problems &problems);
/// Reports keys that stand twice in an object.
void check_duplicates(const Json &object, const std::string &path, Problems &problems);
/// Reports what can't be stored as a text in PostgreSQL.
bool check_prose(const std::string &text, const std::string &path, Problems &problems);
/// Reports that, and a text that is blank.
bool check_text(const std::string &text, const std::string &path, Problems &problems);
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
  /// Whether it has a key that may be read: one that is known and served.
  bool gives(std::string_view key) const noexcept { return find(key); }
  bool has_planned() const noexcept; ///< whether it uses keys of later versions
  std::string path(std::string_view key) const { return join(path_, key); }
  void report(std::string_view key, std::string problem, std::string hint = {}) const;
  /// Whether the key is there; reports it when it isn't, unless an unknown key was probably meant to be it.
  bool require(std::string_view key, std::string hint = {}) const;
  /// Whether it is neither there nor probably meant by an unknown key.
  bool lacks(std::string_view key) const noexcept;
  /// Which of some keys it gives; reports all but the first.
  std::string_view one_of(Words keys) const;

  bool text(std::string_view key, std::string &out) const;  ///< not blank
  bool prose(std::string_view key, std::string &out) const; ///< may be empty
  bool flag(std::string_view key, bool &out) const;
  bool integer(std::string_view key, int lo, int hi, int &out) const;
  bool number(std::string_view key, double lo, double hi, double &out) const;
  bool positive(std::string_view key, double &out) const;
  bool length(std::string_view key, Micros lo, Micros hi, Micros &out) const;
  bool length(std::string_view key, Micros lo, Micros hi, Micros &out, Counted &in) const; ///< or of working time
  /// `what` it is, where the key doesn't say so.
  std::optional<std::size_t> word(std::string_view key, Words allowed, Words planned = {}, std::string_view what = {}) const;
  /// Whether it is one of some words.
  bool word_is(std::string_view key, Words some) const noexcept;
  const Json *value(std::string_view key, Json::Type type) const; ///< null when it isn't there or of another type
  /// A list; reports when it has fewer or more entries, of which the caller then reads no more than `most`.
  const Json *list(std::string_view key, std::size_t least, std::size_t most, std::string_view what) const;
  /// A list of texts, none of them blank and each there once. Those that are wrong are left out.
  void texts(std::string_view key, std::size_t least, std::size_t most, std::string_view what,
             std::vector<std::string> &out) const;
  /// One text, or a list of them.
  void text_or_texts(std::string_view key, std::size_t most, std::string_view what, std::vector<std::string> &out) const;

private:
  const Json *find(std::string_view key) const noexcept; // null for a key that isn't known, or refused by name
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
