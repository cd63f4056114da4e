// Posts messages, several at a time, each within its time.
// Law: TLS is always verified; nothing is connected to but public addresses, and hosts that the operator named; no
// redirection leads to another host, nor from https to http.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/deliver/message.hpp"

namespace pql::cli {

/// What came of a message.
struct Posted {
  std::int64_t id = 0;
  long status = 0;         ///< 0: there was no answer
  std::string error;       ///< why not, or why the answer is none to follow
  bool final = false;      ///< the error is one that stays: an address that isn't allowed, a redirection
  std::string response;    ///< its beginning
  std::string retry_after; ///< the header
  double seconds = 0;
};

class Poster {
public:
  struct Rules {
    std::set<std::string> private_hosts; ///< may be connected to though their addresses aren't public
    std::string ca_file;                 ///< trusted instead of the system's certificates; "": those
  };
  explicit Poster(Rules rules);
  Poster(const Poster &) = delete;
  Poster &operator=(const Poster &) = delete;
  ~Poster();

  /// Begins to post; at most so many seconds for all of it. The secrets sign, if the message asks for it.
  void begin(std::int64_t id, const Message &message, double seconds, const std::string &secrets);
  std::size_t busy() const noexcept;
  /// Waits, no longer than that, until something happens to one of them, or to the socket (-1: none), or a signal
  /// comes; gives those that have ended.
  std::vector<Posted> wait(double seconds, int socket = -1);

private:
  struct Post;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace pql::cli
