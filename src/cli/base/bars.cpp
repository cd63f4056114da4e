#include "cli/base/bars.hpp"

#include <algorithm>
#include <cmath>

namespace pql::cli {

std::string bar(double share, std::size_t width, bool ascii) {
  static constexpr const char *kParts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (!(share > 0) || width == 0) return {};
  const double columns = std::min(share, 1.0) * static_cast<double>(width);
  if (ascii) return std::string(std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(columns))), '#');
  const std::size_t eighths = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(columns * 8)));
  std::string made;
  for (std::size_t i = 0; i < eighths / 8; i++) made += "█";
  return made + kParts[eighths % 8];
}

} // namespace pql::cli
