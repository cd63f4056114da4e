#include "core/state/deferred.hpp"

#include "core/base/hash.hpp"

namespace pql {
namespace {

using Kind = DeferredRecord::Kind;

constexpr std::uint8_t kMagic = 0xA9, kVersion = 1;
constexpr std::uint8_t kKinds = 7, kAccount = 8, kWorkspace = 16, kProperties = 32, kOwnDone = 64, kWorkspaceDone = 128; // of a record's first byte

} // namespace

void DeferredWriter::begin() {
  slots_ = arena_.array<std::uint32_t>(kSlots);
  std::memset(slots_, 0, kSlots * sizeof *slots_);
  words_ = {};
  events_ = records_ = 0;
  last_ = 0;
  out_.u8(kMagic);
  out_.u8(kVersion);
}

void DeferredWriter::word(std::string_view s) {
  std::uint32_t &slot = slots_[hash_of(s, 0) % kSlots];
  if (slot && words_[slot - 1] == s) return out_.varint(slot);
  out_.varint(0);
  out_.string(s);
  words_.push(arena_, arena_.copy(s));
  slot = words_.size;
}

void DeferredWriter::add(const DeferredRecord &r) {
  records_++;
  const auto flag = [](bool set, std::uint8_t bit) { return set ? static_cast<int>(bit) : 0; };
  const bool row = r.kind == Kind::event || r.kind == Kind::touched;
  out_.u8(static_cast<std::uint8_t>(static_cast<int>(r.kind) |
                                    (row ? flag(r.has_account, kAccount) | flag(!r.workspace.empty(), kWorkspace) | flag(r.has_properties, kProperties) |
                                               flag(r.own_done, kOwnDone) | flag(r.workspace_done, kWorkspaceDone)
                                         : 0)));
  if (r.kind == Kind::home || r.kind == Kind::unusable) word(r.text);
  if (r.kind == Kind::unusable) out_.varint(r.count);
  if (!row) return;
  events_++;
  word(r.user);
  if (r.has_account) word(r.account);
  if (!r.workspace.empty()) word(r.workspace);
  out_.time(r.at, last_);
  last_ = r.at;
  if (r.kind == Kind::touched) return;
  word(r.event);
  out_.time(r.arrived, r.at);
  out_.string(r.id);
}

DeferredReader::DeferredReader(Arena &a, std::string_view body) : arena_(a), in_(body) {
  if (in_.u8() != kMagic || in_.u8() != kVersion) in_.fail();
}

std::string_view DeferredReader::word() {
  const std::uint64_t n = in_.varint();
  if (n > words_.size) in_.fail();
  if (!in_.ok()) return {};
  return n ? words_[n - 1] : words_.push(arena_, in_.string());
}

bool DeferredReader::next(DeferredRecord &r) {
  if (!in_.ok() || in_.done()) return false;
  const std::uint8_t first = in_.u8();
  r = {};
  r.kind = static_cast<Kind>(first & kKinds);
  const bool row = r.kind == Kind::event || r.kind == Kind::touched;
  if (r.kind > Kind::unusable || (!row && first & ~kKinds)) in_.fail();
  if (r.kind == Kind::home || r.kind == Kind::unusable) r.text = word();
  if (r.kind == Kind::unusable) r.count = in_.varint();
  if (row) {
    r.has_account = first & kAccount;
    r.has_properties = first & kProperties;
    r.own_done = first & kOwnDone;
    r.workspace_done = first & kWorkspaceDone;
    r.user = word();
    if (r.has_account) r.account = word();
    if (first & kWorkspace) r.workspace = word();
    if (r.user.empty() || (r.has_account && r.account.empty()) || (first & kWorkspace && r.workspace.empty())) in_.fail();
    r.at = in_.time(last_);
    last_ = r.at;
  }
  if (r.kind == Kind::event) {
    r.event = word();
    r.arrived = in_.time(r.at);
    r.id = in_.string();
    if (r.event.empty()) in_.fail();
  }
  return in_.ok();
}

} // namespace pql
