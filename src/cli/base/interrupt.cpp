#include "cli/base/interrupt.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>

#include <libpq-fe.h>
#include <unistd.h>

#include "cli/base/failure.hpp"

namespace pql::cli {
namespace {

std::atomic<bool> asked{false};
std::atomic<pg_cancel *> running{nullptr};
static_assert(std::atomic<pg_cancel *>::is_always_lock_free);

void on_signal(int) {
  if (asked.exchange(true)) _exit(static_cast<int>(Exit::interrupted));
  const int kept = errno;
  char why[256];
  if (pg_cancel *const c = running.load()) PQcancel(c, why, sizeof why); // safe in a signal handler, says its manual
  errno = kept;
}

} // namespace

void watch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0; // waiting ends with EINTR
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN); // a reader that has gone is an error when writing, not the end
}

bool interrupted() noexcept { return asked.load(std::memory_order_relaxed); }

void check_interrupted() {
  if (interrupted()) throw Interrupted();
}

bool sleep_for(double seconds) {
  if (interrupted()) return false;
  if (seconds <= 0) return true;
  timespec left{};
  left.tv_sec = static_cast<time_t>(seconds);
  left.tv_nsec = static_cast<long>((seconds - static_cast<double>(left.tv_sec)) * 1e9);
  while (nanosleep(&left, &left) != 0 && errno == EINTR)
    if (interrupted()) return false;
  return true;
}

pg_cancel *cancel_on_interrupt(pg_cancel *cancel) noexcept { return running.exchange(cancel); }

} // namespace pql::cli
