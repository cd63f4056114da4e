// A small HTTP server: one thread, many connections, each of which has its time.
#pragma once

#include <functional>
#include <string>

#include "cli/serve/http.hpp"

namespace pql::cli {

class Server {
public:
  /// Listens. Throws Failure. A port of 0 is any that is free.
  Server(const std::string &address, int port, double seconds, std::size_t most_connections);
  Server(const Server &) = delete;
  Server &operator=(const Server &) = delete;
  ~Server();

  int port() const noexcept { return port_; }
  /// Answers until the program is interrupted; then those who have asked already.
  void run(const std::function<Response(const Request &)> &answer);

private:
  int listener_ = -1, port_ = 0;
  double seconds_;
  std::size_t most_;
};

} // namespace pql::cli
