// Bars for terminals.
#pragma once

#include <cstddef>
#include <string>

namespace pql::cli {

/// A bar of that share of the width, to an eighth of a column; anything above zero shows something. With ascii, of #.
std::string bar(double share, std::size_t width, bool ascii = false);

} // namespace pql::cli
