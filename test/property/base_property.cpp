// Laws of event ids, instants and the binary form.
// Law: encodings of ids compare as the ids do; what is written is read back; hostile bytes are read without harm.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/event_id.hpp"
#include "core/base/instant.hpp"
#include "property/any.hpp"

namespace pql {
namespace {

// Up to 20 choices of n.
std::vector<int> some(int n) {
  std::vector<int> all(number<std::size_t>(0, 21));
  for (int &k : all) k = number(0, n);
  return all;
}

// Numbers of every length and sign, and the ends of the lengths.
rc::Gen<std::int64_t> any_int() {
  return rc::gen::exec([] {
    const int bits = number(0, 65);
    std::uint64_t v = bits == 0 ? 0 : *rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>());
    if (bits > 0 && bits < 64) v &= (std::uint64_t{1} << bits) - 1;
    if (one_in(3)) v = (bits >= 64 ? 0 : std::uint64_t{1} << bits) + number<std::uint64_t>(0, 3) - 1;
    return static_cast<std::int64_t>(one_in(2) ? v : ~v);
  });
}

TEST(EventIdLaws, NumbersSortByValue) {
  check("a < b == code(a) < code(b)", rc::check([] {
          for (int i = 0; i < 50; i++) {
            const std::int64_t a = *any_int(), b = *any_int();
            RC_ASSERT((EventId::of_int(a).view() < EventId::of_int(b).view()) == (a < b));
            RC_ASSERT((EventId::of_int(a).view() == EventId::of_int(b).view()) == (a == b));
            if (a < INT64_MAX) RC_ASSERT(EventId::of_int(a).view() < EventId::of_int(a + 1).view());
          }
        }));
}

TEST(EventIdLaws, NumbersAreReadBackAndAreShort) {
  check("text(code(a)) == a", rc::check([] {
          const std::int64_t a = *any_int();
          const EventId id = EventId::of_int(a);
          RC_ASSERT(event_id_text(id.view()) == std::to_string(a));
          RC_ASSERT(id.size >= 2 && id.size <= 9);
          if (a >= -256 && a < 256) RC_ASSERT(id.size == 2);
        }));
}

TEST(EventIdLaws, UuidsSortByTheirBytesAndAreReadBack) {
  check("uuid", rc::check([] {
          unsigned char bytes[2][16];
          for (auto &u : bytes) {
            for (unsigned char &b : u) b = *rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<unsigned char>());
          }
          if (one_in(2)) std::memcpy(bytes[1], bytes[0], 15);
          const EventId a = EventId::of_uuid(bytes[0]), b = EventId::of_uuid(bytes[1]);
          RC_ASSERT((a.view() < b.view()) == (std::memcmp(bytes[0], bytes[1], 16) < 0));
          const std::string text = event_id_text(a.view());
          RC_ASSERT(text.size() == 36u);
          std::string digits;
          for (std::size_t i = 0; i < text.size(); i++) {
            const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
            RC_ASSERT((text[i] == '-') == dash);
            if (!dash) digits += text[i];
          }
          for (std::size_t i = 0; i < 16; i++)
            RC_ASSERT(std::stoi(digits.substr(2 * i, 2), nullptr, 16) == bytes[0][i]);
        }));
}

TEST(EventIdLaws, TextsSortByTheirBytesAndAreReadBack) {
  check("text", rc::check([](const std::string &a, const std::string &b) {
          RC_PRE(a.size() <= EventId::kMax && b.size() <= EventId::kMax);
          RC_ASSERT(event_id_text(EventId::of_text(a).view()) == a);
          RC_ASSERT((EventId::of_text(a).view() < EventId::of_text(b).view()) == (a < b));
        }));
}

TEST(EventIdLaws, KindsDoNotMix) {
  check("numbers before texts before uuids", rc::check([](const std::string &text) {
          unsigned char uuid[16] = {};
          for (unsigned char &b : uuid) b = *rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<unsigned char>());
          RC_ASSERT(EventId::of_int(*any_int()).view() < EventId::of_text(text).view());
          RC_ASSERT(EventId::of_text(text).view() < EventId::of_uuid(uuid).view());
        }));
}

