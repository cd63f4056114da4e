#include "cli/base/progress.hpp"

#include <algorithm>
#include <cstdio>

#include "cli/base/terminal.hpp"
#include "cli/base/text.hpp"

namespace pql::cli {

std::string progress_line(const ProgressState &s, std::size_t width) {
  std::string tail = grouped(s.done) + " " + s.unit;
  if (s.seconds > 0) tail += "  " + rate_text(static_cast<double>(s.done) / s.seconds);
  if (s.share < 0) return s.label + "  " + tail + "  " + span_text(s.seconds);

  const double share = std::clamp(s.share, 0.0, 1.0), here = share - s.share_before;
  if (share < 1 && here > 0) tail += "  ETA " + span_text(s.seconds * (1 - share) / here);
  if (share >= 1) tail += "  in " + span_text(s.seconds);
  char percent[8];
  std::snprintf(percent, sizeof percent, "%3d %%", static_cast<int>(share * 100));
  const std::size_t others = display_width(s.label) + 4 + 5 + 2 + display_width(tail);
  const std::size_t room = width > others ? std::min<std::size_t>(width - others, 40) : 0;
  if (room < 5) return s.label + "  " + percent + "  " + tail;
  const auto full = static_cast<std::size_t>(share * static_cast<double>(room));
  return s.label + " [" + std::string(full, '#') + std::string(room - full, '.') + "] " + percent + "  " + tail;
}

Progress::Show Progress::fitting(bool quiet) noexcept {
  if (quiet) return Show::nothing;
  return errors_are_terminal() ? Show::terminal : Show::lines;
}

Progress::Progress(std::string label, std::string unit, Show show)
    : show_(show), begun_(std::chrono::steady_clock::now()), shown_(begun_) {
  state_.label = std::move(label);
  state_.unit = std::move(unit);
}

Progress::~Progress() { clear(); }

double Progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
}

void Progress::at(std::int64_t done, double share) {
  state_.done = done;
  state_.share = share;
  const auto pause = show_ == Show::terminal ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000);
  if (show_ == Show::nothing || std::chrono::steady_clock::now() - shown_ < pause) return;
  show(false);
}

void Progress::finish() {
  if (finished_) return;
  finished_ = true;
  show(true);
}

void Progress::clear() {
  if (!on_line_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  on_line_ = false;
}

void Progress::show(bool last) {
  if (show_ == Show::nothing) return;
  shown_ = std::chrono::steady_clock::now();
  state_.seconds = seconds();
  if (show_ == Show::terminal) {
    std::fprintf(stderr, "\r\033[K%s%s", progress_line(state_, terminal_width() - 1).c_str(), last ? "\n" : "");
    on_line_ = !last;
  } else {
    std::fprintf(stderr, "%s\n", progress_line(state_, 0).c_str());
  }
  std::fflush(stderr);
}

} // namespace pql::cli
