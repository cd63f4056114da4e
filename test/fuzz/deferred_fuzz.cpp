// What waits to be folded: hostile bytes are refused; what is read is written and read again as it was.
#include "core/state/deferred.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  using namespace pql;
  Arena a;
  const auto written_again = [&](std::string_view body, bool &ok) {
    DeferredReader reader(a, body);
    DeferredWriter writer(a);
    DeferredRecord r;
    while (reader.next(r)) writer.add(r);
    ok = reader.ok();
    return writer.view();
  };
  bool ok = false;
  const std::string_view once = written_again({reinterpret_cast<const char *>(data), size}, ok);
  if (!ok) return 0;
  if (written_again(once, ok) != once || !ok) std::abort();
  return 0;
}
