// Any bytes as what pqlctl serve receives: a request, a form, a link.
// Law: never crashes; a request that is whole has the body that it announced, and stays the same with more behind it;
// no bytes are a link that was signed; what is shown of them is no HTML; what is base64 is written as it was read.
#include "cli/base/text.hpp"
#include "cli/deliver/signature.hpp"
#include "cli/deliver/token.hpp"
#include "cli/serve/http.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  using namespace pql::cli;
  static const auto &keys = *new ReplyKeys("one:secretsecretsecret,two:otherotherother1");
  const std::string text(reinterpret_cast<const char *>(data), size);
  const auto [how, r] = read_request(text);
  if (how == Arrival::done) {
    require(r.path.starts_with('/') && r.body.size() <= kMostRequestBody);
    const auto [again, same] = read_request(text + "more");
    require(again == Arrival::done && same.path == r.path && same.body == r.body);
  }
  for (const auto &[name, value] : form_fields(text))
    require(html_text(name + value).find_first_of("<>\"'") == std::string::npos);
  require(keys.check(text, 0).first == ReplyKeys::Answer::forged);
  if (const auto raw = from_base64(text)) require(base64(*raw) == text);
  if (const auto raw = from_base64url(text)) require(base64url(*raw) == text);
  return 0;
}
