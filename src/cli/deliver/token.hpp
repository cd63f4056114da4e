// The links that reps answer by: who may do what with which row until when, signed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pql::cli {

/// What a link is for. Whatever it is, the page behind it offers the other answers, too.
struct Reply {
  std::int64_t routing_id = 0;
  std::string rep;
  std::string action;       ///< accept, decline, dispose
  std::int64_t expires = 0; ///< seconds of the Unix epoch
  bool operator==(const Reply &) const = default;
};

/// Keys by their names. The first one signs; all are good, so that a new one is put in front and the old one taken away
/// when its links have expired.
class ReplyKeys {
public:
  /// "name:secret", or several, apart by commas. Throws Failure for a name of other than letters and digits, and for a
  /// secret shorter than 16 characters.
  explicit ReplyKeys(std::string_view text);

  std::string sign(const Reply &reply) const;

  enum class Answer { right, forged, expired };
  /// What a token says; the second is set only if the first is not "forged".
  std::pair<Answer, Reply> check(std::string_view token, std::int64_t now) const;

private:
  struct Key {
    std::string name, secret;
  };
  std::vector<Key> keys_;
};

} // namespace pql::cli
