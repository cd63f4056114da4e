#include "cli/serve/server.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/base/failure.hpp"
#include "cli/base/interrupt.hpp"

namespace pql::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{250}; // for an interrupt, at least so often

struct Client {
  int socket;
  Clock::time_point until;
  std::string in, out;
  bool answered = false, over = false;
};

Response error_page(int status, const char *words) {
  return {status, "text/plain; charset=utf-8", std::string(words) + "\n"};
}

// Takes what came. Once the request is whole, or can't become one, there is something to send.
void take(Client &c, const std::function<Response(const Request &)> &answer) {
  char some[4096];
  const ssize_t n = recv(c.socket, some, sizeof some, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    c.over = true;
    return;
  }
  c.in.append(some, static_cast<std::size_t>(n));
  const auto [how, request] = read_request(c.in);
  if (how == Arrival::more) return;
  c.answered = true;
  const Response response = how == Arrival::done        ? answer(request)
                            : how == Arrival::too_large ? error_page(413, "too large")
                                                        : error_page(400, "bad request");
  c.out = response_text(response, request.method == "HEAD");
}

void give(Client &c) {
  const ssize_t n = send(c.socket, c.out.data(), c.out.size(), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0) {
    c.over = true;
    return;
  }
  c.out.erase(0, static_cast<std::size_t>(n));
  if (!c.out.empty()) return;
  shutdown(c.socket, SHUT_WR);
  c.over = true;
}

// Whoever was too slow is told, as far as that takes no waiting.
void time_out(Client &c) {
  if (!c.answered) {
    const std::string text = response_text(error_page(408, "too slow"), false);
    send(c.socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  c.over = true;
}

} // namespace

Server::Server(const std::string &address, int port, double seconds, std::size_t most_connections)
    : seconds_(seconds), most_(most_connections) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
  if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &wanted, &found) != 0)
    throw wrong_usage("\"" + address + "\" is not an address");
  listener_ = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool is_bound = bind(listener_, found->ai_addr, found->ai_addrlen) == 0 && listen(listener_, 64) == 0;
  const int why = errno;
  freeaddrinfo(found);
  if (!is_bound) {
    close(listener_);
    throw wrong_usage("could not listen on " + address + " port " + std::to_string(port) + ": " + std::strerror(why));
  }
  sockaddr_storage mine{};
  socklen_t size = sizeof mine;
  getsockname(listener_, reinterpret_cast<sockaddr *>(&mine), &size);
  port_ = ntohs(mine.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6 *>(&mine)->sin6_port
                                           : reinterpret_cast<sockaddr_in *>(&mine)->sin_port);
}

Server::~Server() { close(listener_); }

void Server::run(const std::function<Response(const Request &)> &answer) {
  std::vector<Client> clients;
  std::vector<pollfd> polled;
  Clock::time_point listens_from{}; // nobody is let in before
  const auto end_of_wait = [&] {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds_));
  };
  while (!interrupted() || !clients.empty()) {
    if (interrupted()) // who hasn't asked yet need not
      for (Client &c : clients) c.over = c.over || !c.answered;
    std::erase_if(clients, [](const Client &c) {
      if (c.over) close(c.socket);
      return c.over;
    });
    const bool listens = clients.size() < most_ && !interrupted() && Clock::now() >= listens_from;
    polled.assign(1, {listens ? listener_ : -1, POLLIN, 0});
    for (const Client &c : clients) polled.push_back({c.socket, static_cast<short>(c.answered ? POLLOUT : POLLIN), 0});
    poll(polled.data(), polled.size(), static_cast<int>(kLook.count()));
    for (std::size_t i = 0; i < clients.size(); i++) {
      Client &c = clients[i];
      const bool asked = !c.answered;
      if (polled[i + 1].revents != 0) c.answered ? give(c) : take(c, answer);
      if (asked && c.answered) c.until = end_of_wait(); // what was done meanwhile is told, however long it took
      if (!c.over && Clock::now() > c.until) time_out(c);
    }
    if ((polled[0].revents & POLLIN) == 0) continue;
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
      // Without a descriptor to be had, who waits stays, and would be polled at once, again and again.
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) listens_from = Clock::now() + kLook;
      continue;
    }
    clients.push_back({socket, end_of_wait(), {}, {}});
  }
}

} // namespace pql::cli
