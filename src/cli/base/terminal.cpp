#include "cli/base/terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <utf8proc.h>

#include "cli/base/interrupt.hpp"

namespace pql::cli {
namespace {

// Reads a line with read(), since stdio would go on reading after an interrupt.
std::optional<std::string> read_line(int file) {
  std::string line;
  char c = 0;
  for (;;) {
    pollfd ready{file, POLLIN, 0};
    const int some = poll(&ready, 1, 250); // an interrupt may come between a look for it and the wait
    check_interrupted();
    if (some <= 0) continue;
    const ssize_t n = read(file, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return line.empty() ? std::nullopt : std::optional(line);
    if (c == '\n') return line;
    line += c;
  }
}

// The code point at the front of the text, its bytes, and its columns.
struct Glyph {
  std::size_t bytes, columns;
};

Glyph first_glyph(std::string_view text) noexcept {
  utf8proc_int32_t point = 0;
  const auto *const at = reinterpret_cast<const utf8proc_uint8_t *>(text.data());
  const utf8proc_ssize_t n = utf8proc_iterate(at, static_cast<utf8proc_ssize_t>(text.size()), &point);
  if (n <= 0) return {1, 1}; // no UTF-8: a terminal shows one mark for the byte
  return {static_cast<std::size_t>(n), static_cast<std::size_t>(std::max(0, utf8proc_charwidth(point)))};
}

// Bytes of the escape sequence of a colour at the front, or 0.
std::size_t escape(std::string_view text) noexcept {
  if (text.size() < 3 || text[0] != '\033' || text[1] != '[') return 0;
  const std::size_t end = text.find('m');
  return end == std::string_view::npos ? 0 : end + 1;
}

} // namespace

bool output_is_terminal() noexcept { return isatty(STDOUT_FILENO) == 1; }
bool errors_are_terminal() noexcept { return isatty(STDERR_FILENO) == 1; }
bool input_is_terminal() noexcept { return isatty(STDIN_FILENO) == 1; }

std::size_t terminal_width() noexcept {
  winsize size{};
  for (const int file : {STDOUT_FILENO, STDERR_FILENO})
    if (ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  std::size_t columns = 0;
  if (const char *const said = std::getenv("COLUMNS"))
    if (std::from_chars(said, said + std::strlen(said), columns).ec == std::errc() && columns > 0) return columns;
  return 80;
}

std::size_t display_width(std::string_view text) noexcept {
  std::size_t columns = 0;
  while (!text.empty()) {
    if (const std::size_t skip = escape(text)) {
      text.remove_prefix(skip);
      continue;
    }
    const Glyph g = first_glyph(text);
    columns += g.columns;
    text.remove_prefix(std::min(g.bytes, text.size()));
  }
  return columns;
}

std::string_view fitting(std::string_view text, std::size_t columns) noexcept {
  std::size_t taken = 0, bytes = 0;
  while (bytes < text.size()) {
    if (const std::size_t skip = escape(text.substr(bytes))) {
      bytes += skip;
      continue;
    }
    const Glyph g = first_glyph(text.substr(bytes));
    if (taken + g.columns > columns && bytes > 0) break;
    taken += g.columns;
    bytes += g.bytes;
  }
  return text.substr(0, bytes);
}

bool ask_yes_no(const std::string &question) {
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::fflush(stderr);
  const std::string answer = read_line(STDIN_FILENO).value_or("");
  return answer == "y" || answer == "Y" || answer == "yes" || answer == "Yes" || answer == "YES";
}

std::optional<std::string> ask_password(const std::string &question) {
  const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (terminal < 0) return std::nullopt;
  termios kept{};
  tcgetattr(terminal, &kept);
  termios silent = kept;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(terminal, TCSAFLUSH, &silent);
  const auto say = [&](std::string_view text) { return write(terminal, text.data(), text.size()) >= 0; };
  say(question);
  std::optional<std::string> answer;
  try {
    answer = read_line(terminal);
  } catch (...) {
    tcsetattr(terminal, TCSAFLUSH, &kept);
    close(terminal);
    throw;
  }
  say("\n");
  tcsetattr(terminal, TCSAFLUSH, &kept);
  close(terminal);
  return answer;
}

} // namespace pql::cli
