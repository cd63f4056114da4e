// Messages as patterns see them: one spelling for what is written in many ways, cut into sentences, with the ends of words marked.
// Law: linear in the text, whatever it holds; what is normalised stays as it is when it is normalised again.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pql::topic {

/// How a code point counts in words. Letters include marks, digits and the underscore. Scripts that are written without blanks
/// (Han, Kana, Thai and others) and Hangul, whose particles follow foreign words at once, meet other letters at a word's end.
enum class Word : unsigned char { none, letter, blankless, hangul };

/// What stands between the bytes of a normalised text where a word begins, ends, or meets one of another kind. A newline ends a
/// sentence.
inline constexpr char kStarts = '\x01', kEnds = '\x02', kMeets = '\x03';
inline constexpr bool is_mark(char c) noexcept { return c >= kStarts && c <= kMeets; }

/// What a code point becomes. Filled when one of its page is first met.
struct Folding {
  enum Kind : unsigned char {
    plain,    ///< one code point
    several,  ///< more than one
    blank, newline,
    dropped,  ///< nothing: zero-width
    joins,    ///< may become one with those before it
    stop,     ///< ends a sentence when a blank follows
    end,      ///< ends a sentence
    closer,   ///< may stand between a sentence's end and the blank
  };
  Kind kind = plain;
  Word word = Word::none;
  std::uint8_t size = 0;
  std::uint32_t at = 0; ///< in the pool
};

/// A stretch of the normalised text without an end of a sentence in it, and where it comes from. Sentences that are longer than
/// kLongSentence bytes are cut.
struct Sentence {
  std::uint32_t begin = 0, end = 0;           ///< in the normalised text, without the newline
  std::uint32_t from = 0, until = 0;          ///< in the original
  std::uint32_t line = 0;                     ///< of the original, from 0
};
inline constexpr std::size_t kLongSentence = 1500;

/// A normalised text.
struct Normalised {
  std::string text;
  std::vector<Sentence> sentences; ///< none is empty
  void clear() {
    text.clear();
    sentences.clear();
  }
};

/// Normalises texts: NFKC and case folding, runs of blanks as one, quotes, apostrophes and dashes plain, nothing of zero width.
/// Keeps a table of the code points that it met.
class Normaliser {
public:
  Normaliser();
  ~Normaliser();
  Normaliser(const Normaliser &) = delete;
  Normaliser &operator=(const Normaliser &) = delete;

  /// With `map`, also from which byte of the original each byte comes (and, at its end, the original's end).
  void normalise(std::string_view text, Normalised &out, std::vector<std::uint32_t> *map = nullptr);

  /// What a single code point becomes, as text without marks; blanks are a blank.
  std::string fold(std::uint32_t code_point);
  Word word(std::uint32_t code_point) { return folding(code_point).word; }

private:
  class Run;
  using Page = std::array<Folding, 256>;

  const Folding &folding(std::uint32_t code_point) {
    const std::unique_ptr<Page> &p = pages_[code_point >> 8];
    return p ? (*p)[code_point & 255] : fill(code_point);
  }
  const Folding &fill(std::uint32_t code_point);
  Folding make(std::uint32_t code_point);

  std::unique_ptr<Page> pages_[0x1100];
  std::string pool_;
};

/// Reads a code point at s[at]; its length, or 0 when what stands there is none.
unsigned decode(std::string_view s, std::size_t at, std::uint32_t &code_point) noexcept;
/// Appends a code point.
void encode(std::uint32_t code_point, std::string &to);

} // namespace pql::topic

#ifdef POSTGRES_H
#error "the core knows nothing of PostgreSQL: include core headers before pg/pg.hpp"
#endif
