// Stored homes and milestones: hostile bytes are refused, and what is read can be written and read again.
#include "core/state/home.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  pql::Arena a;
  const std::string_view bytes(reinterpret_cast<const char *>(data), size);
  if (const auto milestones = pql::decode_milestones(a, bytes)) {
    const std::string_view written = pql::encode_milestones(a, *milestones);
    const auto again = pql::decode_milestones(a, written);
    if (!again || pql::encode_milestones(a, *again) != written) std::abort();
  }
  const auto home = pql::decode(a, bytes);
  if (!home) return 0;
  for (const pql::Milestones where : {pql::Milestones::inside, pql::Milestones::apart}) {
    const std::string_view written = pql::encode(a, *home, where);
    const auto again = pql::decode(a, written);
    if (!again || pql::encode(a, *again, where) != written) std::abort();
  }
  return 0;
}