TEST(EventIdLaws, ALongTextIsCutBetweenCharactersAndStaysDifferent) {
  check("long texts", rc::check([] {
          static const std::string kCharacters[] = {"x", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
          std::string text;
          while (text.size() <= EventId::kMax + 40) text += kCharacters[number<std::size_t>(0, 4)];
          const EventId id = EventId::of_text(text);
          const std::string kept = event_id_text(id.view());
          RC_ASSERT(kept.size() <= EventId::kMax && kept.size() + 3 >= EventId::kMax);
          const std::size_t edge = kept.rfind('~');
          RC_ASSERT(edge != std::string::npos && text.starts_with(kept.substr(0, edge)));
          RC_ASSERT((static_cast<unsigned char>(text[edge]) & 0xc0) != 0x80); // what follows begins a character
          std::string other = text;
          other[number<std::size_t>(EventId::kMax, other.size())] ^= 1;
          RC_ASSERT(EventId::of_text(other).view() != id.view());
          RC_ASSERT(EventId::of_text(text).view() == id.view());
        }));
}

TEST(EventIdLaws, AnyBytesAreReadWithoutHarm) {
  check("any bytes", rc::check([](const std::string &bytes) {
          const std::string text = event_id_text(bytes);
          RC_ASSERT(text.size() <= std::max<std::size_t>(36, bytes.size()));
        }));
}

// --- instants
// -----------------------------------------------------------------------------------------------------------

std::string by_the_standard_library(Micros at) {
  using namespace std::chrono;
  const sys_time<microseconds> t = sys_days{year{2000} / 1 / 1} + microseconds{at};
  const sys_days d = floor<days>(t);
  const year_month_day date{d};
  const hh_mm_ss<microseconds> time{t - d};
  char b[96];
  std::snprintf(b, sizeof b, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  std::string out = b;
  if (time.subseconds().count()) {
    std::snprintf(b, sizeof b, ".%06d", static_cast<int>(time.subseconds().count()));
    out += b;
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out + 'Z';
}

constexpr Micros kCycle = 146'097 * kDay; // 400 years

TEST(InstantLaws, AgreeWithTheStandardLibrary) {
  check("years -32000 to 32000", rc::check([] {
          for (int i = 0; i < 100; i++) {
            const Micros days = number<Micros>(-34'000 * 365, 30'000 * 365);
            const Micros rest = *rc::gen::element<Micros>(0, 1, kDay - 1, kHour, 100'000, number<Micros>(0, kDay));
            RC_ASSERT(print_instant(days * kDay + rest) == by_the_standard_library(days * kDay + rest));
          }
        }));
}

TEST(InstantLaws, RepeatEvery400Years) {
  check("400 years", rc::check([] {
          const Micros at = number<Micros>(0, kCycle), n = number<Micros>(-700, 700);
          const std::string a = print_instant(at), b = print_instant(at + n * kCycle);
          RC_ASSERT(std::stoll(b) == std::stoll(a) + 400 * n);
          RC_ASSERT(b.substr(b.find('-', 1)) == a.substr(4));
        }));
}

TEST(InstantLaws, WholeSecondsOfOurEraSortAsTexts) {
  check("order", rc::check([] {
          const Micros a = number<Micros>(-1900 * 365, 7900 * 365) * kDay + number<Micros>(0, 86'400) * kSecond;
          const Micros b = a + (number<Micros>(0, 1'000'000) + 1) * kSecond;
          RC_ASSERT(print_instant(a) < print_instant(b));
        }));
}

// --- binary form
// --------------------------------------------------------------------------------------------------------

TEST(BytesLaws, WhatIsWrittenIsReadBackAndEveryCutIsRefused) {
  check("round trip", rc::check([] {
          const auto kinds = some(5);
          Arena a;
          Writer w(a);
          std::vector<std::int64_t> numbers;
          for (int k : kinds) {
            const std::int64_t v = *any_int();
            numbers.push_back(v);
            switch (k) {
            case 0:
              w.u8(static_cast<std::uint8_t>(v));
              break;
            case 1:
              w.i64(v);
              break;
            case 2:
              w.varint(static_cast<std::uint64_t>(v));
              break;
            case 3:
              w.zigzag(v);
              break;
            case 4:
              w.string(std::to_string(v));
              break;
            }
          }
          const auto read = [&](Reader &r, bool expect) {
            for (std::size_t i = 0; i < kinds.size(); i++) {
              bool same = false;
              switch (kinds[i]) {
              case 0:
                same = r.u8() == static_cast<std::uint8_t>(numbers[i]);
                break;
              case 1:
                same = r.i64() == numbers[i];
                break;
              case 2:
                same = r.varint() == static_cast<std::uint64_t>(numbers[i]);
                break;
              case 3:
                same = r.zigzag() == numbers[i];
                break;
              case 4:
                same = r.string() == std::to_string(numbers[i]);
                break;
              }
              if (expect) RC_ASSERT(same && r.ok());
            }
          };
          Reader whole(w.view());
          read(whole, true);
          RC_ASSERT(whole.ok() && whole.done());
          for (std::size_t n = 0; n < w.size(); n++) {
            const std::string cut(w.view().substr(0, n)); // of its own, so that a sanitizer sees where it ends
            Reader r(cut);
            read(r, false);
            RC_ASSERT(!r.ok());
          }
        }));
}

TEST(BytesLaws, AReaderNeverLeavesItsInput) {
  check("hostile bytes", rc::check([](const std::string &bytes) {
          Reader r(bytes);
          const auto calls = some(7);
          for (int c : calls) {
            const std::size_t before = r.left();
            const bool was_ok = r.ok();
            switch (c) {
            case 0:
              r.u8();
              break;
            case 1:
              r.i64();
              break;
            case 2:
              r.varint();
              break;
            case 3:
              r.time(*any_int());
              break;
            case 4: {
              const std::string_view s = r.string();
              RC_ASSERT(s.empty() || (s.data() >= bytes.data() && s.data() + s.size() <= bytes.data() + bytes.size()));
              break;
            }
            case 5: {
              const std::size_t each = number<std::size_t>(0, 30);
              RC_ASSERT(r.count(each) * each <= before);
              break;
            }
            case 6: {
              char b[16];
              r.raw(b, number<std::size_t>(0, 17));
              break;
            }
            }
            RC_ASSERT(r.left() <= before);
            RC_ASSERT(was_ok || !r.ok());
          }
        }));
}

} // namespace
} // namespace pql
