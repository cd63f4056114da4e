// A file to be imported: plain or compressed with gzip, or standard input; with a digest of what was read of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pql::cli {

/// SHA-256 of what was given to it so far.
class Digest {
public:
  Digest();
  Digest(Digest &&) noexcept;
  Digest &operator=(Digest &&) noexcept;
  ~Digest();
  void add(std::string_view bytes);
  /// In hexadecimal; more may be added afterwards.
  std::string text() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

class Source {
public:
  /// "-" is standard input. Throws Failure if it can't be opened.
  explicit Source(const std::string &name);
  /// What a program writes, without a shell.
  static Source of_program(const std::string &name, char *const arguments[]);
  Source(Source &&) noexcept;
  Source &operator=(Source &&) noexcept;
  ~Source();

  /// Bytes, uncompressed; 0 at the end. Throws Failure if reading fails, Interrupted after Ctrl-C.
  std::size_t read(char *to, std::size_t bytes);
  /// Reads from the beginning again; false if that can't be.
  bool rewind();
  /// How much of it is read, 0 to 1; negative if nobody can know.
  double share() const;
  /// Can it be read again, so that an import of it can go on?
  bool is_file() const noexcept { return size_ >= 0; }
  const std::string &name() const noexcept { return name_; }
  /// Waits for the program's end; throws Failure if that wasn't well.
  void close();

private:
  Source() = default;
  std::string name_;
  void *file_ = nullptr; // gzFile
  std::int64_t size_ = -1;
  int program_ = 0;
};

} // namespace pql::cli
