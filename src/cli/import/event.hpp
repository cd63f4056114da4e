// What an importer reads: events, and who turned out to be whom.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pql::cli {

/// The fields that an event may have, by the names that --map uses.
enum class Field { user, account, event, time, id, properties };
inline constexpr std::size_t kFields = 6;
inline constexpr std::string_view kFieldNames[kFields] = {"user", "account", "event", "time", "id", "properties"};

/// One event, ready to be written.
struct Event {
  std::string user, name;
  std::optional<std::string> account, id;
  std::string at;                ///< as PostgreSQL reads it; without a zone only if --timezone says which
  std::string properties = "{}"; ///< a JSON object
};

/// What became of one record of a file.
struct Reading {
  enum class Kind {
    event,   ///< `event` holds it
    merge,   ///< `old_user` turned out to be `new_user`
    nothing, ///< a right record that is no event; `reason` says what it is
    rejected ///< `reason` says why
  };
  Kind kind = Kind::nothing;
  Event event;
  std::string old_user, new_user;
  std::string reason;

  void pass_over(std::string what) {
    kind = Kind::nothing;
    reason = std::move(what);
  }
  void reject(std::string why) {
    kind = Kind::rejected;
    reason = std::move(why);
  }
};

} // namespace pql::cli
