// Stored homes: hostile bytes are refused, and what is read can be written and read again.
#include "core/state/home.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  pql::Arena a;
  const auto home = pql::decode(a, {reinterpret_cast<const char *>(data), size});
  if (!home) return 0;
  const std::string_view written = pql::encode(a, *home);
  const auto again = pql::decode(a, written);
  if (!again || pql::encode(a, *again) != written) std::abort();
  return 0;
}
